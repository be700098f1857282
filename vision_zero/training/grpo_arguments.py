"""TRL's arguments for a stage: all defaults of TRL and transformers that are not the paper's, or not ours, are set here."""

from __future__ import annotations

from typing import Any

import torch
from trl import GRPOConfig

from vision_zero.config.learning import LearningConfig
from vision_zero.config.policy import PolicyConfig, SamplingParams
from vision_zero.training.job import StageJob


class OneDeviceConfig(GRPOConfig):
    """Trains on one device for each process, however many GPUs the machine shows."""

    @property
    def n_gpu(self) -> int:
        """transformers would spread one process over all GPUs, with a batch on each: not the batch that was asked for."""
        return min(int(super().n_gpu), 1)


def reference_settings(policy: PolicyConfig, learning: LearningConfig) -> dict[str, Any] | None:
    """How TRL loads the frozen reference model for the KL; None if the reference is the base with the adapter disabled.

    Under mixed precision the reference is loaded in half precision, for half the memory. By default TRL would load the newest
    revision, and spread the model over all visible GPUs.
    """
    if policy.adapter is not None or not learning.kl:
        return None
    dtype = torch.bfloat16 if learning.bf16 else torch.float32
    return {"dtype": dtype, "device_map": None, **policy.backend, **policy.source}


def grpo_arguments(job: StageJob, *, completions: int, group: int, sampling: SamplingParams) -> GRPOConfig:
    """TRL's arguments for one stage.

    Args:
        completions: trained in one iteration, over all ranks.
        group: completions of one dataset row.
        sampling: temperature and length of the completions.
    """
    learning = job.learning
    return OneDeviceConfig(
        output_dir=str(job.folder),
        max_steps=learning.iterations,
        # Whole rows of the data set go to a process: the games of an iteration are shared equally. To TRL they are one batch;
        # what is computed at once is decided in updates.py.
        per_device_train_batch_size=completions // learning.num_processes,
        gradient_accumulation_steps=1,
        steps_per_generation=1,
        num_generations=group,
        max_completion_length=sampling.max_tokens,
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
        temperature=sampling.temperature,
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
        # TRL gathers images from all processes for a log of completions that is not written here.
        log_multimodal=False,
        # Every pass goes through every adapter; looking for unused ones would not go with gradient checkpointing.
        ddp_find_unused_parameters=False,
        # The loop asks for a checkpoint at the end, and writes the training state itself, without pickle; there is no random
        # state to save, since all randomness comes from named seeds.
        save_strategy="no",
        save_only_model=True,
        report_to=[],
        disable_tqdm=True,
        use_cpu=not torch.cuda.is_available(),
        dataloader_pin_memory=torch.cuda.is_available(),
        seed=job.seed.child("trainer").integer() % 2**31,
        **sampling_correction(job.policy),
        # The unit of gathering is a decoder layer or a vision block, as the model's class declares.
        **({"fsdp": True, "fsdp_config": {"version": 2}} if learning.sharded else {}),
    )


def sampling_correction(policy: PolicyConfig) -> dict[str, Any]:
    """TRL's correction for replies of a vLLM server; none for those of this process, which samples with the trained weights."""
    settings = None if policy.server is None else policy.server.importance_sampling
    if settings is None:
        return {"vllm_importance_sampling_correction": False}
    return {
        "vllm_importance_sampling_correction": True,
        **{f"vllm_importance_sampling_{name}": value for name, value in settings.model_dump().items()},
    }
