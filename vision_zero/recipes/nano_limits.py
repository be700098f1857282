"""Warnings about recipes whose data the embedded policy was not trained on, before any work is wasted.

The embedded policy knows only its own scenes, and compact charts in questions. It plays with any images, but nearly all of its
votes on photos, for example, are unreadable.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from vision_zero.config.nano_defaults import NANO_DOMAIN, NANO_SCENES
from vision_zero.config.policy import NANO
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suite_registry import SUITES
from vision_zero.config.suites import EvaluateConfig
from vision_zero.domains.registry import domain_of
from vision_zero.domains.scenes.config import ScenesConfig
from vision_zero.domains.scenes.domain import DOMAIN as SCENES
from vision_zero.policy.base_models import nano_folder

Size = tuple[int, int]
_OWN: Size = (NANO_SCENES.width, NANO_SCENES.height)
_OBJECTS = f"{NANO_SCENES.min_objects} to {NANO_SCENES.max_objects} objects"
_KNOWN = f"nano knows only its own scenes ({_OWN[0]}x{_OWN[1]} pixels, {_OBJECTS}), and compact charts in questions"
_FRAME = ("extent", "zoom")
"""Settings of scenes that determine the size of objects in the image."""


def is_nano(base: str) -> bool:
    """Whether a base is the embedded policy, by name or folder."""
    return base == NANO or (Path(base).is_dir() and Path(base).resolve() == nano_folder().resolve())


def notes_on(config: object) -> tuple[str, ...]:
    """Data in a configuration that the embedded policy was not trained on: sentences without a full stop, or none."""
    if isinstance(config, SelfPlayConfig):
        return _on_recipe(config)
    if isinstance(config, EvaluateConfig):
        return _on_evaluation(config)
    return ()


def notes_on_pairs(base: str, images: Mapping[str, Collection[Size]]) -> tuple[str, ...]:
    """The same for existing pairs, from the image sizes by domain."""
    strange = _strange(images)
    return (_note(strange),) if strange and is_nano(base) else ()


def _on_recipe(config: SelfPlayConfig) -> tuple[str, ...]:
    if not is_nano(config.policy.base):
        return ()
    shown: dict[str, list[Size]] = {}
    for name in config.pairs.mix:
        domain = domain_of(name)
        if domain in config.pairs.active:
            width, height = (getattr(config.pairs.of(domain), side, None) for side in ("width", "height"))
            shown[name] = [(width, height)] if width and height else []
    strange = _strange(shown)
    if NANO_DOMAIN in shown:
        strange += _strange_scenes(config.pairs.of(SCENES))
    if config.game.prompt != "compact":
        strange.append(f"prompts in the {config.game.prompt} wording (game.prompt: compact is what it reads)")
    return (_note(strange),) if strange else ()


def _on_evaluation(config: EvaluateConfig) -> tuple[str, ...]:
    asked = [
        who for who in (config.policy, config.compared_with) if who is not None and who.endpoint is None and is_nano(who.base)
    ]
    strange = [
        f"{suite.name} in full size" if SUITES[suite.name].has_look else suite.name
        for suite in config.suites
        if suite.look != "compact" or not SUITES[suite.name].has_look
    ]
    return (_note(strange),) if asked and strange else ()


def _strange(images: Mapping[str, Collection[Size]]) -> list[str]:
    found = [domain_of(name).things for name in images if name != NANO_DOMAIN]
    found += [f"{NANO_DOMAIN} of {width}x{height} pixels" for width, height in sorted(set(images.get(NANO_DOMAIN, ())) - {_OWN})]
    return found


def _strange_scenes(scenes: ScenesConfig) -> list[str]:
    found = []
    if scenes.max_objects > NANO_SCENES.max_objects:
        found.append(f"scenes of up to {scenes.max_objects} objects")
    if any(getattr(scenes, name) != getattr(NANO_SCENES, name) for name in _FRAME):
        own = ", ".join(f"{name} {getattr(NANO_SCENES, name):g}" for name in _FRAME)
        found.append(f"scenes framed otherwise (its own: {own})")
    return found


def _note(strange: Collection[str]) -> str:
    return (
        f"{_KNOWN}; here it is shown {', '.join(strange)}: many of its replies will be unreadable or guesses; "
        "take another policy.base, or the images of configs/self_play/nano.yaml"
    )
