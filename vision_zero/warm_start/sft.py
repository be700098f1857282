"""SFT of the warm start with transformers' Trainer.

An image is encoded once for all its examples: the vision encoder costs about as much as eighty tokens, an example has about
forty.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerFast, PrinterCallback, ProgressCallback, Trainer, TrainerCallback, TrainingArguments
from transformers.modeling_outputs import BaseModelOutputWithPooling
from transformers.utils.logging import disable_progress_bar

from vision_zero.config.warm_start import FineTuning, WarmStartConfig
from vision_zero.policy.transformers_adapter import StrictLoading
from vision_zero.randomness import Seed
from vision_zero.warm_start import tokenizer as tokens
from vision_zero.warm_start.curriculum import Curriculum, ImageExamples
from vision_zero.warm_start.examples.example import Example

disable_progress_bar()

IGNORED = -100
WORDS = 1600
"""Tokens of a micro-batch, including padding; a step's examples of similar length are batched."""


Row = tuple[int, str, list[int], list[int]]
"""A tokenised example: index of its image in the step, topic, token ids, and the mask of trained tokens."""


class ExampleDataset(Dataset[ImageExamples]):
    """Images with examples in the order of a schedule's steps, made on access."""

    def __init__(self, curriculum: Curriculum, fine_tuning: FineTuning, pictures_per_step: int) -> None:
        self.curriculum, self.fine_tuning, self.images = curriculum, fine_tuning, pictures_per_step

    def __len__(self) -> int:
        return self.fine_tuning.steps * self.images

    def __getitem__(self, index: int) -> ImageExamples:
        return self.curriculum.images_with_examples(self.fine_tuning.first_step + index // self.images, index % self.images)


class Collator:
    """Collates a step: pixel values of its images, and its examples in micro-batches of similar length with their image
    indices."""

    def __init__(self, processor: Any) -> None:
        self.processor = processor
        self.tokenizer: PreTrainedTokenizerFast = processor.tokenizer
        self.image = self.tokenizer.convert_tokens_to_ids(tokens.IMAGE)

    def __call__(self, images: Sequence[ImageExamples]) -> dict[str, Any]:
        inputs = self.processor.image_processor(images=[each.image for each in images], return_tensors="pt")
        merge = self.processor.image_processor.merge_size**2
        image_tokens = [int(grid.prod()) // merge for grid in inputs["image_grid_thw"]]
        rows = [
            (place, example.topic, *self._row(example, image_tokens[place]))
            for place, each in enumerate(images)
            for example in each.examples
        ]
        rows.sort(key=lambda row: len(row[2]))
        parts = [self._part(part) for part in _parts(rows)]
        return {"pixel_values": inputs["pixel_values"], "grid": inputs["image_grid_thw"], "parts": parts}

    def _part(self, rows: Sequence[Row]) -> dict[str, Any]:
        width = max(len(ids) for *_, ids, _ in rows)
        pad = self.tokenizer.pad_token_id
        input_ids = torch.tensor([ids + [pad] * (width - len(ids)) for *_, ids, _ in rows])
        return {
            "places": torch.tensor([place for place, *_ in rows]),
            "topics": [topic for _, topic, *_ in rows],
            "input_ids": input_ids,
            "attention_mask": torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for *_, ids, _ in rows]),
            "mm_token_type_ids": (input_ids == self.image).long(),
            "labels": torch.tensor([labels + [IGNORED] * (width - len(labels)) for *_, labels in rows]),
        }

    def _row(self, example: Example, image_tokens: int) -> tuple[list[int], list[int]]:
        """Token ids, and the mask of trained tokens: the answer with its end token."""
        user = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": example.prompt}]}]
        text = self.processor.apply_chat_template(user, add_generation_prompt=True)
        text = text.replace(tokens.IMAGE, tokens.IMAGE * image_tokens)
        prompt = self.tokenizer(text, add_special_tokens=False).input_ids
        answer = [*self.tokenizer(example.answer, add_special_tokens=False).input_ids, self.tokenizer.eos_token_id]
        return prompt + answer, [IGNORED] * len(prompt) + answer


def _parts(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows sorted by length, split into micro-batches of at most ``WORDS`` tokens."""
    part: list[Row] = []
    for row in rows:
        if part and (len(part) + 1) * len(row[2]) > WORDS:
            yield part
            part = []
        part.append(row)
    yield part


Counting = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, Sequence[str]], None]
"""Callback with a micro-batch's logits, labels, mask of trained tokens, and topics."""


def examples_loss(model: Any, inputs: dict[str, Any], count: Counting | None = None) -> torch.Tensor:
    """Mean cross-entropy, in nats, over the trained tokens of a step; every image is encoded once.

    Args:
        model: the model without peft's wrapper; its layers may have adapters.
        inputs: output of :class:`Collator`, on the model's device.
    """
    per_image = model.model.get_image_features(inputs["pixel_values"], inputs["grid"]).pooler_output
    words = sum(int((part["labels"] != IGNORED).sum()) for part in inputs["parts"])
    losses = [_part_loss(model, part, per_image, inputs["grid"], count) for part in inputs["parts"]]
    return torch.stack(losses).sum() / words


def _part_loss(
    model: Any, part: dict[str, Any], per_image: Sequence[torch.Tensor], grid: torch.Tensor, count: Counting | None
) -> torch.Tensor:
    """Summed cross-entropy, in nats, over the trained tokens."""
    places = part["places"]
    features = tuple(per_image[place] for place in places.tolist())
    hidden = model.model(
        input_ids=part["input_ids"],
        attention_mask=part["attention_mask"],
        mm_token_type_ids=part["mm_token_type_ids"],
        image_grid_thw=grid[places],
        mm_encoder_outputs={"image": BaseModelOutputWithPooling(pooler_output=features)},
        use_cache=False,
    ).last_hidden_state
    labels = part["labels"][:, 1:]
    is_answer = labels != IGNORED
    # Logits of trained tokens only: most of an example is its prompt.
    logits = model.lm_head(hidden[:, :-1][is_answer])
    if count is not None:
        count(logits, labels, is_answer, part["topics"])
    return torch.nn.functional.cross_entropy(logits, labels[is_answer], reduction="sum")


class SftTrainer(StrictLoading, Trainer):
    """Trainer whose batches share the encoding of an image; it logs token accuracy by topic and of verdicts."""

    def __init__(self, tokenizer: PreTrainedTokenizerFast, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.verdicts = {word: tokenizer.convert_tokens_to_ids(tokenizer.tokenize(f" {word}"))[0] for word in ("yes", "no")}
        self.right: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def load_weights(self, folder: Path) -> None:
        # Saved parameter names differ from module names here; Trainer would warn and continue with random weights.
        self.model.load_state_dict(type(self.model).from_pretrained(folder).state_dict())

    def compute_loss(self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, **kwargs: Any) -> Any:
        return examples_loss(model, inputs, self._count)

    def _count(self, logits: torch.Tensor, labels: torch.Tensor, is_answer: torch.Tensor, topics: Sequence[str]) -> None:
        expected = labels[is_answer]
        is_right = logits.detach().argmax(-1) == expected
        row = torch.arange(len(topics), device=labels.device).unsqueeze(1).expand_as(is_answer)[is_answer]
        groups = {topic: [number for number, name in enumerate(topics) if name == topic] for topic in set(topics)}
        found = {topic: torch.isin(row, torch.tensor(numbers, device=row.device)) for topic, numbers in groups.items()}
        found |= {f"“{word}”": expected == token for word, token in self.verdicts.items()}
        for name, own in found.items():
            self.right[name][0] += int(is_right[own].sum())
            self.right[name][1] += int(own.sum())

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        counted = {f"right/{topic}": right / total for topic, (right, total) in sorted(self.right.items()) if total}
        self.right.clear()
        super().log({**logs, **counted}, start_time)


class Progress(TrainerCallback):
    """Logs one line: step, minutes left, token accuracy by topic; also as JSON lines."""

    def __init__(self, path: Path, tell: Any) -> None:
        self.path, self.tell = path, tell

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **kwargs: Any) -> None:
        if "loss" not in logs:
            return
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
        shares = ", ".join(f"{name[6:]} {100 * share:.1f}" for name, share in logs.items() if name.startswith("right/"))
        self.tell(f"step {state.global_step} of {state.max_steps}, loss {logs['loss']:.3f}; token accuracy in %: {shares}")


def fine_tune(
    config: WarmStartConfig,
    fine_tuning: FineTuning,
    curriculum: Curriculum,
    model: Any,
    processor: Any,
    folder: Path,
    tell: Any,
) -> None:
    """Train the phases of one schedule, resuming from the last complete checkpoint in ``folder`` if there is one."""
    if config.compile:
        # Compiled in place, so that saved parameters keep their names. With images of several sizes the vision encoder would be
        # compiled again for every mix of them.
        if not any("two scenes" in phase.shown for phase in fine_tuning.phases):
            model.model.visual.compile()
        model.model.language_model.compile(dynamic=True)
    arguments = TrainingArguments(
        output_dir=str(folder),
        max_steps=fine_tuning.steps,
        per_device_train_batch_size=config.pictures_per_step,
        learning_rate=fine_tuning.learning_rate,
        weight_decay=config.weight_decay,
        adam_beta2=0.98,
        max_grad_norm=1.0,
        logging_steps=100,
        save_steps=config.checkpoint_every,
        save_total_limit=2,
        remove_unused_columns=False,
        train_sampling_strategy="sequential",  # the index of an example determines its step
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=False,
        dataloader_num_workers=0,
        seed=Seed(config.seed).child("teacher").integer() % 2**31,
    )
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=fine_tuning.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: learning_rate_share(step / fine_tuning.steps, config.warmup, fine_tuning.steady)
    )
    trainer = SftTrainer(
        processor.tokenizer,
        model=model,
        args=arguments,
        train_dataset=ExampleDataset(curriculum, fine_tuning, config.pictures_per_step),
        data_collator=Collator(processor),
        optimizers=(optimizer, schedule),
        callbacks=[Progress(folder / "progress.jsonl", tell)],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    # The Trainer writes its state last: a checkpoint without it was being written when the warm start was interrupted.
    complete = [state.parent for state in folder.glob("checkpoint-*/trainer_state.json")]
    last = max(complete, key=lambda checkpoint: int(checkpoint.name.removeprefix("checkpoint-")), default=None)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))


def learning_rate_share(done: float, warmup: float, steady: float) -> float:
    """Learning rate as a share of its peak after a share of the steps: warm-up, constant, cosine down to 2 %."""
    if done < warmup:
        return done / warmup
    if done < steady:
        return 1.0
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (done - steady) / (1 - steady)))
