"""What both stages share: TRL's GRPOTrainer with this project's settings, randomness and stopping rule.

Both stages and all runs share one learning-rate schedule, one iteration count and, unless ``optimizer: per_stage``, one optimiser
state: an iteration is one optimiser step, so TRL's global step is the iteration number. All TRL defaults that differ from the
paper are set here.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PrinterCallback, ProgressCallback, TrainerCallback, TrainerControl, TrainerState
from trl import GRPOConfig

from vision_zero.config.learning import LearningConfig, Stage
from vision_zero.config.policy import AdapterConfig, PolicyConfig, SamplingParams
from vision_zero.errors import PolicyError, TrainingError
from vision_zero.policy.adapter_io import merged, merges_exactly, set_adapter, set_whole
from vision_zero.policy.card import policy_card
from vision_zero.policy.decoding import Decoder
from vision_zero.policy.folder import CARD, PolicyFolder
from vision_zero.policy.policy import Messages, Policy, seeded, unpadded
from vision_zero.policy.prefill import distinct
from vision_zero.policy.processor_check import check_processor
from vision_zero.policy.provenance import Provenance
from vision_zero.policy.trainable import adapted_layers, freeze
from vision_zero.policy.vllm import VllmModel
from vision_zero.policy.vllm_server import let_sleep
from vision_zero.training.checkpoint import load_optimizer, save_optimizer
from vision_zero.training.job import StageJob
from vision_zero.training.log_probs import LogProbTrainer
from vision_zero.training.microbatches import PROMPT, SHARE, microbatches, sizes, weigh
from vision_zero.training.out_of_memory import Part, out_of_memory_named
from vision_zero.training.progress import Progress
from vision_zero.training.sharding import GatheredCopy, fsdp_arguments

# The embedded policy has a name instead of a folder; its vocabulary never changes.
warnings.filterwarnings("ignore", message="Could not find a config file in nano", category=UserWarning)
# TRL says that it ignores what it then loads the reference by.
logging.getLogger("trl.trainer.grpo_trainer").addFilter(
    lambda record: "`model_init_kwargs` will be ignored" not in record.getMessage()
)
# The stages go on from each other's checkpoints, and an iteration of one has more replies than one of the other.
logging.getLogger("transformers.trainer_utils").addFilter(lambda record: "per_device_train_batch_size" not in record.getMessage())


def lora_config(config: AdapterConfig, layers: list[str]) -> LoraConfig:
    """peft's configuration of the adapter on these layers."""
    return LoraConfig(
        r=config.rank,
        lora_alpha=config.alpha,
        lora_dropout=config.dropout,
        target_modules=layers,
        task_type="CAUSAL_LM",
    )


def reference_settings(policy: PolicyConfig, learning: LearningConfig) -> dict[str, Any] | None:
    """How TRL loads the frozen reference model for the KL; None if the reference is the base with the adapter disabled.

    Under mixed precision the reference is loaded in half precision, for half the memory. By default TRL would load the newest
    revision, and spread the model over all visible GPUs.
    """
    if policy.adapter is not None or not learning.kl:
        return None
    dtype = torch.bfloat16 if learning.bf16 else torch.float32
    return {"dtype": dtype, "device_map": None, **policy.backend, **policy.source}


def grpo_config(job: StageJob, *, replies: int, group: int, drawing: SamplingParams) -> GRPOConfig:
    """TRL's arguments for one stage.

    Args:
        replies: completions trained in one iteration, over all ranks.
        group: completions of one dataset row.
        drawing: the sampling parameters.
    """
    learning = job.learning
    config = GRPOConfig(
        output_dir=str(job.folder),
        max_steps=learning.iterations,
        # Whole rows of the data set go to a process: the games of an iteration are shared equally. To TRL they are one batch;
        # what is computed at once is this trainer's own.
        per_device_train_batch_size=replies // learning.num_processes,
        gradient_accumulation_steps=1,
        steps_per_generation=1,
        num_generations=group,
        max_completion_length=drawing.max_tokens,
        learning_rate=learning.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=round(learning.warmup * learning.iterations),
        weight_decay=learning.weight_decay,
        max_grad_norm=learning.max_grad_norm,
        beta=learning.kl,
        epsilon=learning.clip,
        loss_type="grpo",
        scale_rewards="group" if job.rewards.vote_scale == "group" else "none",
        use_bias_correction_kl=False,
        temperature=drawing.temperature,
        top_p=job.policy.sampling.top_p,
        top_k=0,
        model_init_kwargs=reference_settings(job.policy, learning),
        bf16=learning.bf16,
        activation_checkpointing=learning.gradient_checkpointing,
        gradient_checkpointing=learning.gradient_checkpointing,
        shuffle_dataset=False,
        ignore_data_skip=True,
        logging_steps=1,
        logging_nan_inf_filter=False,
        # TRL gathers pictures from all processes for a log of completions that is not written here.
        log_multimodal=False,
        # Every pass goes through every adapter; looking for unused ones would not go with gradient checkpointing.
        ddp_find_unused_parameters=False,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=job.seed.child("trainer").integer() % 2**31,
        **fsdp_arguments(learning),
    )
    # transformers would spread one process over all GPUs that it sees, with a batch on each: not the batch that was asked for.
    config._n_gpu = min(config.n_gpu, 1)
    return config


def prepared(model: Any, policy: PolicyConfig) -> LoraConfig | None:
    """The adapter for TRL to add to the base, or None; without one, parameters that are not trained are frozen here."""
    if policy.adapter is None:
        freeze(model, policy)
        return None
    return lora_config(policy.adapter, adapted_layers(model, policy.adapter, policy.train_on))


class StageTrainer(LogProbTrainer):
    """GRPOTrainer whose random numbers are functions of the run's seed and the iteration, so a resumed run repeats them."""

    def __init__(self, model: Any, processor: Any, job: StageJob, args: GRPOConfig, dataset: Dataset) -> None:
        self.job = job
        self._sampled: list[Sequence[int]] = []
        self._others: dict[str, torch.Tensor] = {}
        self.progress = Progress(job.state, job.run)
        self.origin = Provenance.of(job.policy, model)
        self._seconds: dict[str, float] = defaultdict(float)
        self._sizes: dict[str, float] = {}
        self._decoders: dict[int, Decoder] = {}
        self._whole = GatheredCopy(model, is_mixed=job.learning.bf16) if job.learning.sharded else None
        try:
            # The base and a peft_config, never a PeftModel: TRL would anchor the KL to the step's start instead of the base.
            super().__init__(
                model=model,
                args=args,
                train_dataset=dataset,
                processing_class=processor,
                peft_config=prepared(model, job.policy),
                callbacks=[_Course(self.progress, len(job.planned))],
                reward_funcs=_earned,
                rollout_func=self._hand_back,
            )
        except ValueError as error:
            raise TrainingError(f"training cannot be set up: {error}") from error
        self.remove_callback(PrinterCallback)
        self.remove_callback(ProgressCallback)
        for adapter in getattr(self.model, "peft_config", {}).values():
            # As the config names it: a path of this machine means nothing to the next one.
            adapter.base_model_name_or_path = job.policy.base
        if self.accelerator.num_processes != job.learning.num_processes:
            raise TrainingError(
                f"learning.num_processes is {job.learning.num_processes}, but {self.accelerator.num_processes} take part: "
                "the batch would be another one"
            )

    def run(self) -> PolicyFolder:
        """Train from the job's parent to the end of the stage; the result can be trained further.

        Raises:
            PolicyError: processor and model do not match, or a prompt is longer than the model's context.
            TrainingError: the loss is not finite, or memory ran out.
        """
        check_processor(self._policy(self.model))
        parent = self.job.parent.path
        if self._whole is not None and parent is not None:
            self._read_weights(parent)  # while they are whole
        with out_of_memory_named("update", self.job.policy, self.job.learning):
            self.train(resume_from_checkpoint=None if parent is None else str(parent))
        self.accelerator.wait_for_everyone()  # only the first process has written the folder
        return PolicyFolder(self.job.folder / f"checkpoint-{self.state.global_step}").checked()

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """This project's model card instead of TRL's, which contains local paths."""
        if not self.args.should_save:
            return
        job = self.job
        text = policy_card(
            job.policy,
            iteration=self.state.global_step,
            iterations=job.learning.iterations,
            stage=self.progress.stage,
            run=job.run,
        )
        folder = job.folder / f"checkpoint-{self.state.global_step}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CARD).write_text(text, encoding="utf-8")

    def player(self) -> Policy:
        """The current policy, for sampling."""
        model = self.accelerator.unwrap_model(self.model)
        if self._whole is not None:
            return self._policy(self._whole.gathered(model, self.accelerator.device))
        if self.job.policy.server is not None:
            with TemporaryDirectory(prefix="vision-zero-adapter-") as folder:
                model.save_pretrained(folder)
                return self._policy(model, VllmModel.adapter(self.job.policy.server, Path(folder)))
        if self.job.learning.merged_play and self.job.policy.adapter is not None and merges_exactly(model):
            model = merged(deepcopy(model))
            # TRL has put a forward of its own onto the model; a copy of it would still call the one that is being trained.
            model.__dict__.pop("forward", None)
        return self._policy(model)

    def _policy(self, model: Any, served: VllmModel | None = None) -> Policy:
        settings = self.job.policy
        # A merged copy is another model in each iteration, and nothing of it is kept.
        decoders = self._decoders if settings.compiled else {}
        return Policy(
            model, self.processing_class, settings.sampling, served=served, compiled=settings.compiled, decoders=decoders
        )

    def prepare(
        self, rows: Iterable[dict[str, Any]], replies: Iterable[Sequence[int]], earned: Iterable[float]
    ) -> dict[str, Any]:
        """TRL's batch of completions that were sampled and rewarded before: made from their token ids, never from their text."""
        self._sampled = list(replies)
        if self.job.policy.server is not None:
            let_sleep(self.job.policy.server)
        rewarded = [{**row, "reward": reward} for row, reward in zip(rows, earned, strict=True)]
        output: dict[str, Any] = super()._generate_and_score_completions(rewarded)
        return {**output, PROMPT: self._prompts}

    def _hand_back(self, prompts: Sequence[Messages], trainer: Any) -> dict[str, Any]:
        """TRL's rollout hook: returns the prompts and the sampled completions as token ids."""
        rows, first = distinct(prompts)
        read = unpadded(self._policy(self.accelerator.unwrap_model(self.model)).encode([prompts[place] for place in first]))
        self.share_prompts(rows)
        return {
            "prompt_ids": [read[row] for row in rows],
            "completion_ids": [list(tokens) for tokens in self._sampled],
            "logprobs": None,
        }

    @contextmanager
    def spending(self, part: Part) -> Iterator[None]:
        """Context that measures the seconds of a phase of the iteration, and names the phase if memory runs out in it."""
        began = time.perf_counter()
        try:
            with out_of_memory_named(part, self.job.policy, self.job.learning):
                yield
        finally:
            self._seconds[part] += time.perf_counter() - began

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """TRL's log plus the sizes of the update and the seconds of the iteration's phases."""
        if self._seconds:
            logs.update({f"seconds/{part}": seconds for part, seconds in self._seconds.items()})
            logs.update(self._sizes)
        self._seconds.clear()
        super().log(logs, start_time)

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> torch.Tensor:
        """One iteration: rollouts, then a forward and backward pass of each micro-batch."""
        # Sampling draws from torch's global generator; inside, it is this iteration's own.
        seed = self.job.seed.child("iteration", self.state.global_step, "process", self.accelerator.process_index)
        with seeded(seed, self.accelerator.device):
            replies = self._generate_and_score_completions(inputs)
        parts = microbatches(replies, self.job.learning.tokens_per_step)
        self._sizes = sizes(parts)
        with self.spending("update"):
            losses = []
            for number, part in enumerate(parts, 1):
                # Gradients are exchanged once, with the last; in shares, none is ever kept whole.
                is_exchanged = number == len(parts) or self._whole is not None
                with nullcontext() if is_exchanged else self.accelerator.no_sync(model):
                    losses.append(super().training_step(model, part, num_items_in_batch))
        weigh(self._metrics["train"], [part[SHARE] for part in parts])
        return torch.stack(losses).sum()

    def _prepare_inputs(self, inputs: Any) -> Any:
        """Micro-batches are prepared already; TRL would generate completions here."""
        return inputs

    def _get_per_token_logps_and_entropies(self, *args: Any, **kwargs: Any) -> Any:
        with nullcontext() if torch.is_grad_enabled() else self.spending("reference"):
            return super()._get_per_token_logps_and_entropies(*args, **kwargs)

    def _save_optimizer_and_scheduler(self, output_dir: str) -> None:
        is_writer = self.args.should_save  # one process writes for all, as with everything else in the folder
        save_optimizer(self.optimizer, self.lr_scheduler, Path(output_dir), self._own_stage, self._others, is_writer=is_writer)

    def _load_optimizer_and_scheduler(self, checkpoint: str | None) -> None:
        if checkpoint is not None:
            self._others = load_optimizer(self.optimizer, self.lr_scheduler, Path(checkpoint), self._own_stage)

    @property
    def _own_stage(self) -> Stage | None:
        """The stage that the optimiser state belongs to under ``optimizer: per_stage``."""
        return self.progress.stage if self.job.learning.optimizer == "per_stage" else None

    def _save_rng_state(self, output_dir: str) -> None:
        """Nothing to save: there is no RNG state, all randomness comes from named seeds."""

    def _save(self, output_dir: str | None = None, state_dict: Any = None) -> None:
        super()._save(output_dir, state_dict)
        if self.args.should_save:
            folder = Path(output_dir or self.args.output_dir)
            # transformers pickles its arguments; ours come from the config, and no pickle may enter an artifact.
            (folder / "training_args.bin").unlink(missing_ok=True)
            self.origin.write(folder)

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        """Strict loading; transformers would load the tensors that match and ignore the rest."""
        if self._whole is None:
            self._read_weights(Path(resume_from_checkpoint))

    def _read_weights(self, folder: Path) -> None:
        policy = self.job.policy
        before = Provenance.read(folder)
        if before is not None:
            before.check_base(folder, policy.base, self.origin.mark)
            if (before.form, before.train_on) != (self.origin.form, self.origin.train_on):
                raise PolicyError(
                    f"{folder} was trained with another policy.adapter or policy.train_on ({before.form}, {before.train_on}): "
                    "set them back, or give the model another name, so that learning begins anew"
                )
        if policy.adapter is None:
            set_whole(self.model, folder, policy)
        else:
            set_adapter(self.model, folder, policy.base)


class _Course(TrainerCallback):
    """Ends training with a checkpoint when all iterations are done or the stage switches; refuses a loss that is not finite."""

    def __init__(self, progress: Progress, iterations: int) -> None:
        self.progress = progress
        self.left = iterations

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        self.left -= 1
        if self.left <= 0 or self.progress.is_stage_over:
            control.should_training_stop = True
            control.should_save = True

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: dict[str, Any], **kwargs: Any) -> None:
        if "loss" not in logs:
            return
        for name in ("loss", "grad_norm"):
            if not torch.isfinite(torch.tensor(float(logs.get(name, 0.0)))):
                raise TrainingError(
                    f"{name} is {logs[name]} at iteration {state.global_step}: nothing of this stage is kept; "
                    "lower learning.learning_rate or learning.max_grad_norm and run again"
                )
        self.progress.logged(logs)


def _earned(completions: list[Any], reward: list[float], **columns: Any) -> list[float]:
    """TRL's reward function: the rewards were computed before and are a column of the rows."""
    return reward
