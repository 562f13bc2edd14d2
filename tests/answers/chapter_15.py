"""Answers to chapter 15's exercises: right in other ways, and wrong in known ones."""

import math
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

from answers.kit import right, wrong

# 15.1: the floor with two softmaxes
right("15.1", 0.313)
right("15.1", torch.tensor([1.0, 0.0]).softmax(0)[0].log().neg())
right("15.1", [-math.log(math.e / (math.e + 1))])
right("15.1", np.float32(math.log1p(math.exp(-1))))
wrong("15.1", "ten classes", 1.461)
wrong("15.1", "ten classes", math.log(1 + 9 / math.e))
wrong("15.1", "loss of zero", 0.0)
wrong("15.1", "initial loss", 0.693)
wrong("15.1", "one softmax", 1)
wrong("15.1", "probability, not its logarithm", 0.731)
wrong("15.1", "decimal or binary logarithm", 0.136)
wrong("15.1", "decimal or binary logarithm", 0.452)
wrong("15.1", "wrong class", math.log(1 + math.e))
wrong("15.1", "two wrong classes", math.log(1 + 2 / math.e))
wrong("15.1", "wrong sign", -0.3133)
wrong("15.1", "", 0.4)


# 15.2: a training step
@right("15.2")
def step_in_the_usual_order(net, x, y, optimizer):
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss


@right("15.2")
def step_that_cleans_up(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return loss.detach()


@right("15.2")
def step_by_log_probabilities(net, x, y, optimizer):
    net.zero_grad()
    log_p = net(x).log_softmax(dim=1)
    loss = -log_p[torch.arange(len(y)), y].sum() / len(y)
    loss.backward()
    optimizer.step()
    return float(loss)


@right("15.2")
def step_with_a_sum_divided(net, x, y, optimizer):
    for p in net.parameters():
        p.grad = None
    loss = F.cross_entropy(net(x), y, reduction="sum") / len(x)
    loss.backward()
    optimizer.step()
    return [loss.item()]


@wrong("15.2", "gradients reset before the step")
def step_with_late_zero_grad(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@wrong("15.2", "gradients reset before the step")
def step_forgotten(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@wrong("15.2", "gradients add up")
def step_without_zero_grad(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("15.2", "softmax applied twice")
def step_of_probabilities(net, x, y, optimizer):
    loss = F.cross_entropy(net(x).softmax(dim=1), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("15.2", "softmax applied twice")
def step_with_only_the_order_fixed(net, x, y, optimizer):
    scores = net(x).softmax(dim=1)
    loss = F.cross_entropy(scores, y, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("15.2", "softmax applied twice")
def step_with_only_the_mean_fixed(net, x, y, optimizer):
    scores = net(x).softmax(dim=1)
    loss = F.cross_entropy(scores, y)
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@wrong("15.2", "sum instead of mean")
def step_of_the_sum(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y, reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


@wrong("15.2", "sum instead of mean")
def step_with_only_the_softmax_fixed(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y, reduction="sum")
    loss.backward()
    optimizer.zero_grad()
    optimizer.step()
    return loss.item()


@wrong("15.2", "step before backward")
def step_too_early(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    optimizer.step()
    optimizer.zero_grad()
    loss.backward()
    return loss.item()


@wrong("15.2", "uphill")
def step_uphill(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    (-loss).backward()
    optimizer.step()
    return loss.item()


@wrong("15.2", "missing return")
def step_without_return(net, x, y, optimizer):
    loss = F.cross_entropy(net(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


# 15.3: warm-up and cosine
@right("15.3")
def rate_with_a_factor(step, steps, warmup, peak, final):
    if step + 1 <= warmup:
        return (step + 1) * peak / warmup
    c = 0.5 + 0.5 * math.cos((step - warmup) * math.pi / (steps - warmup))
    return c * peak + (1 - c) * final


@right("15.3")
def rate_with_a_squared_cosine(step, steps, warmup, peak, final):
    if step < warmup:
        return torch.tensor(peak * (step + 1) / warmup)
    half = math.pi / 2 * (step - warmup) / (steps - warmup)
    return torch.tensor(final + (peak - final) * math.cos(half) ** 2)


@right("15.3")
def rate_by_pytorch(step, steps, warmup, peak, final):
    if step < warmup:
        return np.linspace(0, peak, warmup + 1)[step + 1]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(
        optimizer, steps - warmup, final
    )
    for _ in range(step - warmup):
        optimizer.step()
        schedule.step()
    return schedule.get_last_lr()


@wrong("15.3", "warm-up starts at zero")
def rate_from_zero(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * step / warmup
    return rate_with_a_factor(step, steps, warmup, peak, final)


@wrong("15.3", "final rate ignored")
def rate_to_zero(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return peak * (1 + math.cos(math.pi * progress)) / 2


@wrong("15.3", "final rate added")
def rate_above_the_peak(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return final + peak * (1 + math.cos(math.pi * progress)) / 2


@wrong("15.3", "cosine from step 0")
def rate_with_an_early_cosine(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    return final + (peak - final) * (1 + math.cos(math.pi * step / steps)) / 2


@wrong("15.3", "divided by all steps")
def rate_with_a_slow_cosine(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / steps
    return final + (peak - final) * (1 + math.cos(math.pi * progress)) / 2


@wrong("15.3", "last step at the final rate")
def rate_that_ends_early(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup - 1)
    return final + (peak - final) * (1 + math.cos(math.pi * progress)) / 2


@wrong("15.3", "whole period")
def rate_down_and_up(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return final + (peak - final) * (1 + math.cos(2 * math.pi * progress)) / 2


@wrong("15.3", "quarter period")
def rate_of_a_quarter(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return final + (peak - final) * math.cos(math.pi / 2 * progress)


@wrong("15.3", "straight line")
def rate_on_a_line(step, steps, warmup, peak, final):
    if step < warmup:
        return peak * (step + 1) / warmup
    progress = (step - warmup) / (steps - warmup)
    return (1 - progress) * peak + progress * final


@wrong("15.3", "no warm-up")
def rate_without_warmup(step, steps, warmup, peak, final):
    return final + (peak - final) * (1 + math.cos(math.pi * step / steps)) / 2


@wrong("15.3", "factor instead of rate")
def rate_as_a_factor(step, steps, warmup, peak, final):
    if step < warmup:
        return (step + 1) / warmup
    return (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2


@wrong("15.3", "factor instead of rate")
def rate_with_a_factor_first(step, steps, warmup, peak, final):
    if step < warmup:
        return (step + 1) / warmup
    return rate_with_a_factor(step, steps, warmup, peak, final)


# 15.4: MixUp's loss
@right("15.4")
def mixup_by_targets(scores, labels, share):
    targets = F.one_hot(labels, scores.shape[1]).to(scores)
    mixed = share * targets + (1 - share) * torch.cat([targets[-1:], targets[:-1]])
    return -(mixed * scores.log_softmax(dim=1)).sum(dim=1).mean()


@right("15.4")
def mixup_by_loops(scores, labels, share):
    log_p = scores.log_softmax(dim=1)
    total = 0
    for n in range(len(labels)):
        total -= share * log_p[n, labels[n]]
        total -= (1 - share) * log_p[n, labels[n - 1]]
    return total / len(labels)


@right("15.4")
def mixup_with_interpolation(scores, labels, share):
    own = F.cross_entropy(scores, labels)
    before = F.cross_entropy(scores, labels[torch.arange(len(labels)) - 1])
    return torch.lerp(before, own, share)


@right("15.4")
def mixup_shifted_back(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores.roll(-1, 0), labels)
    return share * first + (1 - share) * second


@wrong("15.4", "weights swapped")
def mixup_with_only_the_labels_fixed(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores, labels.roll(1))
    return share * second + (1 - share) * first


@wrong("15.4", "wrong neighbor")
def mixup_with_only_the_shares_fixed(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores.roll(1, 0), labels)
    return share * first + (1 - share) * second


@wrong("15.4", "wrong neighbor")
def mixup_with_the_next_image(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores, labels.roll(-1))
    return share * first + (1 - share) * second


@wrong("15.4", "one label only")
def mixup_without_the_second_label(scores, labels, share):
    return F.cross_entropy(scores, labels)


@wrong("15.4", "wrong neighbor and weights swapped")
def mixup_with_another_shift(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores, torch.cat([labels[1:], labels[:1]]))
    return share * second + (1 - share) * first


@wrong("15.4", "equal weights")
def mixup_in_halves(scores, labels, share):
    first = F.cross_entropy(scores, labels)
    second = F.cross_entropy(scores, labels.roll(1))
    return (first + second) / 2


@wrong("15.4", "sum instead of mean")
def mixup_summed(scores, labels, share):
    first = F.cross_entropy(scores, labels, reduction="sum")
    second = F.cross_entropy(scores, labels.roll(1), reduction="sum")
    return share * first + (1 - share) * second


# 15.5: at least one of twenty
right("15.5", 0.64)
right("15.5", Fraction(1) - Fraction(19, 20) ** 20)
right("15.5", [0.6415])
right("15.5", 1 - math.prod([0.95] * 20))
wrong("15.5", "one ingredient only", 0.05)
wrong("15.5", "expected number", 20 * 0.05)
wrong("15.5", "none of them", 0.358)
wrong("15.5", "all of them", 0.05**20)
wrong("15.5", "exactly one", 0.377)
wrong("15.5", "level and its complement swapped", 0.95)
wrong("15.5", "wrong number of ingredients", 1 - 0.95**14)
wrong("15.5", "fraction or percentage", 64.15)
wrong("15.5", "", 0.7)
