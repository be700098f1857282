"""The step cache, keyed by content: a cached step's result depends on its inputs, settings and code, and on files elsewhere.

ZenML compares inputs and settings, and the source of the step function, but neither this library nor the files behind paths and
URLs in the settings. So an uncached step takes fingerprints of both, and each cached step gets its own as one more input: a
changed fingerprint is a cache miss on every orchestrator, and the run's page shows why.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from zenml import log_metadata, step
from zenml.config.cache_policy import CachePolicy

from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.domains.domain import Domain
from vision_zero.domains.registry import DOMAINS
from vision_zero.source_closure import ROOT, closure, closure_fingerprint

BY_CONTENT = CachePolicy(include_artifact_ids=True)
"""Inputs are compared by the hash of their content; an input without one by its id."""
CACHED_DOMAINS = tuple(domain for domain in DOMAINS.values() if domain.is_cached)
CACHED = (*(domain.step for domain in CACHED_DOMAINS), "validate_pairs", "measure_base")
"""The cached steps, in the order of their fingerprints."""
_CALLED = {
    "validate_pairs": ("vision_zero.pair_sets.build", "vision_zero.validation.expectations"),
    "measure_base": ("vision_zero.evaluation.held_out", "vision_zero.policy.loading", "vision_zero.game.played_games"),
}
"""The modules that each cached step calls; those of domains call ``vision_zero.pair_sets.build``."""
_NAMES = (*(domain.name for domain in CACHED_DOMAINS), "validation", "base")
if TYPE_CHECKING:
    Fingerprints = tuple[str, ...]
else:
    Fingerprints = tuple[tuple(Annotated[str, f"{name}_fingerprint"] for name in _NAMES)]


@step(enable_cache=False)
def take_fingerprints(config: SelfPlayConfig) -> Fingerprints:
    """Take fingerprints of code and files for the cached steps. Cached results whose files are gone are invalidated."""
    from materializers.lost_results import forget_lost_results
    from vision_zero.fingerprints import digest
    from vision_zero.recipes.input_fingerprints import of_base, of_pairs

    active = config.pairs.active
    contents = {domain.step: of_pairs(domain.name, config.pairs) + domain.installed(config.pairs.of(domain)) for domain in active}
    contents["measure_base"] = of_base(config.policy)
    domains = {domain.step: [domain] for domain in CACHED_DOMAINS}
    prints = {
        name: digest(closure_fingerprint(*code_of(name, domains.get(name, active))), contents.get(name, "")) for name in CACHED
    }
    forgotten = forget_lost_results(CACHED)
    log_metadata({"fingerprints": prints, **({"made again": forgotten} if forgotten else {})})
    *others, base = prints.values()
    return *others, base  # two elements: ZenML reads the source of a step to tell several outputs from one


def code_of(name: str, domains: Iterable[Domain[Any]], root: Path = ROOT) -> tuple[dict[str, Path], set[str]]:
    """Everything that a cached step can run, as :func:`vision_zero.source_closure.closure` finds it: what it calls, all
    settings, and the code of the domains that it is asked for. The registry imports that of all, so its imports do not count."""
    modules = {*_CALLED.get(name, ("vision_zero.pair_sets.build",)), *(domain.module for domain in domains)}
    modules |= {domain.config.__module__ for domain in DOMAINS.values()}
    return closure(modules, root, ends=frozenset({"vision_zero.domains.registry"}))
