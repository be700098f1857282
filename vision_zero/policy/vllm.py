"""Generation by a vLLM server instead of the model in this process.

Adapters are passed as files in a folder that both processes see, and are requested by name; the base has its own name.
Completions come back as token ids: the update trains what was sampled, never re-tokenised text. The prompt's ids come back too,
and must equal those that will be trained. TRL's vLLM mode is not used: it sends image placeholders already expanded, and the
server expands them again (huggingface/trl, issue 6294). Nor can vLLM run in this process: its versions for the pinned torch
need an older FastAPI than ZenML's server. On a shared GPU the server sleeps while this process trains.

Completions are reproducible from the seed only as far as the server's are: rounding depends on its batch sizes.
"""

from __future__ import annotations

import json
import logging
import shutil
import weakref
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch

from vision_zero.config.endpoint import VllmConfig
from vision_zero.config.policy import SamplingParams
from vision_zero.errors import PolicyError, VisionZeroError
from vision_zero.policy.folder import ADAPTER_FILES
from vision_zero.policy.openai_client import Server, as_sent
from vision_zero.randomness import Seed

_LOGGER = logging.getLogger(__name__)
_NO_SLEEP = "start it with --enable-sleep-mode and VLLM_SERVER_DEV_MODE=1, or set policy.server.sleeps false"
_NO_LORA = "start it with --enable-lora and VLLM_ALLOW_RUNTIME_LORA_UPDATING=True, and let it see {folder}"


@dataclass(frozen=True)
class GenerationRequest:
    """A request for one completion.

    Attributes:
        name: identifies the chat in error messages.
        messages: the chat.
        prompt: its token ids with image placeholders, as they will be trained.
        allowed: tokens that may be sampled; empty for all.
    """

    name: str
    messages: Sequence[dict[str, Any]]
    prompt: list[int]
    allowed: Sequence[int] = ()

    @property
    def terms(self) -> dict[str, Any]:
        """Extra parameters of the request: the prefilled reply, and the allowed tokens."""
        has_begun = self.messages[-1]["role"] == "assistant"
        begun = {"add_generation_prompt": False, "continue_final_message": True} if has_begun else {}
        return {**begun, **({"allowed_token_ids": list(self.allowed)} if self.allowed else {})}


class VllmModel:
    """A model on the server: the base, or an adapter, which is unloaded when this object is garbage-collected."""

    def __init__(self, config: VllmConfig, name: str) -> None:
        self.config = config
        self.name = name

    @classmethod
    def adapter(cls, config: VllmConfig, files: Path) -> VllmModel:
        """Load the adapter of a folder on the server.

        Raises:
            PolicyError: it cannot be written to the shared folder, or the server refuses it.
        """
        try:
            folder = Path(mkdtemp(prefix="vision-zero-", dir=config.adapters))
            folder.chmod(0o755)  # the server may be shared with others
            for name in ADAPTER_FILES:
                shutil.copyfile(files / name, folder / name)
        except OSError as error:
            raise PolicyError(f"policy.server.adapters cannot take an adapter: {error}") from error
        wake_up(config)
        served = cls(config, folder.name)
        weakref.finalize(served, _take_away, config, folder)
        try:
            served._post("load_lora_adapter", {"lora_name": folder.name, "lora_path": str(folder)}, bytes)
        except PolicyError as error:
            raise PolicyError(f"{error}; {_NO_LORA.format(folder=config.adapters)}") from error
        return served

    def base(self) -> VllmModel:
        """The base on the server."""
        return VllmModel(self.config, self.config.model)

    def replies(
        self, asked: Sequence[GenerationRequest], drawing: SamplingParams, *, top_p: float, never: Sequence[int], seed: Seed
    ) -> list[list[int]]:
        """The token ids of one reply to each request, including the end token.

        Args:
            drawing: temperature 0 is greedy.
            never: tokens that are not sampled.

        Raises:
            PolicyError: the server does not answer, or tokenises a prompt differently.
        """
        how = {
            "model": self.name,
            "temperature": drawing.temperature,
            "max_tokens": drawing.max_tokens,
            "top_p": top_p,
            # Set explicitly, since the server would use the model's generation_config.json.
            "top_k": -1,
            "min_p": 0.0,
            "repetition_penalty": 1.0,
            "logit_bias": {str(token): -100 for token in never},
            "return_token_ids": True,
        }

        def ask(number: int) -> list[int]:
            one = asked[number]
            body = {**how, **one.terms, "messages": as_sent(one.messages), "seed": seed.child("reply", number).integer() % 2**31}
            prompt, tokens = self._post("chat/completions", body, _ids)
            if not _same_prompt(one.prompt, prompt, never):
                raise PolicyError(
                    f"{self.config.url} reads the prompt of {one.name} as {len(prompt)} tokens, this process as "
                    f"{len(one.prompt)}: serve the same base with the same chat template, and policy.pictures as "
                    "--mm-processor-kwargs"
                )
            return tokens

        wake_up(self.config)
        with ThreadPoolExecutor(self.config.parallel) as pool:
            return list(pool.map(ask, range(len(asked))))

    def _post(self, path: str, body: dict[str, Any], read: Any) -> Any:
        return Server(self.config, PolicyError).post(path, body, read)


def wake_up(config: VllmConfig) -> None:
    """Wake the server if it is configured to sleep, after freeing this process's cached GPU memory; idempotent."""
    if config.sleeps:
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        _control(config, "wake_up")


def let_sleep(config: VllmConfig) -> None:
    """Put the server to sleep if it is configured so: weights go to host memory, the prefix cache is dropped."""
    if config.sleeps:
        _control(config, "sleep?level=1")


def _control(config: VllmConfig, path: str) -> None:
    # These paths are not below OpenAI's /v1.
    root = config.model_copy(update={"url": config.url.rstrip("/").removesuffix("/v1")})
    try:
        Server(root, PolicyError).post(path, {}, bytes)
    except PolicyError as error:
        raise PolicyError(f"{error}; {_NO_SLEEP}") from error


def _ids(data: bytes) -> tuple[list[int], list[int]]:
    """The token ids of prompt and reply."""
    try:
        answer = json.loads(data)
        prompt, tokens = answer["prompt_token_ids"], answer["choices"][0]["token_ids"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no token ids in {data[:100]!r}: vLLM sends them from 0.10.2 on") from error
    if not (prompt and tokens and all(isinstance(token, int) for token in (*prompt, *tokens))):
        raise ValueError(f"no token ids in {data[:100]!r}")
    return prompt, tokens


def _same_prompt(ours: list[int], theirs: list[int], pictures: Sequence[int]) -> bool:
    """Whether the ids are equal, also if the server writes one placeholder per image instead of one per patch."""
    return theirs in (ours, [token for token, run in groupby(ours) for _ in (range(1) if token in pictures else run)])


def _take_away(config: VllmConfig, folder: Path) -> None:
    try:
        Server(config.model_copy(update={"tries": 1, "timeout": 10.0}), PolicyError).post(
            "unload_lora_adapter", {"lora_name": folder.name}, bytes
        )
    except VisionZeroError as error:
        _LOGGER.warning("the adapter %s stays on the server: %s", folder.name, error)
    shutil.rmtree(folder, ignore_errors=True)
