"""Chapter 11: answers to its exercises, right and wrong."""

import math
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

from answers.kit import right, wrong

# 11.1: two losses
right("11.1", (0.0101, 4.61))
right("11.1", np.array([-np.log(0.99), -np.log(0.01)]))
right("11.1", -torch.tensor([0.99, 0.01]).log())
right("11.1", [0.01005, 4.605])
right("11.1", [0.01005, 4.6])
right("11.1", [math.log(100 / 99), math.log(100)])
right("11.1", np.log([100 / 99, 100], dtype=np.float32)[:, None])
right(
    "11.1",
    F.binary_cross_entropy(
        torch.tensor([0.99, 0.01]), torch.ones(2), reduction="none"
    ).tolist(),
)
wrong("11.1", "percentages inserted", [-math.log(99), -math.log(1)])
wrong("11.1", "percentages inserted", [math.log(99), math.log(1)])
wrong("11.1", "losses swapped", [4.61, 0.0101])
wrong("11.1", "losses swapped", [-math.log(1 - 0.99), -math.log(1 - 0.01)])
wrong("11.1", "squared error", [2 * 0.01**2, 2 * 0.99**2])
wrong("11.1", "softmax applied to probabilities", [0.318, 1.3])
wrong(
    "11.1",
    "softmax applied to probabilities",
    F.cross_entropy(
        torch.tensor([[0.99, 0.01], [0.01, 0.99]]),
        torch.tensor([0, 0]),
        reduction="none",
    ),
)
wrong(
    "11.1",
    "weighted by the probability",
    [-0.99 * math.log(0.99), -0.01 * math.log(0.01)],
)
wrong("11.1", "both classes counted", [0.0201, 9.21])
wrong("11.1", "one number", 4.62)
wrong("11.1", "rounded too far", [0.01, 4.6])
wrong("11.1", "sign forgotten", [math.log(0.99), math.log(0.01)])
wrong("11.1", "sign forgotten", [-0.0101, -4.61])
wrong("11.1", "decimal logarithm", [-math.log10(0.99), -math.log10(0.01)])
wrong("11.1", "decimal logarithm", [0.00436, 2])
wrong("11.1", "binary logarithm", [-math.log2(0.99), -math.log2(0.01)])
wrong("11.1", "binary logarithm", [0.0145, 6.64])
wrong("11.1", "distance to 1", [0.01, 0.99])
wrong("11.1", "squared error", [0.01**2, 0.99**2])
wrong("11.1", "one number", -(math.log(0.99) + math.log(0.01)) / 2)
wrong("11.1", "one number", 2.31)


# 11.2: the smooth loss
@right("11.2")
def smooth_by_torch(scores, labels, amount):
    return F.cross_entropy(scores, labels, label_smoothing=amount)


@right("11.2")
def smooth_by_loops(scores, labels, amount):
    n, classes = scores.shape
    total = 0
    for i in range(n):
        log_sum = torch.logsumexp(scores[i], dim=0)
        for c in range(classes):
            wanted = amount / classes
            if c == labels[i]:
                wanted = wanted + 1 - amount
            total = total + wanted * (log_sum - scores[i, c])
    return total / n


@right("11.2")
def smooth_by_two_losses(scores, labels, amount):
    log_p = F.log_softmax(scores, dim=1)
    hard = -log_p.gather(1, labels[:, None]).mean()
    even = -torch.einsum("nc->n", log_p).mean() / scores.shape[1]
    return (1 - amount) * hard + amount * even


@right("11.2")
def smooth_by_numpy(scores, labels, amount):
    scores, labels = scores.numpy(), labels.numpy()
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    wanted = np.full(scores.shape, amount / scores.shape[1])
    wanted[np.arange(len(labels)), labels] += 1 - amount
    return -np.sum(wanted * log_p, axis=1).mean()


@right("11.2")
def smooth_in_lists(scores, labels, amount):
    losses = []
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        log_sum = math.log(sum(math.exp(score) for score in row))
        loss = (1 - amount) * (log_sum - row[label])
        losses.append(loss + amount * (log_sum - sum(row) / len(row)))
    return sum(losses) / len(losses)


@right("11.2")
def smooth_in_float32(scores, labels, amount):
    wanted = torch.zeros(scores.shape).scatter_(1, labels[:, None], 1.0)
    wanted.mul_(1 - amount).add_(amount / scores.shape[1])
    return F.cross_entropy(scores.float(), wanted)


@right("11.2")
def smooth_by_a_module(scores, labels, amount):
    loss = torch.nn.CrossEntropyLoss(label_smoothing=amount)
    return loss(scores, labels)[None]


@right("11.2")
def smooth_by_einsum(scores, labels, amount):
    classes = scores.shape[1]
    wanted = torch.eye(classes)[labels] * (1 - amount) + amount / classes
    log_p = torch.log(torch.softmax(scores, dim=1))
    return -torch.einsum("nc,nc->", wanted.double(), log_p) / len(labels)


@wrong("11.2", "loss of each image")
def smooth_without_mean(scores, labels, amount):
    classes = scores.shape[1]
    wanted = F.one_hot(labels, classes) * (1 - amount) + amount / classes
    return -(wanted * scores.log_softmax(dim=1)).sum(dim=1)


@wrong("11.2", "roles swapped")
def smooth_exchanged(scores, labels, amount):
    classes = scores.shape[1]
    wanted = F.one_hot(labels, classes) * amount + (1 - amount) / classes
    return -(wanted * scores.log_softmax(dim=1)).sum(dim=1).mean()


@wrong("11.2", "softmax applied twice")
def smooth_softmax_twice(scores, labels, amount):
    probabilities = torch.softmax(scores, dim=1)
    return F.cross_entropy(probabilities, labels, label_smoothing=amount)


@wrong("11.2", "predictions smoothed")
def smooth_predictions(scores, labels, amount):
    p = scores.softmax(dim=1)[torch.arange(len(labels)), labels]
    return -torch.log((1 - amount) * p + amount / scores.shape[1]).mean()


@wrong("11.2", "Kullback-Leibler divergence")
def smooth_divergence(scores, labels, amount):
    classes = scores.shape[1]
    wanted = F.one_hot(labels, classes) * (1 - amount) + amount / classes
    return (wanted * (wanted.log() - scores.log_softmax(dim=1))).sum(dim=1).mean()


@wrong("11.2", "smoothing forgotten")
def smooth_plain(scores, labels, amount):
    return F.cross_entropy(scores, labels)


@wrong("11.2", "smoothing forgotten")
def smooth_plain_loop(scores, labels, amount):
    log_p = scores.log_softmax(dim=1)
    losses = [-log_p[i, labels[i]] for i in range(len(labels))]
    return sum(losses) / len(losses)


@wrong("11.2", "sum instead of mean")
def smooth_summed(scores, labels, amount):
    n, classes = scores.shape
    log_p = scores.log_softmax(dim=1)
    loss = 0
    for i in range(n):
        for c in range(classes):
            wanted = amount / classes
            if c == labels[i]:
                wanted += 1 - amount
            loss = loss - wanted * log_p[i, c]
    return loss


@wrong("11.2", "mean over the classes, too")
def smooth_mean_of_all(scores, labels, amount):
    classes = scores.shape[1]
    wanted = torch.full_like(scores, amount / classes)
    for i, label in enumerate(labels):
        wanted[i, label] += 1 - amount
    return -(wanted * torch.log_softmax(scores, 1)).mean()


@wrong("11.2", "correct class left out")
def smooth_wrong_classes_only(scores, labels, amount):
    n, classes = scores.shape
    log_p = torch.log_softmax(scores, dim=1)
    wanted = torch.full_like(scores, amount / (classes - 1))
    wanted[torch.arange(n), labels] = 1 - amount
    return -(wanted * log_p).sum(1).mean()


@wrong("11.2", "uniform part forgotten")
def smooth_shrunk(scores, labels, amount):
    log_p = torch.log_softmax(scores, dim=1)
    loss = 0
    for i in range(len(labels)):
        loss = loss - (1 - amount) * log_p[i, labels[i]]
    return loss / len(labels)


@wrong("11.2", "amount not divided")
def smooth_whole_amount(scores, labels, amount):
    wanted = torch.full_like(scores, amount)
    for i in range(len(labels)):
        wanted[i, labels[i]] = 1 - amount + amount
    return -(wanted * scores.log_softmax(1)).sum(1).mean()


@wrong("11.2", "correct class not lowered")
def smooth_more_than_one(scores, labels, amount):
    classes = scores.shape[1]
    wanted = F.one_hot(labels, classes).to(scores.dtype)
    wanted = wanted + amount / classes
    return -(wanted * scores.log_softmax(1)).sum(1).mean()


@wrong("11.2", "logarithm missing")
def smooth_without_logarithm(scores, labels, amount):
    n, classes = scores.shape
    p = torch.softmax(scores, dim=1)
    total = 0
    for i in range(n):
        for c in range(classes):
            wanted = amount / classes + (1 - amount if c == labels[i] else 0)
            total = total - wanted * p[i, c]
    return total / n


@wrong("11.2", "softmax over the batch")
def smooth_over_the_images(scores, labels, amount):
    n, classes = scores.shape
    log_p = torch.log_softmax(scores, dim=0)
    wanted = torch.full_like(scores, amount / classes)
    wanted[torch.arange(n), labels] += 1 - amount
    return -(wanted * log_p).sum(1).mean()


# 11.3: recall and precision
@right("11.3")
def rates_by_loops(confusion):
    recall, precision = [], []
    for k in range(len(confusion)):
        found = confusion[k, k]
        recall.append(found / sum(confusion[k, j] for j in range(len(confusion))))
        precision.append(found / sum(confusion[i, k] for i in range(len(confusion))))
    return torch.stack([torch.stack(recall), torch.stack(precision)])


@right("11.3")
def rates_by_einsum(confusion):
    found = torch.einsum("ii->i", confusion)
    taken = torch.einsum("ij->j", confusion)
    were = torch.einsum("ij->i", confusion)
    return torch.stack((found / were, found / taken), dim=0)


@right("11.3")
def rates_by_normalizing(confusion):
    by_row = confusion / confusion.sum(1, keepdim=True)
    by_column = confusion / confusion.sum(0, keepdim=True)
    return torch.cat([by_row.diag()[None], by_column.diag()[None]])


@wrong("11.3", "recall and precision swapped")
def rates_exchanged(confusion):
    n = confusion.shape[0]
    recall = [confusion[k, k] / confusion[:, k].sum() for k in range(n)]
    precision = [confusion[k, k] / confusion[k, :].sum() for k in range(n)]
    return torch.stack([torch.stack(recall), torch.stack(precision)])


@wrong("11.3", "recall twice")
def rates_recall_twice(confusion):
    recall = confusion.diag() / confusion.sum(1)
    precision = confusion.diag() / confusion.sum(-1)
    return torch.stack([recall, precision])


@wrong("11.3", "precision twice")
def rates_precision_twice(confusion):
    n = len(confusion)
    recall = torch.stack([confusion[k, k] / confusion[:, k].sum() for k in range(n)])
    precision = confusion.diagonal() / confusion.sum(0)
    return torch.stack([recall, precision])


@wrong("11.3", "fraction of all digits")
def rates_of_all(confusion):
    recall = confusion.diag() / confusion.sum()
    precision = confusion.diag() / confusion.sum()
    return torch.stack([recall, precision])


@wrong("11.3", "incorrect predictions only")
def rates_by_mistakes(confusion):
    found = confusion.diagonal()
    missed = confusion.sum(dim=1) - found
    mistaken = confusion.sum(dim=0) - found
    return torch.stack([found / missed, found / mistaken])


@wrong("11.3", "counts instead of fractions")
def rates_counted(confusion):
    found = [confusion[k, k] for k in range(len(confusion))]
    return torch.stack([torch.stack(found), torch.stack(found)])


@wrong("11.3", "transposed output")
def rates_transposed(confusion):
    rows = []
    for k in range(len(confusion)):
        recall = confusion[k, k] / confusion[k].sum()
        precision = confusion[k, k] / confusion[:, k].sum()
        rows.append(torch.stack([recall, precision]))
    return torch.stack(rows)


EXAMPLE = torch.tensor([[8.0, 1.0, 1.0], [2.0, 7.0, 1.0], [0.0, 3.0, 7.0]])


@wrong("11.3", "same result for every input")
def rates_of_the_example(confusion):
    found = EXAMPLE.diag()
    return torch.stack([found / EXAMPLE.sum(1), found / EXAMPLE.sum(0)])


@wrong("11.3", "scaled by a constant")
def rates_in_percent(confusion):
    found = confusion.diagonal()
    recall, precision = found / confusion.sum(1), found / confusion.sum(0)
    return 100 * torch.stack([recall, precision])


@wrong("11.3", "shifted by a constant")
def rates_added_to_ones(confusion):
    out = torch.ones_like(confusion[:2] / 1)
    for k in range(len(confusion)):
        out[0, k] += confusion[k, k] / confusion[k].sum()
        out[1, k] += confusion[k, k] / confusion[:, k].sum()
    return out


@wrong("11.3", "nan in the result")
def rates_half_written(confusion):
    out = torch.empty_like(confusion[:2] / 1)
    out[0] = confusion.diag() / confusion.sum(1)
    precision = confusion.diag() / confusion.sum(0)  # noqa: F841
    return out


@wrong("11.3", "one element too short")
def rates_last_class_missing(confusion):
    recall, precision = [], []
    for k in range(len(confusion) - 1):
        recall.append(confusion[k, k] / confusion[k].sum())
        precision.append(confusion[k, k] / confusion[:, k].sum())
    return torch.stack([torch.stack(recall), torch.stack(precision)])


@wrong("11.3", "missing return")
def rates_without_return(confusion):
    found = confusion.diagonal()
    recall, precision = found / confusion.sum(1), found / confusion.sum(0)
    torch.stack([recall, precision])


@wrong("11.3", "printed instead of returned")
def rates_printed(confusion):
    found = confusion.diagonal()
    recall, precision = found / confusion.sum(1), found / confusion.sum(0)
    print(torch.stack([recall, precision]))


@right("11.3")
def rates_diagonal_cleared(confusion):
    found = confusion.diagonal().clone()
    confusion.fill_diagonal_(0)  # what is left are the mistakes
    recall = found / (found + confusion.sum(1))
    precision = found / (found + confusion.sum(0))
    return torch.stack([recall, precision])


@right("11.3")
def rates_in_float32(confusion):
    confusion = confusion.float()
    found = confusion.diag()
    return torch.stack([found / confusion.sum(1), found / confusion.sum(0)])


@right("11.3")
def rates_on_the_cpu(confusion):
    n = len(confusion)
    out = torch.zeros(2, n, dtype=(confusion / 1).dtype)
    for k in range(n):
        out[0, k] = confusion[k, k] / confusion[k].sum()
        out[1, k] = confusion[k, k] / confusion[:, k].sum()
    return out


@right("11.3")
def rates_in_lists(confusion):
    n = len(confusion)
    recall = [float(confusion[k, k] / confusion[k].sum()) for k in range(n)]
    precision = [float(confusion[k, k] / confusion[:, k].sum()) for k in range(n)]
    return [recall, precision]


@right("11.3")
def rates_by_numpy(confusion):
    counts = np.asarray(confusion)
    found = np.diag(counts)
    return np.array([found / counts.sum(axis=1), found / counts.sum(axis=0)])


@right("11.3")
def rates_as_a_pair(confusion):
    found = confusion.diag().tolist()
    rows, columns = confusion.tolist(), confusion.T.tolist()
    recall = [f / sum(row) for f, row in zip(found, rows, strict=True)]
    precision = [f / sum(row) for f, row in zip(found, columns, strict=True)]
    return recall, precision


@right("11.3")
def rates_in_place(confusion):
    confusion = confusion.long()
    out = torch.zeros(2, len(confusion))
    out += confusion.diagonal()
    out[0] /= confusion.sum(dim=1)
    out[1] /= confusion.sum(dim=0)
    return out


@right("11.3")
def rates_by_matrix_products(confusion):
    ones = torch.ones(len(confusion), dtype=confusion.dtype)
    totals = torch.stack([confusion @ ones, ones @ confusion])
    return torch.einsum("ii->i", confusion) / totals


@wrong("11.3", "fraction of mistakes")
def rates_of_errors(confusion):
    found = confusion.diagonal()
    totals = torch.stack([confusion.sum(dim=1), confusion.sum(dim=0)])
    return (totals - found) / totals


@wrong("11.3", "totals alone")
def rates_as_totals(confusion):
    return torch.stack([confusion.sum(1), confusion.sum(0)])


@wrong("11.3", "whole matrix divided")
def rates_of_the_whole_matrix(confusion):
    recall = confusion / confusion.sum(1, keepdim=True)
    precision = confusion / confusion.sum(0)
    return torch.stack([recall, precision])


@wrong("11.3", "rounded down")
def rates_by_integer_division(confusion):
    found = confusion.diagonal()
    return torch.stack([found // confusion.sum(1), found // confusion.sum(0)])


@wrong("11.3", "rounded down")
def rates_stored_as_integers(confusion):
    out = torch.zeros(2, len(confusion), dtype=torch.long)
    out[0] = confusion.diagonal() / confusion.sum(1)
    out[1] = confusion.diagonal() / confusion.sum(0)
    return out


# 11.4: larger images
right("11.4", np.int64(276600))
right("11.4", [276_600])
right("11.4", torch.nn.Linear(16 * 12 * 12, 120).weight.numel() + 120)
wrong("11.4", "biases forgotten", 16 * 12 * 12 * 120 + 1)
wrong("11.4", "one bias per input", 16 * 12 * 12 * 120 + 16 * 12 * 12)
wrong("11.4", "inputs counted", 16 * 12 * 12)
wrong("11.4", "scaled with the image", 2 * (16 * 5 * 5 + 1) * 120)
wrong("11.4", "pooling forgotten", (16 * 24 * 24 + 1) * 120)
wrong("11.4", "pooling forgotten", 16 * 52 * 52 * 120)
wrong("11.4", "second convolution padded", (56 * 56 + 1) * 120)
wrong("11.4", "whole network", 290186)
right("11.4", torch.tensor(276600))
right("11.4", 16 * 12 * 12 * 120.0 + 120)
wrong("11.4", "biases forgotten", 16 * 12 * 12 * 120)
wrong("11.4", "independent of the image size", (16 * 5 * 5 + 1) * 120)
wrong("11.4", "scaled with the image", (4 * 16 * 5 * 5 + 1) * 120)
wrong("11.4", "scaled with the image", 4 * (16 * 5 * 5 + 1) * 120)
wrong("11.4", "second convolution padded", (16 * 14 * 14 + 1) * 120)
wrong("11.4", "first convolution not padded", (16 * 11 * 11 + 1) * 120)
wrong("11.4", "channels forgotten", (12 * 12 + 1) * 120)


wrong("11.1", "rounded too far", (0.01, 4.605))


@wrong("11.2", "correct class overwritten")
def smooth_overwritten(scores, labels, amount):
    classes = scores.shape[1]
    wanted = torch.full_like(scores, amount / classes)
    for i, label in enumerate(labels):
        wanted[i, label] = 1 - amount
    return -(wanted * scores.log_softmax(dim=1)).sum() / len(scores)


@wrong("11.2", "softmax forgotten")
def smooth_of_raw_scores(scores, labels, amount):
    total = 0
    for row, label in zip(scores, labels, strict=True):
        wanted = torch.full_like(row, amount / len(row))
        wanted[label] += 1 - amount
        total = total - (wanted * row).sum()
    return total / len(scores)


wrong("11.4", "first convolution's channels", (6 * 12 * 12 + 1) * 120)


@wrong("11.5", "highest over the images")
def accuracy_along_the_batch(scores, labels):
    best = scores.max(dim=0).indices
    return (best == labels).sum() / len(labels)


@wrong("11.5", "divided by the classes")
def accuracy_by_classes(scores, labels):
    right_ones = 0
    for row, label in zip(scores, labels, strict=True):
        right_ones += int(row.argmax() == label)
    return right_ones / scores.shape[1]


@wrong("11.5", "counted, not divided")
def accuracy_as_a_count(scores, labels):
    return (scores.argmax(dim=1) == labels).sum()


@wrong("11.5", "incorrect predictions counted")
def share_of_errors(scores, labels):
    return 1 - (scores.argmax(1) == labels).double().mean()


@wrong("11.5", "lowest instead of highest")
def accuracy_of_the_least(scores, labels):
    return (scores.sort(dim=1).indices[:, 0] == labels).double().mean()


@right("11.5")
def accuracy_as_a_mean(scores, labels):
    return (scores.argmax(dim=1) == labels).double().mean()


@right("11.5")
def accuracy_by_the_best_score(scores, labels):
    of_labels = scores[torch.arange(len(labels)), labels]
    return (of_labels == scores.max(dim=1).values).sum() / len(scores)


@right("11.5")
def accuracy_by_numpy(scores, labels):
    return np.mean(scores.numpy().argmax(axis=-1) == labels.numpy())


@right("11.5")
def accuracy_by_counting(scores, labels):
    count = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        count += row.index(max(row)) == label
    return count / len(labels)


@right("11.5")
def accuracy_in_float32(scores, labels):
    _, best = scores.max(dim=1)
    return best.eq(labels).float().mean().item()


@right("11.5")
def accuracy_by_topk(scores, labels):
    best = scores.topk(1, dim=1).indices
    return (best == labels[:, None]).sum(dim=0) / scores.size(0)


@right("11.5")
def accuracy_as_a_fraction(scores, labels):
    hits = (scores.argmax(dim=1) == labels).tolist()
    return Fraction(sum(hits), len(hits))


@wrong("11.5", "divided by all scores")
def accuracy_by_numel(scores, labels):
    return (scores.argmax(dim=1) == labels).sum() / scores.numel()


@wrong("11.5", "not averaged")
def accuracy_of_each_image(scores, labels):
    return scores.argmax(dim=1) == labels


@wrong("11.5", "rounded down")
def accuracy_by_integer_division(scores, labels):
    return (scores.argmax(dim=1) == labels).sum() // len(labels)


@wrong("11.5", "rounded down")
def accuracy_of_all(scores, labels):
    return torch.equal(scores.argmax(dim=1), labels)


@wrong("11.5", "scores compared with labels")
def accuracy_of_the_values(scores, labels):
    best, _ = scores.max(dim=1)
    return (best == labels).double().mean()


wrong("11.4", "", 276601)
wrong("11.1", "sign forgotten", [0.0101, -4.61])


@wrong("11.2", "amount added to the loss")
def smooth_with_an_addend(scores, labels, amount):
    return (1 - amount) * F.cross_entropy(scores, labels) + amount / scores.shape[1]
