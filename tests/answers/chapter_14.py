"""Chapter 14: answers to its exercises, right and wrong."""

import copy
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

from answers.kit import right, wrong

# 14.1: bytes in a ring
right("14.1", 1.75e8)
right("14.1", Fraction(14, 8) * 25_000_000 * 4)
right("14.1", np.array(175_000_000))
right("14.1", [14 * 25_000_000 // 8 * 4])
right("14.1", np.float32(1.75e8))
right("14.1", sum(25_000_000 / 8 * 4 for step in range(2 * (8 - 1))))
wrong("14.1", "numbers instead of bytes", 2 * 7 * 25_000_000 / 8)
wrong("14.1", "one phase only", 7 * 25_000_000 / 8 * 4)
wrong("14.1", "all parts in each phase", 2 * 25_000_000 * 4)
wrong("14.1", "whole vector in each message", 7 * 25_000_000 * 4)
wrong("14.1", "eight times too much", 8 * 2 * 7 * 25_000_000 / 8 * 4)
wrong("14.1", "eight times too much", 2 * 7 * 25_000_000 * 4)
wrong("14.1", "another unit", 175)
wrong("14.1", "another unit", 175_000_000 / 1024**2)
wrong("14.1", "messages counted", 2 * (8 - 1))


# 14.2: the whole batch's gradient
@right("14.2")
def whole_by_einsum(g, counts):
    counts = torch.as_tensor(counts, dtype=g.dtype, device=g.device)
    return torch.einsum("p,pn->n", counts / counts.sum(), g)


@right("14.2")
def whole_by_loops(g, counts):
    total = 0
    for n in counts:
        total = total + n
    places = []
    for j in range(g.shape[1]):
        place = 0
        for p in range(len(counts)):
            place = place + counts[p] / total * g[p, j]
        places.append(place)
    return torch.stack(places)


@right("14.2")
def whole_by_stack(g, counts):
    weighed = torch.stack([row * n for row, n in zip(g, counts, strict=True)])
    return weighed.sum(dim=0) / sum(counts)


@wrong("14.2", "shares unweighted")
def whole_plain_mean(g, counts):
    total = 0
    for row in g:
        total = total + row
    return total / len(g)


@wrong("14.2", "sum of means")
def whole_sum(g, counts):
    total = 0
    for i in range(len(counts)):
        total = total + g[i]
    return total


@wrong("14.2", "weights not normalized")
def whole_not_normalized(g, counts):
    total = 0
    for i in range(len(counts)):
        total = total + counts[i] * g[i]
    return total


@wrong("14.2", "divided by the processes")
def whole_by_processes(g, counts):
    total = 0
    for i in range(len(counts)):
        total = total + counts[i] * g[i]
    return total / len(counts)


@wrong("14.2", "weighted the wrong way")
def whole_divided(g, counts):
    total = 0
    for i in range(len(counts)):
        total = total + g[i] / counts[i]
    return total


@wrong("14.2", "weighted the wrong way")
def whole_inverse_weights(g, counts):
    weights = [1 / n for n in counts]
    return sum(w * row for w, row in zip(weights, g, strict=True)) / sum(weights)


@wrong("14.2", "weighted the wrong way")
def whole_total_by_count(g, counts):
    total = sum(counts)
    return sum(row * (total / n) for row, n in zip(g, counts, strict=True))


@wrong("14.2", "weighted the wrong way")
def whole_mean_of_divided(g, counts):
    return sum(row / n for row, n in zip(g, counts, strict=True)) / len(counts)


@wrong("14.2", "first process only")
def whole_first(g, counts):
    return g[0]


@wrong("14.2", "first process only")
def whole_return_in_loop(g, counts):
    total = 0
    for n, row in zip(counts, g, strict=True):
        total = total + n * row / sum(counts)
        return total


EXAMPLE = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])


@wrong("14.2", "same result for every input")
def whole_of_the_example(g, counts):
    total = 0
    for n, row in zip([50, 30, 20], EXAMPLE, strict=True):
        total = total + n * row
    return total / 100


@wrong("14.2", "all zeros")
def whole_never_added(g, counts):
    total = torch.zeros_like(g[0])
    for n, row in zip(counts, g, strict=True):
        total + n * row
    return total / sum(counts)


@wrong("14.2", "scaled by a constant")
def whole_in_percent(g, counts):
    percent = [100 * n / sum(counts) for n in counts]
    return sum(p * row for p, row in zip(percent, g, strict=True))


@wrong("14.2", "shifted by a constant")
def whole_added_to_ones(g, counts):
    out = torch.ones_like(g[0])
    for n, row in zip(counts, g, strict=True):
        out += n / sum(counts) * row
    return out


@wrong("14.2", "wrong sign")
def whole_downhill(g, counts):
    return -sum(n / sum(counts) * row for n, row in zip(counts, g, strict=True))


@wrong("14.2", "nan in the result")
def whole_in_empty_memory(g, counts):
    out = torch.empty_like(g[0])
    for n, row in zip(counts, g, strict=True):
        out += n / sum(counts) * row
    return out


@wrong("14.2", "one element too short")
def whole_one_too_few(g, counts):
    out = g.new_zeros(g.shape[1] - 1)
    for j in range(g.shape[1] - 1):
        for p in range(len(counts)):
            out[j] += counts[p] * g[p, j] / sum(counts)
    return out


@wrong("14.2", "missing return")
def whole_without_return(g, counts):
    total = 0
    for n, row in zip(counts, g, strict=True):
        total = total + n * row
    total = total / sum(counts)


@wrong("14.2", "printed instead of returned")
def whole_printed(g, counts):
    total = 0
    for n, row in zip(counts, g, strict=True):
        total = total + n * row
    print(total / sum(counts))


@right("14.2")
def whole_rows_weighed_in_place(g, counts):
    with torch.no_grad():
        for i in range(len(counts)):
            g[i] *= counts[i] / sum(counts)
    return g.sum(dim=0)


@right("14.2")
def whole_rows_replaced(g, counts):
    for i in range(len(counts)):
        g[i] = g[i] * counts[i]
    return g.sum(dim=0) / sum(counts)


@right("14.2")
def whole_counts_replaced(g, counts):
    total = sum(counts)
    for i in range(len(counts)):
        counts[i] = counts[i] / total
    return sum(w * row for w, row in zip(counts, g, strict=True))


@right("14.2")
def whole_in_float32(g, counts):
    weights = torch.tensor([n / sum(counts) for n in counts], device=g.device)
    return weights.float() @ g.float()


@right("14.2")
def whole_on_the_cpu(g, counts):
    out = torch.zeros(g.shape[1], dtype=g.dtype)
    for j in range(g.shape[1]):
        out[j] = sum(counts[p] * g[p, j] for p in range(len(counts))) / sum(counts)
    return out


@right("14.2")
def whole_by_items(g, counts):
    out = torch.zeros_like(g[0])
    for j in range(len(out)):
        for n, row in zip(counts, g, strict=True):
            out[j] += n / sum(counts) * row[j].item()
    return out


@right("14.2")
def whole_detached(g, counts):
    weights = torch.as_tensor(counts, dtype=g.dtype, device=g.device)
    return (weights @ g.detach()) / weights.sum()


@right("14.2")
def whole_as_list(g, counts):
    places = []
    for j in range(g.shape[1]):
        place = sum(counts[p] * float(g[p, j]) for p in range(len(counts)))
        places.append(place / sum(counts))
    return places


@right("14.2")
def whole_in_numpy(g, counts):
    return np.average(g.numpy(), axis=0, weights=counts)


@right("14.2")
def whole_as_running_mean(g, counts):
    mean, seen = torch.zeros_like(g[0]), 0
    for row, n in zip(g, counts, strict=True):
        seen += n
        mean += (row - mean) * n / seen
    return mean[None]


@right("14.2")
def whole_by_repeating(g, counts):
    return g.repeat_interleave(torch.tensor(counts), dim=0).mean(dim=0)


@wrong("14.2", "weights of the example")
def whole_with_fixed_shares(g, counts):
    return 0.5 * g[0] + 0.3 * g[1] + 0.2 * g[2]


@wrong("14.2", "weights of the example")
def whole_with_fixed_counts(g, counts):
    counts = [50, 30, 20]
    return sum(n * row for n, row in zip(counts, g, strict=False)) / sum(counts)


@wrong("14.2", "three processes only")
def whole_of_three(g, counts):
    total = counts[0] + counts[1] + counts[2]
    weighted = [counts[r] * g[r] for r in range(3)]
    return (weighted[0] + weighted[1] + weighted[2]) / total


@wrong("14.2", "last process only")
def whole_replaced(g, counts):
    for row, n in zip(g, counts, strict=True):
        total = n * row
    return total


@wrong("14.2", "divided by the processes")
def whole_mean_of_weighted(g, counts):
    shares = torch.tensor([n / sum(counts) for n in counts], dtype=g.dtype)
    return (shares[:, None] * g).mean(dim=0)


# 14.3: the gradient, part by part
@right("14.3")
def accumulated_by_grad(net, x, y, parts):
    total = 0
    size = len(x) // parts
    for i in range(parts):
        part = slice(i * size, (i + 1) * size)
        loss = F.cross_entropy(net(x[part]), y[part])
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        total = total + torch.cat([g.reshape(-1) for g in gradients])
    return total / parts


@right("14.3")
def accumulated_by_sums(net, x, y, parts):
    for p in net.parameters():
        p.grad = None
    for xs, ys in zip(x.split(len(x) // parts), y.split(len(y) // parts), strict=True):
        F.cross_entropy(net(xs), ys, reduction="sum").backward()
    return torch.cat([p.grad.reshape(-1) / len(x) for p in net.parameters()])


@right("14.3")
def accumulated_on_a_copy(net, x, y, parts):
    net = copy.deepcopy(net)
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys).backward()
    vector = torch.nn.utils.parameters_to_vector([p.grad for p in net.parameters()])
    return vector / parts


@wrong("14.3", "sum of means")
def accumulated_sum(net, x, y, parts):
    net.zero_grad()
    size = len(x) // parts
    for i in range(parts):
        part = slice(i * size, (i + 1) * size)
        F.cross_entropy(net(x[part]), y[part]).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "last part only")
def accumulated_emptied_each_time(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        net.zero_grad()
        loss = F.cross_entropy(net(xs), ys) / parts
        loss.backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "last part only")
def accumulated_last_mean(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        net.zero_grad()
        F.cross_entropy(net(xs), ys).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "first part only")
def accumulated_return_in_loop(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        loss = F.cross_entropy(net(xs), ys) / parts
        loss.backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "first part only")
def accumulated_first_mean(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys).backward()
        return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "old gradient kept")
def accumulated_never_emptied(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        (F.cross_entropy(net(xs), ys) / parts).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "old gradient kept")
def accumulated_never_emptied_nor_divided(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "old gradient kept")
def accumulated_all_divided_in_the_end(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()]) / parts


@wrong("14.3", "divided by the images")
def accumulated_by_images(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        (F.cross_entropy(net(xs), ys) / len(x)).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "divided by the images")
def accumulated_by_images_of_a_part(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        (F.cross_entropy(net(xs), ys) / len(xs)).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@right("14.3")
def accumulated_by_func(net, x, y, parts):
    weights = {name: p.detach() for name, p in net.named_parameters()}

    def loss(weights, xs, ys):
        scores = torch.func.functional_call(net, weights, (xs,))
        return F.cross_entropy(scores, ys)

    vectors = []
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        gradients = torch.func.grad(loss)(weights, xs, ys)
        vectors.append(torch.cat([gradients[name].flatten() for name in weights]))
    return torch.stack(vectors).mean(dim=0)


@right("14.3")
def accumulated_image_by_image(net, x, y, parts):
    net.zero_grad()
    for image, label in zip(x, y, strict=True):
        (F.cross_entropy(net(image), label) / len(x)).backward()
    return [v for p in net.parameters() for v in p.grad.flatten().tolist()]


@right("14.3")
def accumulated_in_numpy(net, x, y, parts):
    size, total = len(x) // parts, 0
    for start in range(0, len(x), size):
        net.zero_grad()
        scores = net(x[start : start + size])
        log_probabilities = scores - scores.logsumexp(dim=1, keepdim=True)
        chosen = log_probabilities[torch.arange(size), y[start : start + size]]
        (-chosen.mean()).backward()
        total = total + np.concatenate(
            [p.grad.numpy().ravel() for p in net.parameters()]
        )
    return total / parts


@right("14.3")
def accumulated_in_float32(net, x, y, parts):
    net = net.float()
    net.zero_grad(set_to_none=True)
    loss = torch.nn.CrossEntropyLoss()
    for xs, ys in zip(x.float().chunk(parts), y.chunk(parts), strict=True):
        loss(net(xs), ys).backward(retain_graph=True)
    return torch.cat([p.grad.reshape(-1, 1) for p in net.parameters()]).div(parts)


@right("14.3")
def accumulated_by_finite_differences(net, x, y, parts):
    flat = torch.nn.utils.parameters_to_vector(net.parameters()).detach()
    out, h = torch.zeros_like(flat), 1e-5
    with torch.no_grad():
        for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
            for i in range(len(flat)):
                for sign in (1, -1):
                    moved = flat.clone()
                    moved[i] += sign * h
                    torch.nn.utils.vector_to_parameters(moved, net.parameters())
                    out[i] += sign * F.cross_entropy(net(xs), ys) / (2 * h) / parts
    return out


@wrong("14.3", "divided twice")
def accumulated_divided_twice(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        (F.cross_entropy(net(xs), ys) / parts).backward()
    return torch.cat([p.grad.flatten() / parts for p in net.parameters()])


@wrong("14.3", "loss instead of gradient")
def accumulated_loss(net, x, y, parts):
    total = 0
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        loss = F.cross_entropy(net(xs), ys) / parts
        loss.backward()
        total += loss.item()
    return total


@wrong("14.3", "old gradient kept")
def accumulated_sums_on_the_old(net, x, y, parts):
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys, reduction="sum").backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


# 14.4: the shares' variance
numbers = torch.arange(1.0, 9.0)
first, second = numbers[:4], numbers[4:]
within = np.mean([np.var([1, 2, 3, 4]), np.var([5, 6, 7, 8])])
whole = np.var(np.arange(1, 9))

right("14.4", Fraction(5, 21), "a")
right("14.4", within / whole, "a")
right("14.4", 0.238, "a")
right("14.4", np.float32(0.2381), "(a)")
right("14.4", [1.25 / 5.25], "A")
right("14.4", torch.tensor([[5 / 21]]), "a")
wrong("14.4", "other variance", within / numbers.var(), "a")
wrong("14.4", "not divided", first.var(), "a")
wrong("14.4", "other variance", (first.var() + second.var()) / 2 / numbers.var(), "a")
wrong("14.4", "deviation instead of variance", (within / whole) ** 0.5, "a")
wrong(
    "14.4", "deviation instead of variance", np.std([1, 2, 3, 4]) / np.sqrt(whole), "a"
)
wrong("14.4", "inverse ratio", whole / within, "a")
wrong("14.4", "numbers dealt out alternately", np.var([1, 3, 5, 7]) / whole, "a")
wrong("14.4", "shares thought to be alike", 1.0, "a")
wrong("14.4", "too few numbers blamed", 5 / 21, "b")
wrong("14.4", "rounding blamed", 5 / 21, "c")


wrong("14.1", "one part only", 25_000_000 / 8 * 4)
wrong("14.1", "one phase only", 100_000_000)


@wrong("14.2", "last process only")
def whole_of_the_last(g, counts):
    total = sum(counts)
    for r in range(len(counts)):
        result = g[r] * counts[r] / total
    return result


@wrong("14.2", "plain sum divided")
def whole_from_plain_sum(g, counts):
    return torch.sum(g, dim=0) / sum(counts)


@wrong("14.3", "sum over the images")
def accumulated_sums(net, x, y, parts):
    net.zero_grad()
    for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True):
        F.cross_entropy(net(xs), ys, reduction="sum").backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "too much in memory")
def accumulated_in_one_go(net, x, y, parts):
    net.zero_grad()
    F.cross_entropy(net(x), y).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


@wrong("14.3", "too much in memory")
def accumulated_with_one_backward(net, x, y, parts):
    net.zero_grad()
    losses = [
        F.cross_entropy(net(xs), ys)
        for xs, ys in zip(x.chunk(parts), y.chunk(parts), strict=True)
    ]
    (sum(losses) / parts).backward()
    return torch.cat([p.grad.flatten() for p in net.parameters()])


wrong("14.4", "sum instead of mean", 10 / 21, "a")
wrong("14.4", "not divided", 1.25, "a")
wrong("14.4", "lost fraction instead of what is left", 16 / 21, "a")
