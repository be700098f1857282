"""A dry run of a recipe: what it would take of a GPU's memory, whether that is there, and which setting to turn if not.

The model is built without weights from its configuration alone (a folder, a hub id, or the configurations of the recipes' bases
that are shipped here); nothing is computed on it. How much is needed follows from the longest prompt of the recipe's game. Its
tokens are counted by the base's own processor, or estimated where that is not at hand.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import torch
from PIL import Image
from transformers import AutoConfig, AutoModelForImageTextToText

from vision_zero.config.learning import STAGES, LearningConfig
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config_base import validated
from vision_zero.errors import ConfigError, PolicyError, first_line
from vision_zero.game.prompts import Role, SpokenClue, clue_prompt, vote_prompt
from vision_zero.policy import memory_estimate, throughput_estimate
from vision_zero.policy.adapter_io import UNLOADABLE
from vision_zero.policy.base_models import base_path, estimated_tokens, shipped_config
from vision_zero.policy.chats import user_message
from vision_zero.policy.memory_estimate import GB, RESERVE, RESERVE_SHARE, Bytes, Shape, Work
from vision_zero.policy.processor import load_processor
from vision_zero.recipes.nano_limits import notes_on

Settings = dict[str, Any]
"""Values by path in the recipe's settings."""
OUT_OF_REACH = (
    "policy.base cannot be read from here: its shape is the one shipped with this project, and tokens are estimated from "
    "characters unless --prompt-tokens and --image-tokens give them"
)
_FEW_ROWS = 2
"""Rather checkpointing than fewer rows than these at once."""
_CLUE = "The small red cube stands left of the large blue cylinder, and two spheres lie behind them. "


class Lengths(NamedTuple):
    """Tokens of the longest prompt, and of the image in it."""

    prompt: int
    image: int


@dataclass(frozen=True)
class Plan:
    """What a recipe takes of each GPU.

    Attributes:
        base: the base's configuration.
        stored: bytes of a weight in the base's files.
        is_out_of_reach: neither the base nor the hub could be read; its shape is the one that is shipped here.
    """

    config: SelfPlayConfig
    base: Any
    shape: Shape
    lengths: Lengths
    stored: int
    is_out_of_reach: bool = False

    @property
    def work(self) -> Work:
        """The most that happens at once."""
        policy, learning = self.config.policy, self.config.learning
        reply = longest_reply(self.config)
        clue, decision = learning.of("clue"), learning.of("decision")
        share, votes = learning.most_games // learning.num_processes, decision.votes_per_prompt
        said = max((self.config.game.civilians + 1) * self.config.game.rounds, votes)
        voters = self.config.game.votes
        return Work(
            prompt=self.lengths.prompt,
            image=self.lengths.image,
            reply=reply,
            rows=max(1.0, learning.tokens_per_step / (self.lengths.prompt + reply)),
            batch=min(policy.sampling.batch_size, share * (voters - 1 + votes)),
            prompts=min(policy.sampling.batch_size, share * voters),
            replies=share * said,
            weight_bytes={"float32": 4, "bfloat16": 2, "auto": self.stored}[policy.dtype],
            is_mixed=learning.bf16,
            is_checkpointed=learning.gradient_checkpointing,
            has_reference=max(clue.kl, decision.kl) > 0,
            plays_merged=learning.merged_play,
            processes=learning.num_processes,
            is_sharded=learning.sharded,
            is_compiled=policy.compiled,
        )

    @property
    def passes(self) -> tuple[Work, ...]:
        """What is scored and trained at once: clues, each with a prompt of its own, and votes that share one."""
        learning, work = self.config.learning, self.work
        if not learning.shared_prefix:
            return (work,)
        group = min(learning.of("decision").votes_per_prompt, max(1.0, (learning.tokens_per_step - work.prompt) / work.reply))
        return (work, replace(work, rows=max(1.0, learning.tokens_per_step / (work.prompt / group + work.reply)), group=group))

    def parts(self) -> dict[str, Bytes]:
        """Bytes by what they are for: what stays, and what three kinds of work need beside it, one after the other."""
        return {
            "all the time": memory_estimate.static(self.shape, self.work),
            "playing": {} if self.config.policy.server else memory_estimate.playing(self.shape, self.work),
            "scoring by the base": _most(memory_estimate.reference, self) if self.work.has_reference else {},
            "training": _most(memory_estimate.update, self),
        }

    def peaks(self) -> dict[str, float]:
        """Bytes at the highest during each kind of work."""
        parts = self.parts()
        stays = sum(parts.pop("all the time").values())
        replies = parts.pop("playing")
        play = memory_estimate.playing_peak(replies) if replies else 0.0
        return {"playing": stays + play, **{name: stays + sum(part.values()) for name, part in parts.items()}}

    def room_beside(self, gigabytes: float) -> float:
        """Bytes that are free for somebody else on a GPU while this process neither scores nor trains."""
        return usable(gigabytes) - sum(self.parts()["all the time"].values())

    def games_per_hour(self) -> float:
        """On GPUs such as an H100; see :mod:`vision_zero.policy.throughput_estimate`."""
        return throughput_estimate.games_per_hour(self.shape, self.work, self.config)

    def fits(self, gigabytes: float) -> bool:
        """Is that within a GPU's memory, less what is reserved?"""
        return max(self.peaks().values()) <= usable(gigabytes)

    def turned(self, settings: Settings) -> Plan:
        """The same with other settings."""
        config = self.config
        for path, value in settings.items():
            config = _replaced(config, path.split("."), value)
        return replace(self, config=config)

    def advice(self, gigabytes: float) -> str:
        """One line: the settings that make it fit, or that none does."""
        for settings in _savings(self):
            if self.turned(settings).fits(gigabytes):
                needed = self._needed(settings, gigabytes)
                listed = ", ".join(f"{path}: {json.dumps(value)}" for path, value in needed.items())
                return f"set {listed}: then {max(self.turned(needed).peaks().values()) / GB:.1f} GB"
        smaller = "a smaller policy.base, or a GPU with more memory"
        if self.shape.is_full:
            ways = (
                "share the weights out among more GPUs (learning.sharded and --gpus), train an adapter (policy.adapter) instead"
            )
            return f"no setting makes it fit: {ways}, or take {smaller}"
        return f"no setting makes it fit: take {smaller}"

    def _needed(self, settings: Settings, gigabytes: float) -> Settings:
        """Those without which it would not fit."""
        for path in list(settings):
            fewer = {other: value for other, value in settings.items() if other != path}
            if self.turned(fewer).fits(gigabytes):
                settings = fewer
        return settings


def _most(needed: Callable[[Shape, Work], Bytes], plan: Plan) -> Bytes:
    """Of clues or of votes, whichever need more."""
    return max((needed(plan.shape, work) for work in plan.passes), key=lambda part: sum(part.values()))


def table(plan: Plan, gigabytes: float) -> list[str]:
    """The plan as lines of text."""
    config, work = plan.config, plan.work
    policy, learning = config.policy, config.learning
    what = f"an adapter of rank {plan.shape.rank}" if policy.adapter else "all weights"
    sides = {"language": "the language side", "vision": "the vision side", "both": "both sides"}[policy.train_on]
    lines = [
        f"{policy.base}: {plan.shape.parameters:,} parameters; {what} on {sides}, {plan.shape.trained:,} trained",
        f"prompts of up to {work.prompt:,} tokens, {work.image:,} of them an image, and replies of up to {work.reply:,}; "
        f"{learning.tokens_per_step:,} tokens a step, {work.batch} replies at once",
    ]
    if plan.is_out_of_reach:
        lines.insert(0, OUT_OF_REACH)
    peaks = plan.peaks()
    for name, part in plan.parts().items():
        total = f"{peaks[name] / GB:9.2f} GB at its highest" if name in peaks else ""
        lines.append(f"{name:<28}{total}")
        lines += [f"  {kind:<26}{size / GB:9.2f} GB" for kind, size in part.items() if size >= GB / 200]
        if name == "training":
            other = plan.turned({"learning.gradient_checkpointing": not learning.gradient_checkpointing}).parts()[name]
            how = "without" if learning.gradient_checkpointing else "with"
            lines.append(f"  ({how} checkpointing the activations would take {other['activations'] / GB:.2f} GB)")
    rate = plan.games_per_hour()
    minutes = 60 * sum(learning.of(stage).games_per_iteration for stage in STAGES) / len(STAGES) / rate
    lines.append(
        f"{rate:,.0f} games an hour on {throughput_estimate.H100.name}s, {minutes:.1f} minutes an iteration: "
        "arithmetic, not measured"
    )
    if policy.server is not None:
        room = plan.room_beside(gigabytes)
        size, precision = (4, "float32") if policy.adapter is None else (2, "half precision")
        lines.append(
            f"replies are a server's: on the same GPU it can have {max(0, room) / GB:.1f} GB while it is awake, of which its "
            f"weights take {size * plan.shape.parameters / GB:.1f} in {precision}"
        )
    number = learning.num_processes
    gpus = f"1 GPU of {gigabytes:g} GB" if number == 1 else f"each of {number} GPUs of {gigabytes:g} GB"
    verdict = "fits" if plan.fits(gigabytes) else "does not fit"
    counted = f"{usable(gigabytes) / GB:.1f} GB, the rest being reserved"
    lines.append(f"{max(peaks.values()) / GB:.1f} GB, estimated: {verdict} on {gpus} (into {counted})")
    lines += [f"note: {note}" for note in notes_on(config)]
    return lines if plan.fits(gigabytes) else [*lines, plan.advice(gigabytes)]


def usable(gigabytes: float) -> float:
    """Bytes of a GPU's memory that a plan may use."""
    return gigabytes * GB * (1 - RESERVE_SHARE) - RESERVE


def make_plan(config: SelfPlayConfig, *, prompt: int | None = None, image: int | None = None) -> Plan:
    """Build the recipe's model without weights and count the tokens of its longest prompt.

    Args:
        prompt: tokens of a whole prompt, with its image; None: counted by the base's processor.
        image: tokens of its image; None: counted likewise.

    Raises:
        PolicyError: the base has no configuration, or no processor to count tokens with.
    """
    policy = config.policy
    try:
        shape_of, model = _built(policy, base_path(policy.base))
        shipped = None
    except UNLOADABLE as error:
        shipped = shipped_config(policy.base)
        if shipped is None:
            raise PolicyError(
                f"policy.base {policy.base!r} shows no configuration: {first_line(error)} "
                "(give a local folder with a config.json, or a hub id that this machine can reach)"
            ) from error
        shape_of, model = _built(policy.model_copy(update={"revision": None}), str(shipped))
    stored = 4 if str(shape_of.dtype or "float32").removeprefix("torch.") == "float32" else 2
    if prompt is not None:
        if image is None or image >= prompt:
            raise ConfigError("give --image-tokens with --prompt-tokens: how many of the prompt's tokens are its image's")
        lengths = Lengths(prompt, image)
    else:
        lengths = _counted(config, model) if shipped is None else _estimated(config, shape_of)
    return Plan(config, shape_of, Shape.of(model, policy), lengths, stored, is_out_of_reach=shipped is not None)


def _built(policy: PolicyConfig, source: str) -> tuple[Any, Any]:
    """A base's configuration, and the model of that shape without weights."""
    shape_of = AutoConfig.from_pretrained(source, **policy.source)
    with torch.device("meta"):
        return shape_of, AutoModelForImageTextToText.from_config(shape_of, trust_remote_code=policy.trust_remote_code)


def on_gpus(config: SelfPlayConfig, number: int) -> SelfPlayConfig:
    """The recipe with that many processes, a GPU each.

    Raises:
        ConfigError: its games cannot be shared equally by them.
    """
    learning = validated(LearningConfig, {**config.learning.model_dump(), "num_processes": number})
    return config.model_copy(update={"learning": learning})


def longest_prompts(config: SelfPlayConfig) -> list[str]:
    """A clue's and a vote's with everything in it that can be: clues and thoughts as long as the rules allow."""
    game = config.game
    seats, rounds = range(1, game.civilians + 2), range(1, game.rounds + 1)
    spoken = [SpokenClue(round_, seat, _text(game.max_clue_characters)) for round_ in rounds for seat in seats]
    thoughts = _text(game.max_reasoning_characters) if game.remember_reasoning else ""
    role: Role = "judge" if game.voters == "judge" else "civilian"
    return [
        clue_prompt(game, seats[-1], "civilian", spoken[:-1], thoughts, round_=rounds[-1]),
        vote_prompt(game, seats[-1], role, spoken, thoughts, config.rewards),
    ]


def longest_reply(config: SelfPlayConfig) -> int:
    """Its tokens at most."""
    return max(config.policy.sampling.max_clue_tokens, config.policy.sampling.max_vote_tokens)


def image_sizes(config: SelfPlayConfig) -> list[tuple[int, int]]:
    """Of the recipe's domains; imported images have the sizes that they come in, unless they are resized.

    Raises:
        ConfigError: no size is known.
    """
    found = []
    for domain, weight in config.pairs.mix.items():
        settings = getattr(config.pairs, domain)
        if weight and settings is not None and settings.width and settings.height:
            found.append((settings.width, settings.height))
    if not found:
        raise ConfigError("pairs.mix names no domain whose images have a size: give --prompt-tokens and --image-tokens")
    return found


def _text(characters: int) -> str:
    return (_CLUE * (characters // len(_CLUE) + 1))[:characters]


def _counted(config: SelfPlayConfig, model: Any) -> Lengths:
    sizes = image_sizes(config)
    try:
        processor = load_processor(base_path(config.policy.base), config.policy.pictures, **config.policy.source)
    except UNLOADABLE as error:
        raise PolicyError(
            f"policy.base {config.policy.base!r} has no processor to count tokens with ({first_line(error)}): "
            "give --prompt-tokens and --image-tokens"
        ) from error
    padded = {"processor_kwargs": {"padding": True, "return_tensors": "pt"}}
    counted = []
    for size in sizes:
        asked = [user_message(text, Image.new("RGB", size)) for text in longest_prompts(config)]
        made = processor.apply_chat_template(asked, add_generation_prompt=True, tokenize=True, return_dict=True, **padded)
        tokens = int(made["attention_mask"].sum(1).max())
        counted.append(Lengths(tokens, int((made["input_ids"][0] == model.config.image_token_id).sum())))
    return max(counted)


def _estimated(config: SelfPlayConfig, shape_of: Any) -> Lengths:
    """Without a processor: by the characters of the prompt and the size of the image."""
    longest = max(map(len, longest_prompts(config)))
    return max(Lengths(*estimated_tokens(shape_of, longest, size)) for size in image_sizes(config))


def _savings(plan: Plan) -> Iterator[Settings]:
    """Settings that save memory, the cheapest first; each time those before are turned, too."""
    policy, learning = plan.config.policy, plan.config.learning
    settings: Settings = {}
    checkpointing = {} if learning.gradient_checkpointing else {"learning.gradient_checkpointing": True}
    row = plan.lengths.prompt + longest_reply(plan.config)
    tokens, batch = learning.tokens_per_step, policy.sampling.batch_size
    while tokens > row or batch > 1:
        if tokens > row:
            tokens //= 2
            settings = {**settings, "learning.tokens_per_step": tokens}
            yield settings
        if batch > 1:
            batch //= 2
            settings = {**settings, "policy.sampling.batch_size": batch}
            yield settings
        if tokens <= _FEW_ROWS * row and not checkpointing.keys() <= settings.keys():
            settings = {**settings, **checkpointing}
            yield settings
    for path, value, has_it in (
        ("learning.gradient_checkpointing", True, learning.gradient_checkpointing),
        ("learning.merged_play", False, not learning.merged_play),
        ("learning.bf16", True, learning.bf16),
        ("policy.dtype", "bfloat16", policy.adapter is None or policy.dtype == "bfloat16"),
        ("learning.sharded", True, policy.adapter is not None or learning.num_processes == 1 or learning.sharded),
    ):
        if not has_it and path not in settings:
            settings = {**settings, path: value}
            yield settings


def _replaced(config: Any, path: list[str], value: Any) -> Any:
    """A configuration with another value at a path."""
    name, *rest = path
    return config.model_copy(update={name: _replaced(getattr(config, name), rest, value) if rest else value})
