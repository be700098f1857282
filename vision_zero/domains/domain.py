"""What a domain of pairs is to the rest of the project: one record, which its folder's ``domain.py`` exports as ``DOMAIN``.

Whoever needs to know something about the pairs of a domain asks its record; nobody asks for its name. A record is loaded with
every configuration, so it imports its code where it runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vision_zero.config_base import Config
from vision_zero.domains.order import Order
from vision_zero.domains.pair_rules import PairRule
from vision_zero.domains.quality_thresholds import AreaBounds, QualityThresholds

if TYPE_CHECKING:
    import numpy as np

    from vision_zero.data.image_pair import Facts, ImagePair
    from vision_zero.data.source import PairSource
    from vision_zero.data.splits import SplitFilter

C = TypeVar("C", bound=Config)


@dataclass(frozen=True, slots=True)
class Question:
    """A question about an image and its answer, in lower-case words; ``about`` describes the things that it asks of, in the
    domain's own way."""

    family: str
    text: str
    answer: str
    about: tuple[Any, ...] = ()


Ask = Callable[[Mapping[str, Any], "np.random.Generator"], Question | None]
"""A question about the image of those facts; None where it has none that one answer is right to."""


def _nothing(*given: object) -> str:
    return ""


def _none(*given: object) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Domain(Generic[C]):
    """A domain of pairs: its settings, its source, and what its pairs are held against.

    Attributes:
        name: in ``pairs.mix``, as the key of its settings, in the tables of pairs, and of the artifact that its step makes.
        summary: of its settings, in one sentence.
        things: what its pairs are called in a sentence: "single images".
        step: the step of ``self_play`` that makes its pairs.
        config: the class of its settings.
        source: opens the source; the split filter says which of its things it may use.
        settings_for: the settings that an order of the command line asks for. It raises PairsError where the domain cannot do
            that.
        rules: what its pairs must satisfy beside what all pairs must, the most telling first.
        measure: measurements for these rules beside those of all edited pairs (:mod:`vision_zero.validation.quality`), of a
            pair whose images have one size.
        bounds: other bounds of the changed area than those of all domains.
        edits: how often each kind of edit is asked for, relatively; nothing where the settings do not say.
        made_of: the thing that several pairs may be made of, from an image's facts; nothing where each pair is made up.
        files: the fingerprint of the files that pairs are made of; nothing where there are none.
        installed: the fingerprint of what else of this machine pairs depend on, which is no part of a recipe.
        questions: for the held-out evaluation, by family, with answers computed from an image's facts.
        gallery: the order for its page of examples in the documentation; none where it has no page.
        needs_location: it makes nothing up and ships nothing: its settings have no default.
        is_cached: its step need not run again while ``files`` stay the same.
        is_edited: the modified image is an edited original; else it is empty, and there is one image to judge.
        is_finite: there are only so many pairs, each shown as it is; one that comes again is no fault.
        is_read_in_order: its pairs exist: to build a number of them, each is taken once, by one process.
        counts_unusable: things that its source skipped count as lost pairs.
        has_scene_graph: its facts are scenes as CLEVR writes them: what is said of its images can be checked.
    """

    name: str
    summary: str
    things: str
    step: str
    config: type[C]
    source: Callable[[C, SplitFilter], PairSource]
    settings_for: Callable[[Order], C]
    rules: Callable[[QualityThresholds], Sequence[PairRule]]
    measure: Callable[[ImagePair, QualityThresholds], dict[str, Any]] = _none
    bounds: AreaBounds | None = None
    edits: Callable[[C], Mapping[Any, float]] = _none
    made_of: Callable[[Facts], str] = _nothing
    files: Callable[[C], str] = _nothing
    installed: Callable[[C], str] = _nothing
    questions: Mapping[str, Ask] = field(default_factory=dict)
    gallery: Order | None = None
    needs_location: bool = False
    is_cached: bool = True
    is_edited: bool = True
    is_finite: bool = False
    is_read_in_order: bool = False
    counts_unusable: bool = True
    has_scene_graph: bool = False

    @property
    def default(self) -> C | None:
        """Its settings where none are given."""
        return None if self.needs_location else self.config()

    @property
    def accepted(self) -> Any:
        """The type of its settings: none, too, where they have no default."""
        return self.config | None if self.needs_location else self.config

    @property
    def module(self) -> str:
        """The module of its record; what that imports is all the code of the domain."""
        return self.source.__module__
