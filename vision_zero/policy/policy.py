"""A policy: a vision-language model and its processor, generating completions in batches.

The same class serves the embedded 3.7 M-parameter policy and a 7 B model. Prompts are left-padded: with padding on the right,
Qwen's ``mm_token_type_ids`` are silently misaligned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import torch
from transformers import TopPLogitsWarper

from vision_zero.config.policy import SamplingConfig, SamplingParams
from vision_zero.errors import PolicyError
from vision_zero.game.interface import Reply, Request
from vision_zero.policy.chats import Messages, before_reply, begin_reply, begun_reply, text_length, user_message
from vision_zero.policy.compiled_decoding import CompiledDecoder
from vision_zero.policy.decoding import Choose, Decoder, decode
from vision_zero.policy.prefill import distinct, next_tokens, prefilled_inputs, unpadded, written_tokens
from vision_zero.policy.vllm import GenerationRequest, ServedReply, VllmModel
from vision_zero.policy.vllm_check import compare_scores
from vision_zero.randomness import Seed

SharesOf = Callable[[Sequence[Messages], Sequence[Sequence[int]]], list[list[float]]]
"""Shares of some next tokens in each chat."""


@dataclass(frozen=True)
class Policy:
    """A model and its processor.

    Attributes:
        model: an image-text-to-text model, with a LoRA adapter or without.
        processor: its processor; the tokenizer must pad on the left.
        sampling: the sampling settings.
        greedy: greedy decoding instead of sampling.
        as_base: answer as the frozen base: with the adapter disabled, or with ``base``.
        base: the frozen base as a separate model, for a policy whose weights were all trained.
        adapter: the adapter of ``model`` to play with, for a model with several; empty: the active one.
        has_no_base: the adapter is merged, so the base cannot be recovered.
        served: the same weights on a vLLM server, which then generates.
        compiled: decode with a compiled step.
        decoders: one per model; policies of the same models share them.
        reply_prefix: a prefix that every reply is prefilled with.
        base_fingerprint: identifies the frozen base: :func:`~vision_zero.policy.provenance.weights_fingerprint` and
            :func:`~vision_zero.policy.provenance.processor_fingerprint`.
    """

    model: Any
    processor: Any
    sampling: SamplingConfig
    greedy: bool = False
    as_base: bool = False
    base: Any = None
    adapter: str = ""
    has_no_base: bool = False
    served: VllmModel | None = None
    compiled: bool = False
    decoders: dict[int, Decoder] = field(default_factory=dict, compare=False, repr=False)
    base_fingerprint: str = ""
    reply_prefix: str = ""

    def __post_init__(self) -> None:
        if self.as_base and self.has_no_base:
            raise PolicyError("this policy was merged with its base: load it apart to compare the two")
        if self.processor.tokenizer.padding_side != "left":
            raise PolicyError('the tokenizer pads on the right; set padding_side="left" in its tokenizer_config.json')
        if not getattr(self.processor, "chat_template", None):
            raise PolicyError("the policy has no chat template; add chat_template.jinja to its folder")

    def reply(self, requests: Sequence[Request], seed: Seed) -> list[Reply]:
        """Generate the replies of one turn; see :class:`vision_zero.game.interface.Players`."""
        messages = [user_message(request.prompt, request.image) for request in requests]
        names = [f"{request.game_id} (seat {request.seat}, {request.kind})" for request in requests]
        return self.sample(messages, self.sampling.of(requests[0].kind), seed, names)

    def complete(self, messages: Sequence[Messages], max_tokens: int, seed: Seed) -> list[Reply]:
        """One completion per chat of at most ``max_tokens`` tokens at ``sampling.temperature``; see :meth:`sample`."""
        names = [f"chat {number} of {len(messages)}" for number in range(1, len(messages) + 1)]
        return self.sample(messages, SamplingParams(self.sampling.temperature, max_tokens), seed, names)

    def sample(self, messages: Sequence[Messages], params: SamplingParams, seed: Seed, names: Sequence[str]) -> list[Reply]:
        """One completion for each chat, in order, generated ``sampling.batch_size`` at a time.

        Chats of similar length are batched together to save padding. ``names`` identify chats in error messages.
        A chat that ends with an assistant message is a prefilled reply, which the completion continues.

        Raises:
            PolicyError: a prompt with its longest reply exceeds the model's context; prompts are never truncated.
        """
        messages = [begin_reply(chat, self.reply_prefix) for chat in messages]
        order = sorted(range(len(messages)), key=lambda number: text_length(messages[number]))
        completions: dict[int, Reply] = {}
        for start in range(0, len(order), self.sampling.batch_size):
            batch = order[start : start + self.sampling.batch_size]
            chats, called = [messages[number] for number in batch], [names[number] for number in batch]
            made = self._generate(chats, called, params, seed.child("batch", start))
            completions.update(zip(batch, made, strict=True))
        return [completions[number] for number in range(len(messages))]

    def encode(self, messages: Sequence[Messages]) -> dict[str, Any]:
        """The model's inputs for chats that end where the reply begins or goes on, left-padded, on the model's device."""
        encoded = self.processor.apply_chat_template(
            [before_reply(chat) for chat in messages],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            processor_kwargs={"padding": True, "return_tensors": "pt"},
        )
        inputs = dict(encoded.to(self.model.device))
        return prefilled_inputs(
            inputs, [self._tokens(begun_reply(chat)) for chat in messages], self.processor.tokenizer.pad_token_id
        )

    def likeliest(self, messages: Sequence[Messages], begun: Sequence[str], options: Sequence[Sequence[str]]) -> list[int]:
        """Constrained greedy decoding: the index of the option that the policy would most likely continue with in each chat.

        Chosen token by token: the likeliest of the tokens that continue some option, until one option is left. Deterministic at
        any temperature.

        Args:
            begun: the policy's reply so far in each chat.
            options: the possible continuations, at least one per chat; none is a prefix of another.
        """
        found = self._products(messages, begun, options, self._forced)
        return [shares.index(max(shares)) for shares in found]

    def chances(
        self, messages: Sequence[Messages], begun: Sequence[str], options: Sequence[Sequence[str]], temperature: float
    ) -> list[list[float]]:
        """The probability that the policy continues with each option, among all continuations; they sum to at most 1.

        An option's probability is that of its tokens, at the sampling temperature, up to where it differs from all other options.

        Args:
            begun: as for :meth:`likeliest`.
            options: as for :meth:`likeliest`.

        Raises:
            PolicyError: a server samples the replies; it does not return these probabilities.
        """
        if self.served is not None:
            raise PolicyError("probabilities of options need a model that is loaded here: unset policy.server")
        return self._products(messages, begun, options, partial(self._shares, temperature=temperature))

    def _products(
        self, messages: Sequence[Messages], begun: Sequence[str], options: Sequence[Sequence[str]], shares_of: SharesOf
    ) -> list[list[float]]:
        """For each option the product of its tokens' shares, up to where it differs from all other options of its chat."""
        tokenizer = self.processor.tokenizer
        found = [[0.0] * len(allowed) for allowed in options]
        left = [
            (number, text, dict(enumerate(allowed)), 1.0)
            for number, (text, allowed) in enumerate(zip(begun, options, strict=True))
        ]
        while left:
            some, left = left[: self.sampling.batch_size], left[self.sampling.batch_size :]
            chats = [begin_reply(messages[number], text) for number, text, *_ in some]
            leads = [_leads(tokenizer, text, rest) for _, text, rest, _ in some]
            shares = shares_of(chats, [list(led) for led in leads])
            for (number, text, rest, so_far), led, own in zip(some, leads, shares, strict=True):
                for (token, kept), share in zip(led.items(), own, strict=True):
                    if len(kept) == 1:
                        found[number][kept[0]] = so_far * share
                    elif share:
                        piece = tokenizer.decode([token])
                        fewer = {place: rest[place].removeprefix(piece) for place in kept}
                        left.append((number, text + piece, fewer, so_far * share))
        return found

    def _shares(self, messages: Sequence[Messages], asked: Sequence[Sequence[int]], temperature: float) -> list[list[float]]:
        """The probabilities of these next tokens in each chat, at the sampling temperature."""
        logits = self._next_logits(messages, "a vote")
        logits[:, self.image_tokens] = -torch.inf
        drawn = (logits / temperature).softmax(-1)
        return [row[list(tokens)].tolist() for row, tokens in zip(drawn, asked, strict=True)]

    def _forced(self, messages: Sequence[Messages], allowed: Sequence[Sequence[int]]) -> list[list[float]]:
        """1 for the likeliest of the allowed next tokens in each chat, 0 for the others."""
        if self._is_sampled_there:
            names = ["a forced choice"] * len(messages)
            inputs = self.encode(messages)
            self._check_lengths(inputs, names, 1)
            asked = [GenerationRequest(*one) for one in zip(names, messages, unpadded(inputs), allowed, strict=True)]
            replies = self._served_replies(asked, SamplingParams(0.0, 1), 1.0, Seed(0))
            best = [tokens.index(reply.tokens[0]) for tokens, [reply] in zip(allowed, replies, strict=True)]
        else:
            logits = self._next_logits(messages, "a forced choice")
            best = [int(row[list(tokens)].argmax()) for row, tokens in zip(logits, allowed, strict=True)]
        return [[float(place == own) for place in range(len(tokens))] for tokens, own in zip(allowed, best, strict=True)]

    def _next_logits(self, messages: Sequence[Messages], what: str) -> torch.Tensor:
        """Logits of the next token of each chat, (chats, vocabulary); ``what`` names the chats in error messages."""
        inputs = self.encode(messages)
        self._check_lengths(inputs, [what] * len(messages), 1)
        seen: list[torch.Tensor] = []

        def choose(logits: torch.Tensor) -> torch.Tensor:
            seen.append(logits)
            return logits.argmax(-1)

        self._decoded(inputs, range(len(messages)), choose, 1, Seed(0))
        return seen[0][: len(messages)].clone()  # rows of a compiled step are padded

    def _generate(self, messages: Sequence[Messages], names: Sequence[str], params: SamplingParams, seed: Seed) -> list[Reply]:
        rows, first = distinct(messages)
        inputs = self.encode([messages[number] for number in first])
        self._check_lengths(inputs, [names[number] for number in first], params.max_tokens)
        said = [self._tokens(begun_reply(chat)) for chat in messages]
        if not self._is_sampled_there:
            choose = partial(self._choose, temperature=params.temperature)
            replies = self._decoded(inputs, rows, choose, params.max_tokens, seed)
            return [self._completion(begun + tokens) for begun, tokens in zip(said, replies, strict=True)]
        count = Counter(rows)
        asked = [
            GenerationRequest(names[number], messages[number], prompt, count=count[row])
            for row, (number, prompt) in enumerate(zip(first, unpadded(inputs), strict=True))
        ]
        how = params._replace(temperature=0.0) if self.greedy else params
        sampled = [iter(replies) for replies in self._served_replies(asked, how, self.sampling.top_p, seed)]
        served = [next(sampled[row]) for row in rows]
        return [
            self._completion(begun + reply.tokens, () if begun else reply.log_probs)
            for begun, reply in zip(said, served, strict=True)
        ]

    def _served_replies(
        self, asked: Sequence[GenerationRequest], params: SamplingParams, top_p: float, seed: Seed
    ) -> list[list[ServedReply]]:
        assert self.served is not None
        compare_scores(*self.comparable(), asked[0])
        served = self.served.base() if self.as_base else self.served
        return served.replies(asked, params, top_p=top_p, never=self.image_tokens, seed=seed)

    @property
    def _is_sampled_there(self) -> bool:
        """By a server? All weights have replaced the base there, which this process then samples itself."""
        return self.served is not None and not (self.as_base and self.served.has_all_weights)

    def comparable(self) -> tuple[VllmModel, Policy]:
        """Weights that the servers and this process both have, there and here: the base of an adapter, or all weights."""
        assert self.served is not None
        if self.served.has_all_weights:
            return self.served, replace(self, as_base=False)
        return self.served.base(), replace(self, as_base=True)

    def log_probs(self, messages: Messages, tokens: Sequence[int], temperature: float = 1.0) -> list[float]:
        """The log-probability of each token of a reply to one chat, as it is sampled at that temperature."""
        inputs = self.encode([messages])
        given = iter(tokens)
        found: list[float] = []

        def choose(logits: torch.Tensor) -> torch.Tensor:
            token = next(given)
            logits[:, self.image_tokens] = -torch.inf
            found.append(float((logits[0].float() / temperature).log_softmax(-1)[token]))
            return torch.full((len(logits),), token, device=logits.device)

        self._decoded(inputs, [0], choose, len(tokens), Seed(0))
        return found

    def _decoded(
        self, inputs: dict[str, Any], rows: Sequence[int], choose: Choose, max_tokens: int, seed: Seed
    ) -> list[list[int]]:
        model = self.base if self.as_base and self.base is not None else self.model
        was_training = model.training
        model.eval()
        try:
            with self._weights(), seeded(seed, model.device):
                decoder = self.decoder(model)
                return decode(decoder, inputs, rows, choose=choose, max_tokens=max_tokens, ends=self.end_tokens)
        finally:
            model.train(was_training)

    def decoder(self, model: Any) -> Decoder:
        """The decoder of this model, or of the base."""
        if id(model) not in self.decoders:
            self.decoders[id(model)] = CompiledDecoder(model) if self.compiled else Decoder(model)
        return self.decoders[id(model)]

    def _check_lengths(self, inputs: dict[str, Any], names: Sequence[str], max_tokens: int) -> None:
        context, owner = self.context, "model"
        servers = self.served.context if self.served is not None else None
        if servers is not None and servers < context:
            context, owner = servers, "server"
        for name, tokens in zip(names, inputs["attention_mask"].sum(1).tolist(), strict=True):
            if tokens + max_tokens > context:
                raise PolicyError(
                    f"the prompt of {name} has {tokens} tokens, which with a reply of up to {max_tokens} is more than the "
                    f"{owner}'s context of {context}: lower game.max_clue_characters, game.max_reasoning_characters or the "
                    "reply's limit, or use smaller images (policy.pictures)"
                )

    def _choose(self, logits: torch.Tensor, temperature: float) -> torch.Tensor:
        """The next token of each row: the likeliest or a sampled one, but never an image placeholder."""
        logits[:, self.image_tokens] = -torch.inf
        if self.greedy:
            return logits.argmax(-1)
        logits = logits / temperature
        if self.sampling.top_p < 1:
            logits = TopPLogitsWarper(self.sampling.top_p)(None, logits)
        return torch.multinomial(logits.softmax(-1), num_samples=1).squeeze(1)

    @contextmanager
    def _weights(self) -> Iterator[None]:
        if self.adapter:
            self.model.set_adapter(self.adapter)
        with self.model.disable_adapter() if self.as_base and hasattr(self.model, "disable_adapter") else nullcontext():
            yield

    @property
    def context(self) -> int:
        """The context length in tokens."""
        return int(self.model.config.get_text_config(decoder=True).max_position_embeddings)

    @cached_property
    def end_tokens(self) -> list[int]:
        """All end tokens: the tokenizer's and those of the model's generation config."""
        declared = self.model.generation_config.eos_token_id
        declared = declared if isinstance(declared, list) else [declared]
        return sorted({self.processor.tokenizer.eos_token_id, *(token for token in declared if token is not None)})

    @cached_property
    def image_tokens(self) -> list[int]:
        """Image placeholder tokens; one in a reply would be taken for a missing image."""
        names = ("image_token_id", "video_token_id", "image_token_index")
        return sorted({token for name in names if (token := getattr(self.model.config, name, None)) is not None})

    def _tokens(self, text: str) -> list[int]:
        """The tokens of a reply's prefix."""
        return written_tokens(self.processor.tokenizer, text) if text else []

    def _completion(self, tokens: list[int], log_probs: Sequence[float] = ()) -> Reply:
        text = self.processor.tokenizer.decode(tokens, skip_special_tokens=True)
        return Reply(text, tuple(tokens), tokens[-1] not in self.end_tokens, tuple(log_probs))


@contextmanager
def seeded(seed: Seed, device: torch.device) -> Iterator[None]:
    """Context in which torch's generators are seeded; their state is restored afterwards."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed.integer())
        yield


def _leads(tokenizer: Any, begun: str, options: dict[int, str]) -> dict[int, list[int]]:
    """For each possible next token, the indices of the options that continue with it."""
    led: dict[int, list[int]] = {}
    for place, tokens in zip(options, next_tokens(tokenizer, begun, list(options.values())), strict=True):
        led.setdefault(tokens[0], []).append(place)
    return led
