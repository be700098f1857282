"""Log-probs and gradients of a micro-batch in both ways: a prompt for each reply, and prompts that are read once."""

from __future__ import annotations

import torch

from vision_zero.training.microbatches import PASSES, SEEN, passes
from vision_zero.training.shared_prefix import read_once


def as_rows(model, part):
    """Log-probs and entropies as TRL has them: each reply in a row with its prompt."""
    ids, mask = (torch.cat([part[f"prompt_{name}"], part[f"completion_{name}"]], dim=1) for name in ("ids", "mask"))
    width = part["completion_ids"].shape[1]
    labels = ids.masked_fill(mask == 0, -100)
    labels[:, :-width] = -100
    images = {name: part[name] for name in SEEN if name in part and not name.startswith("num_")}
    scored = model(input_ids=ids, attention_mask=mask, labels=labels, fused_lm_head=True, **images)
    return scored.log_probs[:, -width:], scored.entropy[:, -width:]


def read_together(model, part):
    own = passes(part["completion_mask"].sum(1).tolist())
    scored = model(shared=read_once({PASSES: own, **part}))
    return scored.log_probs, scored.entropy


def learned(model, part, scores):
    """What a pass finds, and its gradients: of a loss in which every reply and token counts otherwise."""
    draw = torch.Generator().manual_seed(1)
    weights = torch.randn(2, *part["completion_mask"].shape, generator=draw) * part["completion_mask"]
    model.zero_grad(set_to_none=True)
    found = torch.stack(scores(model, part))
    (found * weights).sum().backward()
    return found.detach(), {name: value.grad for name, value in model.named_parameters() if value.grad is not None}


def same(one, two):
    assert torch.allclose(one[0], two[0], atol=1e-5)
    whole = torch.stack([gradient.norm() for gradient in one[1].values()]).norm()
    assert whole > 0.1
    assert one[1].keys() == two[1].keys()
    for name, gradient in one[1].items():
        assert (gradient - two[1][name]).norm() <= 1e-5 * gradient.norm() + 1e-6 * whole, name
