"""What a recipe shows the embedded policy that it was not raised on, said before any work is done for nothing.

The embedded policy is small: it knows its own scenes, and compact charts in questions. It plays with anything that it is given,
and nearly all of its votes on photos, say, cannot be read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from vision_zero.config.nano_defaults import NANO_SCENES
from vision_zero.config.pairs import ScenesConfig
from vision_zero.config.policy import NANO
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.suites import AnswererConfig, EvaluateConfig
from vision_zero.policy.base_models import nano_folder

Size = tuple[int, int]
_OWN: Size = (NANO_SCENES.width, NANO_SCENES.height)
_OBJECTS = f"{NANO_SCENES.min_objects} to {NANO_SCENES.max_objects} objects"
_KNOWN = f"nano knows only its own scenes ({_OWN[0]}x{_OWN[1]} pixels, {_OBJECTS}), and compact charts in questions"
_CALLED = {"imported": "imported pairs", "pictures": "single pictures"}
_FRAME = ("extent", "zoom")
"""Settings of scenes that decide how large objects are shown."""


def is_nano(base: str) -> bool:
    """Is it the embedded policy, by its name or by its folder?"""
    return base == NANO or (Path(base).is_dir() and Path(base).resolve() == nano_folder().resolve())


def notes_on(config: object) -> tuple[str, ...]:
    """What a configuration asks of the embedded policy that it cannot do, in sentences without a stop; none where all is well."""
    if isinstance(config, SelfPlayConfig):
        return _on_recipe(config)
    if isinstance(config, EvaluateConfig):
        return _on_evaluation(config)
    return ()


def notes_on_pairs(base: str, pictures: Mapping[str, Collection[Size]]) -> tuple[str, ...]:
    """The same of pairs that are there: the sizes of their pictures by domain."""
    strange = _strange(pictures)
    return (_note(strange),) if strange and is_nano(base) else ()


def _on_recipe(config: SelfPlayConfig) -> tuple[str, ...]:
    if not is_nano(config.policy.base):
        return ()
    shown: dict[str, list[Size]] = {}
    for domain, weight in config.pairs.mix.items():
        settings = getattr(config.pairs, domain)
        if weight:
            width, height = (getattr(settings, side, None) for side in ("width", "height"))
            shown[domain] = [(width, height)] if width and height else []
    strange = _strange(shown)
    if config.pairs.mix.get("scenes"):
        strange += _strange_scenes(config.pairs.scenes)
    if config.game.prompt != "compact":
        strange.append(f"prompts in the {config.game.prompt} wording (game.prompt: compact is what it reads)")
    return (_note(strange),) if strange else ()


def _on_evaluation(config: EvaluateConfig) -> tuple[str, ...]:
    asked = [who for who in (config.policy, config.compared_with) if who is not None and _is_nano(who)]
    strange = [
        f"{suite.name} in full size" if suite.name not in ("chartqa", "mathvista") else suite.name
        for suite in config.suites
        if suite.look != "compact" or suite.name in ("chartqa", "mathvista")
    ]
    return (_note(strange),) if asked and strange else ()


def _is_nano(who: AnswererConfig) -> bool:
    return who.endpoint is None and is_nano(who.base)


def _strange(pictures: Mapping[str, Collection[Size]]) -> list[str]:
    found = [_CALLED.get(domain, domain) for domain in pictures if domain != "scenes"]
    found += [f"scenes of {width}x{height} pixels" for width, height in sorted(set(pictures.get("scenes", ())) - {_OWN})]
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
        "take another policy.base, or the pictures of configs/self_play/nano.yaml"
    )
