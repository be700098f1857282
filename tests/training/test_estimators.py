"""What docs/algorithm.md says of the KL's estimate and of the learning rate."""

import torch
from transformers import get_cosine_schedule_with_warmup


def test_the_gradient_of_the_kl_estimate():
    """The mean of k3 over the policy is KL(pi, reference), the mean of its gradient is that of KL(reference, pi)."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(5, generator=generator, dtype=torch.float64).requires_grad_()
    reference = torch.randn(5, generator=generator, dtype=torch.float64).log_softmax(-1)
    policy = scores.log_softmax(-1)
    ratio = (reference - policy).exp()
    k3 = ratio - ratio.log() - 1
    to_reference = (policy.exp() * (policy - reference)).sum()
    to_policy = (reference.exp() * (reference - policy)).sum()
    chance = policy.exp().detach()
    torch.testing.assert_close((chance * k3).sum(), to_reference)
    of_estimate, of_reference, of_policy = (
        torch.autograd.grad(value, scores, retain_graph=True)[0] for value in ((chance * k3).sum(), to_reference, to_policy)
    )
    torch.testing.assert_close(of_estimate, of_policy)
    assert (of_estimate - of_reference).abs().max() > 0.01


def test_the_first_update_under_a_warm_up_has_rate_0():
    weight = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    schedule = get_cosine_schedule_with_warmup(optimizer, 2, 10)
    seen = []
    for _ in range(3):
        weight.grad = torch.ones(1)
        optimizer.step()
        schedule.step()
        seen.append(weight.item())
    assert seen[0] == 1.0 > seen[1] > seen[2]
