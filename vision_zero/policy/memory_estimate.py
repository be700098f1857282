r"""Estimate of the memory of training on one GPU, by formulas from the model's configuration and parameter count.

Every process holds a full model, so more GPUs are faster and need the same memory each; under learning.sharded each of N
processes holds a shard. All numbers are bytes.

    weights      parameters x bytes of policy.dtype (b)
    trained      4 x trained parameters: adapters are float32 whatever the base; full fine-tuning requires float32
    gradients    4 x trained parameters; as much again for the buckets of the gradient exchange between processes
    optimiser    8 x trained parameters: AdamW's two moments
    reference    full fine-tuning: a frozen copy of the base, in half precision under learning.bf16

With N shards each of these is divided by N, and there are no buckets; a full copy with c bytes a weight plays. Two decoder layers
and all weights outside of layers are gathered at a time, with c bytes a weight and as much for gradients; the reference is
gathered as a whole.

An **update** reads R replies at once, T tokens of prompt and reply each. Per token a decoder layer keeps for the backward pass
(h wide, feed-forward f, queries a x d = w, keys k; c bytes of computing, 2 under learning.bf16, else b)

    8 h                     the inputs of both norms, in float32
    3 c f                   of a gated feed-forward block: gate, its activation, up; c f of a plain one
    4 c w + 4 a             queries, keys and values repeated for all heads, the result, its normaliser
    c T + 8                 the mask of the decoder, and the norms' factors
    (4 + 4 / d) (w + k)     where queries and keys have norms of their own
    inputs of linear layers that are trained or have adapters. In mixed precision each has its own copy of 2 bytes, except
                            for the output of attention without an adapter; in float32 layers with the same input share it:
                            2 h + f; adapters of a bfloat16 base read float32 copies
    8 h + c (w + k)         full fine-tuning: inputs of the norms' scales
    7 r                     between the two matrices of seven adapters of rank r

If G replies share a prompt of P tokens (learning.shared_prefix), it counts once for all of them, except for

    2 c w P                 per reply: keys and values of its prompt, repeated for it and for all heads
    2 c k                   per token of the prompt: with checkpointing its keys and values, which are not recomputed

and under mixed precision a copy of the float32 weights of its linear layers in half precision. All replies are counted with the
longest length and read in one pass; replies of several lengths are read in several (:mod:`vision_zero.training.microbatches`),
with as many columns in all. More replies fit where most are short, and repeat more keys and values than is counted here. With
checkpointing a layer keeps only its input, b h, and one layer at a time is recomputed. Layers of the vision encoder are counted
in the same way with w = k = h, and keep nothing if it is not trained. A layer needs temporary memory while it is computed: per
token 4 c f + (6 c + 12) h, with adapters 4 f more. TRL computes logits in tiles of 4,096 tokens by 32,768 vocabulary entries.

**Sampling** prefills B prompts and keeps keys and values of B replies of up to T tokens: 2 k b per token and layer, under mixed
precision too, or 2 k c in the copy with which a sharded model plays; and those of the prompts twice while the cache of the
replies is allocated. The logits of a token take (b + 12) x vocabulary per reply. Under policy.compiled the KV cache of a full
batch stays, with rows rounded up to a power of two and T to a multiple of 256.

The GPU also holds the images of an iteration, twice while TRL splits them into batches, and their cached vision features
(:mod:`vision_zero.policy.vision_cache`).

tests/policy/test_memory_estimate.py compares it with counted parameters and kept tensors. The driver's own memory and
fragmentation are not computed but reserved.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from torch import nn

from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.compiled_decoding import slot_shape
from vision_zero.policy.trainable import Side, adapted_layers, is_trained, parameter_sides
from vision_zero.policy.vision_cache import ROOM

GB = 10**9
RESERVE_SHARE, RESERVE = 0.05, 1.0 * GB
"""Reserved of a GPU's memory: share lost to fragmentation, and bytes of the driver's context with its libraries."""
_TILE_TOKENS, _TILE_WORDS = 4096, 32_768


@dataclass(frozen=True)
class Blocks:
    """Layers of the decoder or the vision encoder: number and widths.

    Attributes:
        linear: parameters of the linear layers in one layer.
        reads: total input width of these, per token.
        is_gated: the feed-forward block multiplies two projections.
        scales: norms multiply by a weight and keep its input.
        learns: they are trained, or have adapters that are.
    """

    is_vision: bool
    learns: bool
    layers: int
    hidden: int
    feed_forward: int
    heads: int
    queries: int
    keys: int
    linear: int
    reads: int
    is_gated: bool
    scales: bool
    has_head_norms: bool


@dataclass(frozen=True)
class Shape:
    """Shapes of a model, and of its trained parameters, for the formulas.

    Attributes:
        trained: trained parameters: of the adapter, or of the parts that ``train_on`` names.
        patches: image patches per image token.
        patch_bytes: pixel values of one patch, in float32.
    """

    parameters: int
    trained: int
    rank: int
    language: Blocks
    vision: Blocks
    vocabulary: int
    head_is_trained: bool
    patches: float
    patch_bytes: int

    @classmethod
    def of(cls, model: Any, policy: PolicyConfig) -> Shape:
        """Shapes of a base, which may be on the meta device."""
        sides = parameter_sides(model)
        numbers = {name: parameter.numel() for name, parameter in model.named_parameters()}
        text, vision = model.config.get_text_config(decoder=True), model.config.vision_config
        output = model.get_output_embeddings().weight
        if policy.adapter is None:
            trained = sum(number for name, number in numbers.items() if is_trained(sides[name], policy.train_on))
        else:
            modules = dict(model.named_modules())
            linears = [modules[name] for name in adapted_layers(model, policy.adapter, policy.train_on)]
            trained = sum(policy.adapter.rank * (linear.in_features + linear.out_features) for linear in linears)
        decoder = model.get_decoder()
        inside = {id(module) for module in decoder.modules()}
        others = [module for module in model.modules() if id(module) not in inside]
        return cls(
            parameters=sum(numbers.values()),
            trained=trained,
            rank=0 if policy.adapter is None else policy.adapter.rank,
            language=_blocks(text, list(decoder.modules()), "language", policy),
            vision=_blocks(vision, others, "vision", policy),
            vocabulary=output.shape[0],
            head_is_trained=policy.adapter is None and is_trained("language", policy.train_on),
            patches=_patches(model.config),
            patch_bytes=4 * 3 * _side(vision.patch_size) ** 2 * (getattr(vision, "temporal_patch_size", None) or 1),
        )

    @property
    def is_full(self) -> bool:
        """Whether this is full fine-tuning instead of an adapter."""
        return self.rank == 0


@dataclass(frozen=True)
class Work:
    """Sizes of the batches on one GPU.

    Attributes:
        prompt: tokens of the longest prompt, including its image.
        image: of these, tokens of its image.
        reply: tokens of the longest reply.
        rows: replies in one backward pass, all counted with the longest length.
        group: replies that share a prompt in a backward pass.
        batch: replies sampled in one batch.
        prompts: distinct prompts in such a batch; votes of one group share one.
        replies: replies of this process in an iteration, whose images stay on the GPU.
    """

    prompt: int
    image: int
    reply: int
    rows: float
    batch: int
    prompts: int
    replies: int
    weight_bytes: int
    is_mixed: bool
    is_checkpointed: bool
    has_reference: bool
    plays_merged: bool
    processes: int
    is_sharded: bool = False
    is_compiled: bool = False
    group: float = 1

    @property
    def read(self) -> float:
        """Prompts in one backward pass."""
        return self.rows / self.group

    @property
    def tokens(self) -> float:
        """Tokens in one backward pass."""
        return self.read * self.prompt + self.rows * self.reply

    @property
    def computing(self) -> int:
        return 2 if self.is_mixed else self.weight_bytes

    @property
    def frozen_copy(self) -> int:
        """Bytes of a weight of the reference, if there is one."""
        return 2 if self.is_mixed else 4


Bytes = dict[str, float]


def static(shape: Shape, work: Work) -> Bytes:
    """Memory that is held for the whole stage."""
    slots = _token(shape, work) * prod(slot_shape(work.batch, work.prompt + work.reply))
    features = work.replies * work.image * shape.language.hidden * work.weight_bytes
    share = 1 / work.processes if work.is_sharded else 1
    return {
        "weights": share * shape.parameters * work.weight_bytes,
        "adapter": 0 if shape.is_full else 4 * shape.trained,
        "reference": share * shape.parameters * work.frozen_copy if shape.is_full and work.has_reference else 0,
        "gradients": share * 4 * shape.trained * (2 if work.processes > 1 and not work.is_sharded else 1),
        "optimiser": share * 8 * shape.trained,
        "full copy that plays": shape.parameters * work.computing if work.is_sharded else 0,
        "slots of a compiled step": slots if work.is_compiled else 0,
        "cached image features": 0 if shape.vision.learns else min(ROOM, features),
        "images of an iteration": 2 * work.replies * work.image * shape.patches * shape.patch_bytes,
    }


def update(shape: Shape, work: Work) -> Bytes:
    """Memory of a forward and backward pass of ``rows`` replies."""
    tokens, patches = work.tokens, work.image * shape.patches * work.read
    kept = 0.0
    for blocks, places in ((shape.language, tokens), (shape.vision, patches)):
        if blocks.is_vision and not blocks.learns:
            continue
        layer = kept_by_layer(shape, work, blocks) * places + _half_copies(shape, work, blocks)
        if work.group > 1 and not blocks.is_vision:
            layer += 2 * work.computing * blocks.queries * work.prompt * work.rows
        if work.is_checkpointed:
            kept += blocks.layers * places * blocks.hidden * work.weight_bytes + layer
            if work.group > 1 and not blocks.is_vision:
                kept += blocks.layers * 2 * work.computing * blocks.keys * work.prompt * work.read
        else:
            kept += blocks.layers * layer
    scored = work.reply * work.rows
    head = shape.vocabulary * shape.language.hidden * 4 if shape.head_is_trained else 0
    tile = min(scored, _TILE_TOKENS) * min(shape.vocabulary, _TILE_WORDS) * work.computing
    return {
        "activations": kept,
        "gathered layers": 2 * _gathered(shape) * work.computing if work.is_sharded else 0,
        "one layer at work": _at_work(shape, work, tokens, patches),
        "logits": tile + scored * shape.language.hidden * (4 + work.computing) + head,
    }


def reference(shape: Shape, work: Work) -> Bytes:
    """Memory of the reference pass over ``rows`` replies."""
    tokens, patches = work.tokens, work.image * shape.patches * work.read
    tile = min(work.reply * work.rows, _TILE_TOKENS) * min(shape.vocabulary, _TILE_WORDS) * work.computing
    gathered = shape.parameters * work.frozen_copy if work.is_sharded else 0
    return {"one layer at work": _at_work(shape, work, tokens, patches), "logits": tile, "gathered reference": gathered}


def playing(shape: Shape, work: Work) -> Bytes:
    """Memory of sampling ``batch`` replies; see :func:`playing_peak` for the peak."""
    token = _token(shape, work)
    read = work.prompts * work.prompt
    mask = 3 * work.prompts * work.prompt**2
    copied = shape.parameters * work.weight_bytes + 4 * shape.trained
    return {
        "keys and values of prompts": token * read,
        "keys and values of replies": 0 if work.is_compiled else token * work.batch * (work.prompt + work.reply),
        "reading prompts": _at_work(shape, work, read, work.prompts * work.image * shape.patches) + mask,
        "next words": work.batch * shape.vocabulary * (work.weight_bytes + 12),
        "merged copy": copied if work.plays_merged and not shape.is_full else 0,
    }


def _token(shape: Shape, work: Work) -> float:
    """Bytes of a token's keys and values in all layers."""
    return 2 * shape.language.layers * shape.language.keys * (work.computing if work.is_sharded else work.weight_bytes)


def playing_peak(parts: Bytes) -> float:
    """Peak of sampling: prefill, then copying the prompts' cache into the replies' cache, then decoding."""
    prompts, replies = parts["keys and values of prompts"], parts["keys and values of replies"]
    moments = (prompts + parts["reading prompts"], prompts + replies, replies + parts["next words"])
    return max(moments) + parts["merged copy"]


def kept_by_layer(shape: Shape, work: Work, blocks: Blocks) -> float:
    """Bytes that one layer keeps per token for the backward pass; see the head of this module."""
    computing = work.computing
    kept: float = 8 * blocks.hidden + (3 if blocks.is_gated else 1) * computing * blocks.feed_forward
    kept += 4 * computing * blocks.queries + 4 * blocks.heads
    if not blocks.is_vision:
        kept += computing * (work.prompt + work.reply) + 8
    if blocks.has_head_norms:
        kept += (4 + 4 * blocks.heads / blocks.queries) * (blocks.queries + blocks.keys)
    if blocks.learns:
        kept += _inputs(shape, work, blocks)
    if blocks.learns and shape.is_full and blocks.scales:
        kept += 8 * blocks.hidden
        if blocks.has_head_norms:
            kept += computing * (blocks.queries + blocks.keys)
    return kept


def _inputs(shape: Shape, work: Work, blocks: Blocks) -> float:
    """Bytes of the inputs of the linear layers, or of their adapters, per token."""
    if work.is_mixed:
        return 2 * (blocks.reads - (blocks.queries if shape.is_full else 0) + 7 * shape.rank)
    if work.weight_bytes == 4:
        return 4 * (2 * blocks.hidden + blocks.feed_forward + 7 * shape.rank)
    return 4 * (blocks.reads + 7 * shape.rank)


def _half_copies(shape: Shape, work: Work, blocks: Blocks) -> float:
    """Bytes of the half precision copies of one layer's float32 weights under mixed precision."""
    if not work.is_mixed or work.is_sharded:  # shards are gathered in half precision
        return 0
    copies = 2.0 * blocks.linear if work.weight_bytes == 4 else 0.0
    if blocks.learns and not shape.is_full:
        copies += 2 * shape.trained / sum(side.layers for side in (shape.language, shape.vision) if side.learns)
    return copies


def _gathered(shape: Shape) -> float:
    """Gathered weights: those outside of layers, the current layer and the next."""
    sides = (shape.language, shape.vision)
    return shape.parameters - sum(side.layers * side.linear for side in sides) + 2 * shape.language.linear


def _at_work(shape: Shape, work: Work, tokens: float, patches: float) -> float:
    """Temporary memory of one layer, the larger of decoder and vision encoder."""
    wide = 4 * work.computing + (0 if shape.is_full else 4)
    needs = [
        places * (wide * blocks.feed_forward + (6 * work.computing + 12) * blocks.hidden)
        for blocks, places in ((shape.language, tokens), (shape.vision, patches))
    ]
    return max(needs)


def _blocks(config: Any, modules: list[Any], side: Side, policy: PolicyConfig) -> Blocks:
    """Shapes from the configuration and from the first layer."""
    layers = getattr(config, "depth", None) or config.num_hidden_layers
    heads = getattr(config, "num_heads", None) or config.num_attention_heads
    head = getattr(config, "head_dim", None) or config.hidden_size // heads
    stacks = [module for module in modules if isinstance(module, nn.ModuleList) and len(module) == layers]
    if not stacks:
        raise PolicyError(f"no stack of {layers} layers is found in this model, so that its memory cannot be estimated")
    layer = max(stacks, key=lambda stack: sum(parameter.numel() for parameter in stack[0].parameters()))[0]
    linears = [module for module in layer.modules() if isinstance(module, nn.Linear)]
    names = {name.rsplit(".", 1)[-1] for name, _ in layer.named_modules()}
    return Blocks(
        is_vision=side == "vision",
        learns=is_trained(side, policy.train_on),
        layers=layers,
        hidden=config.hidden_size,
        feed_forward=config.intermediate_size,
        heads=heads,
        queries=heads * head,
        keys=(getattr(config, "num_key_value_heads", None) or heads) * head,
        linear=sum(linear.weight.numel() for linear in linears),
        reads=sum(linear.in_features for linear in linears),
        is_gated="gate_proj" in names,
        scales=any("RMSNorm" in type(module).__name__ for module in layer.modules()),
        has_head_norms="q_norm" in names,
    )


def _patches(config: Any) -> float:
    """Patches merged into one image token, by each family's setting."""
    vision = config.vision_config
    merge = getattr(vision, "spatial_merge_size", None) or getattr(config, "scale_factor", None)
    if merge is None and getattr(config, "downsample_ratio", None):
        merge = 1 / config.downsample_ratio
    return float((merge or 1) ** 2)


def _side(size: Any) -> int:
    return int(size[0] if isinstance(size, (list, tuple)) else size)
