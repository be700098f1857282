"""The warm start's training: supervised learning of lessons with transformers' Trainer.

A picture is encoded once for all its lessons: the vision side costs about as much as eighty words, a lesson about forty.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset, SequentialSampler
from transformers import PreTrainedTokenizerFast, PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.modeling_outputs import BaseModelOutputWithPooling

from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.policy.nano import tokenizer as tokens
from vision_zero.policy.nano.lessons.lesson import Lesson
from vision_zero.policy.nano.school import School, TaughtPicture
from vision_zero.policy.processor import PictureProcessor
from vision_zero.randomness import Seed

IGNORED = -100


class LessonDataset(Dataset[TaughtPicture]):
    """Pictures with lessons in the order of the steps; each is made when it is asked for."""

    def __init__(self, school: School, steps: int, pictures_per_step: int) -> None:
        self.school, self.steps, self.pictures = school, steps, pictures_per_step

    def __len__(self) -> int:
        return self.steps * self.pictures

    def __getitem__(self, index: int) -> TaughtPicture:
        return self.school.taught(index // self.pictures, index % self.pictures)


class Desk:
    """Puts the lessons of a step on one table: pixels of each picture, token ids of each lesson, and which belong together."""

    def __init__(self, processor: PictureProcessor) -> None:
        self.processor = processor
        self.tokenizer: PreTrainedTokenizerFast = processor.tokenizer
        self.image = self.tokenizer.convert_tokens_to_ids(tokens.IMAGE)

    def __call__(self, taught: Sequence[TaughtPicture]) -> dict[str, Any]:
        pictures = self.processor.image_processor(images=[picture.image for picture in taught], return_tensors="pt")
        places = [place for place, picture in enumerate(taught) for _ in picture.lessons]
        lessons = [lesson for picture in taught for lesson in picture.lessons]
        merge = self.processor.image_processor.merge_size**2
        rows = [
            self._row(lesson, int(pictures["image_grid_thw"][place].prod()) // merge)
            for lesson, place in zip(lessons, places, strict=True)
        ]
        width = max(len(ids) for ids, _ in rows)
        pad = self.tokenizer.pad_token_id
        input_ids = torch.tensor([ids + [pad] * (width - len(ids)) for ids, _ in rows])
        return {
            "pixel_values": pictures["pixel_values"],
            "grid": pictures["image_grid_thw"],
            "places": torch.tensor(places),
            "input_ids": input_ids,
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids, _ in rows]),
            "mm_token_type_ids": (input_ids == self.image).long(),
            "labels": torch.tensor([labels + [IGNORED] * (width - len(labels)) for _, labels in rows]),
            "topics": [lesson.topic for lesson in lessons],
        }

    def _row(self, lesson: Lesson, image_tokens: int) -> tuple[list[int], list[int]]:
        """Token ids, and what of them is to be learned: the answer and its end."""
        user = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": lesson.prompt}]}]
        text = self.processor.apply_chat_template(user, add_generation_prompt=True)
        text = text.replace(tokens.IMAGE, tokens.IMAGE * image_tokens)
        prompt = self.tokenizer(text, add_special_tokens=False).input_ids
        answer = [*self.tokenizer(lesson.answer, add_special_tokens=False).input_ids, self.tokenizer.eos_token_id]
        return prompt + answer, [IGNORED] * len(prompt) + answer


class Teacher(Trainer):
    """Trainer whose batches share the encoding of a picture, and which counts right tokens by topic."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.right: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def _get_train_sampler(self, *args: Any, **kwargs: Any) -> SequentialSampler:
        # A lesson's place says which step it belongs to.
        return SequentialSampler(self.train_dataset)

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any) -> Any:
        body = model.model
        features = body.visual(inputs["pixel_values"], grid_thw=inputs["grid"]).pooler_output
        per_picture = features.reshape(len(inputs["grid"]), -1, features.shape[-1])
        places = inputs["places"]
        hidden = body(
            input_ids=inputs["input_ids"],
            attention_mask=inputs["attention_mask"],
            mm_token_type_ids=inputs["mm_token_type_ids"],
            image_grid_thw=inputs["grid"][places],
            mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=tuple(per_picture[places]))},
            use_cache=False,
        ).last_hidden_state
        labels = inputs["labels"][:, 1:]
        taught = labels != IGNORED
        # Logits only where something is to be learned: most of a lesson is its prompt.
        logits = model.lm_head(hidden[:, :-1][taught])
        self._count(logits, labels, taught, inputs["topics"])
        return torch.nn.functional.cross_entropy(logits, labels[taught])

    def _count(self, logits: torch.Tensor, labels: torch.Tensor, taught: torch.Tensor, topics: Sequence[str]) -> None:
        is_right = logits.detach().argmax(-1) == labels[taught]
        rows = torch.arange(len(topics)).unsqueeze(1).expand_as(taught)[taught]
        for row, topic in enumerate(topics):
            own = is_right[rows == row]
            self.right[topic][0] += int(own.sum())
            self.right[topic][1] += own.numel()

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        counted = {f"right/{topic}": right / total for topic, (right, total) in sorted(self.right.items()) if total}
        self.right.clear()
        super().log({**logs, **counted}, start_time)


class Progress(TrainerCallback):
    """One line a log: step, minutes left, share of right tokens by topic; and the same as JSON lines."""

    def __init__(self, path: Path, tell: Any) -> None:
        self.path, self.tell = path, tell

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        if "loss" not in logs:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
        shares = ", ".join(f"{name[6:]} {100 * share:.1f}" for name, share in logs.items() if name.startswith("right/"))
        self.tell(f"step {state.global_step} of {state.max_steps}, loss {logs['loss']:.3f}; right words in %: {shares}")


def teach(config: WarmStartConfig, school: School, model: Any, processor: PictureProcessor, folder: Path, tell: Any) -> None:
    """Teach all phases; goes on from the last checkpoint in ``folder`` if there is one."""
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=config.steps,
        per_device_train_batch_size=config.pictures_per_step,
        learning_rate=config.learning_rate,
        weight_decay=config.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        logging_steps=100,
        save_steps=config.checkpoint_every,
        save_total_limit=2,
        remove_unused_columns=False,
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        dataloader_num_workers=0,
        seed=Seed(config.seed).child("teacher").integer() % 2**31,
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: learning_rate_share(step, config))
    teacher = Teacher(
        model=model,
        args=arguments,
        train_dataset=LessonDataset(school, config.steps, config.pictures_per_step),
        data_collator=Desk(processor),
        optimizers=(optimizer, schedule),
        callbacks=[Progress(folder / "progress.jsonl", tell)],
    )
    teacher.remove_callback(PrinterCallback)
    teacher.remove_callback(ProgressCallback)
    teacher.train(resume_from_checkpoint=any(folder.glob("checkpoint-*")) or None)


def learning_rate_share(step: int, config: WarmStartConfig) -> float:
    """Share of the peak learning rate at a step: a rise, a level stretch, a cosine down to 2 %."""
    done = step / config.steps
    if done < config.warmup:
        return done / config.warmup
    if done < config.steady:
        return 1.0
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (done - config.steady) / (1 - config.steady)))
