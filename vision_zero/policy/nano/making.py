"""From pictures to the shipped folder: tokenizer, random weights, teaching, examination, export."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from vision_zero.config.nano import NANO_SAMPLING
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.policy.folder import CARD
from vision_zero.policy.nano.architecture import build_model, build_processor
from vision_zero.policy.nano.marks import Exam
from vision_zero.policy.nano.school import School
from vision_zero.policy.nano.teaching import teach
from vision_zero.policy.nano.tokenizer import train_tokenizer
from vision_zero.randomness import Seed
from vision_zero.templates import text_template
from vision_zero.whole import whole_folder

Tell = Callable[[str], None]
WEIGHTS = "model.safetensors"

COMMON_WORDS = (
    "the of and to in is you that it he was for on are as with his they I at be this have from or one had by word but not what "
    "all were we when your can said there use an each which she do how their if will up other about out many then them these so "
    "some her would make like him into time has look two more write go see number no way could people my than first water been "
    "call who its now find long down day did get come made may part chart bar line value highest lowest answer question choose "
    "letter option following according picture image based shown year percent total between difference"
)
"""Common English words, so that questions of other benchmarks do not fall to single bytes."""


def make_policy(config: WarmStartConfig, pictures: Path, folder: Path, tell: Tell) -> Path:
    """Teach a policy from nothing, or go on where an interrupted teaching stopped.

    Returns:
        The folder of the taught policy, in float32.
    """
    folder.mkdir(parents=True, exist_ok=True)
    school = School(config, pictures)
    words = [" " + word for word in COMMON_WORDS.split()]
    tokenizer = train_tokenizer([*school.texts(config.tokenizer_lessons), *words * 20])
    processor = build_processor(tokenizer)
    model = build_model(tokenizer, Seed(config.seed).child("weights").integer() % 2**31)
    teach(config, school, model, processor, folder, tell)
    taught = folder / "taught"
    model.save_pretrained(taught)
    processor.save_pretrained(taught)
    return taught


def export(taught: Path, target: Path, config: WarmStartConfig, exam: Exam) -> None:
    """Write the folder that ships: weights in half precision, tokenizer, processor and card.

    The exam should be of a policy loaded from half precision too: :func:`halved` makes one.
    """
    with whole_folder(target) as fresh:
        halved(taught, fresh)
        (fresh / CARD).write_text(nano_card(config, exam), encoding="utf-8")


def halved(taught: Path, target: Path) -> Path:
    """A copy of a policy folder with weights in half precision; it loads as float32 unless asked otherwise."""
    shutil.copytree(taught, target, dirs_exist_ok=True)
    weights = load_file(taught / WEIGHTS)
    save_file({name: tensor.to(torch.float16) for name, tensor in weights.items()}, target / WEIGHTS, metadata={"format": "pt"})
    return target


def nano_card(config: WarmStartConfig, exam: Exam) -> str:
    """The card of the embedded policy, in Markdown."""
    temperature = f"{NANO_SAMPLING.temperature:g}"
    return text_template("vision_zero.policy", "nano_card.md.j2").render(config=config, exam=exam, temperature=temperature)
