"""Time conv beside its peers in one run, and write the table: ``make bench``.

Each row compares two calls that do the same work. They take turns, so that a busy
moment of the machine hits both; the table has medians.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

import methods
import pytorch_lightning as lightning
import torch
import torch.nn.functional as F
from d2l import torch as d2l
from scipy.signal import correlate2d
from torch import get_num_threads, nn
from torch.utils.benchmark import Timer
from torch.utils.data import DataLoader, TensorDataset

import conv
import conv.data

TABLE = Path(__file__).parent / "README.md"
ROUNDS = 11
Row = tuple[str, str, str, float, float, float, str]


def seconds(call: Callable[[], object]) -> float:
    """Return the median time of a call, with as many threads as PyTorch takes."""
    timer = Timer("call()", globals={"call": call}, num_threads=get_num_threads())
    return timer.blocked_autorange(min_run_time=0.1).median


def compare(
    ours: Callable[[], object],
    peer: Callable[[], object],
    time: Callable[[Callable[[], object]], float] = seconds,
    rounds: int = ROUNDS,
) -> tuple[float, float, float]:
    """Let two calls take turns; return both medians and the median of the ratios."""
    pairs = [(time(ours), time(peer)) for _ in range(rounds)]
    mine, theirs = (median(times) for times in zip(*pairs, strict=True))
    return mine, theirs, median(a / b for a, b in pairs)


def time_corr2d() -> Iterator[Row]:
    """Compare corr2d with d2l's pixel loop, PyTorch and SciPy."""
    for side, taps, name, wanted in [
        (28, 3, "F.conv2d", "10"),
        (64, 3, "d2l.corr2d", "1/300"),
        *((1024, k, "F.conv2d", "1") for k in (3, 5, 7)),
        *((1024, k, "scipy correlate2d", "1") for k in (3, 5, 7)),
    ]:
        X, K = torch.rand(side, side), torch.rand(taps, taps)
        ours = partial(conv.corr2d, X, K)
        peer = {
            "F.conv2d": partial(F.conv2d, X[None, None], K[None, None]),
            "d2l.corr2d": partial(d2l.corr2d, X, K),
            "scipy correlate2d": partial(correlate2d, X.numpy(), K.numpy(), "valid"),
        }[name]
        work = f"{side} x {side}, {taps} x {taps}"
        yield "corr2d", work, name, *compare(ours, peer), wanted


def time_conv2d() -> Iterator[Row]:
    """Compare conv2d with PyTorch's, forward and backward."""
    X = torch.rand(8, 16, 32, 32, requires_grad=True)
    K = torch.rand(32, 16, 3, 3, requires_grad=True)

    def both_ways(operator: Callable[..., torch.Tensor]) -> None:
        operator(X, K).sum().backward()

    work = "(8, 16, 32, 32), 32 kernels of 3 x 3, forward and backward"
    calls = partial(both_ways, conv.conv2d), partial(both_ways, F.conv2d)
    yield "conv2d", work, "F.conv2d", *compare(*calls), "5"


def time_fit() -> Iterator[Row]:
    """Compare an epoch of fit with the same loop, written out."""
    data = TensorDataset(torch.rand(1280, 1, 28, 28), torch.randint(10, (1280,)))
    batches = list(DataLoader(data, batch_size=64))
    loss = nn.CrossEntropyLoss()
    net, bare_net = conv.lenet(), conv.lenet()
    optimizer, bare_optimizer = (
        torch.optim.SGD(n.parameters(), lr=0.01) for n in (net, bare_net)
    )

    def bare_loop() -> None:
        for x, y in batches:
            error = loss(bare_net(x), y)
            bare_optimizer.zero_grad()
            error.backward()
            bare_optimizer.step()

    def fit() -> None:
        conv.fit(net, batches, loss, optimizer, epochs=1)

    work = "LeNet, 20 batches of 64"
    yield "fit", work, "a bare loop", *compare(fit, bare_loop), "1.1"


def random_clothes() -> conv.LabeledImages:
    """Make random pictures of Fashion-MNIST's number and size."""
    images, labels = torch.rand(60_000, 1, 28, 28), torch.randint(10, (60_000,))
    return conv.LabeledImages(images, labels, conv.data.CLOTHES)


class D2lLeNet(d2l.Classifier):
    """LeNet for d2l's Trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.lr = conv.lenet(), 0.01
        self.board.display = False


class LightningLeNet(lightning.LightningModule):
    """LeNet for Lightning's Trainer."""

    def __init__(self) -> None:
        super().__init__()
        self.net = conv.lenet()

    def training_step(self, batch: list[torch.Tensor]) -> torch.Tensor:
        """Compute the loss of a batch."""
        x, y = batch
        return F.cross_entropy(self.net(x), y)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Choose what the others have, too."""
        return torch.optim.SGD(self.parameters(), lr=0.01)


def time_epoch() -> Iterator[Row]:
    """Compare an epoch of fit with those of d2l's Trainer and Lightning's.

    First all take the same batches from the same place; then the peers take them, as
    they usually do, from a DataLoader.
    """
    logging.getLogger("pytorch_lightning").setLevel("ERROR")  # no advertisements
    pictures, net = random_clothes(), conv.lenet()
    ours = conv.make_loader(pictures, 128, shuffle=True)
    loader = DataLoader(TensorDataset(pictures.images, pictures.labels), 128, True)
    peers = {"d2l's Trainer": (with_d2l, D2lLeNet())}
    peers |= {"Lightning": (with_lightning, LightningLeNet())}

    def fit() -> None:
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        conv.fit(net, ours, F.cross_entropy, optimizer, epochs=1)

    work = "LeNet, an epoch of 60,000 pictures of 28 x 28, batches of 128"
    for source, batches in {"": ours, ", a DataLoader": loader}.items():
        for name, (train, model) in peers.items():
            times = compare(fit, partial(train, model, batches), once, rounds=7)
            yield "fit", work, name + source, *times, "1"


def with_d2l(model: D2lLeNet, batches: Iterable) -> None:
    """Train for an epoch by d2l."""
    data = d2l.DataModule()
    data.get_dataloader = lambda train: batches if train else None
    d2l.Trainer(max_epochs=1).fit(model, data)


def with_lightning(model: LightningLeNet, batches: Iterable) -> None:
    """Train for an epoch by Lightning, without its extras."""
    quiet = ("logger", "enable_checkpointing", "enable_progress_bar")
    options = dict.fromkeys((*quiet, "enable_model_summary"), False)
    lightning.Trainer(max_epochs=1, accelerator="cpu", **options).fit(model, batches)


def once(call: Callable[[], object]) -> float:
    """Return the time of one call: an epoch is long enough."""
    start = perf_counter()
    call()
    return perf_counter() - start


def time_copy(names: dict) -> Iterator[Row]:
    """Compare the fastest method of chapter 10 with a bare copy.

    Before each call, a larger tensor sweeps the caches: both begin in memory.
    """
    if names["can_compile"]:
        X, sweep = torch.rand(2048, 2048), torch.zeros(2**25)  # 16 MiB, 128 MiB
        taps, _ = names["compiled_for"](X, torch.rand(3, 3))
        copy = partial(X.clone().copy_, X)
        swept = partial(names["from_memory"], sweep=sweep, device=methods.CPU)
        work = "2048 x 2048, 3 x 3, caches swept"
        times = compare(taps, copy, swept, rounds=101)
        yield "compiled taps", work, "a bare copy", *times, "5/3"


INTRODUCTION = """# How fast is conv?

Made by `make bench`; do not edit. All calls of a comparison take turns in one run.
Times are medians, a ratio is the median of the rounds' ratios.

{machine}.

## conv and its peers

Below 1, conv is faster. The last column says what the ratio should be at most.

| conv | work | peer | conv, ms | peer, ms | ratio | at most |
|---|---|---|---:|---:|---:|---|
"""
METHODS = """
## The methods of chapter 10

Each one's time as a part of F.conv2d's, on one picture and one kernel. A dash: it
would take more than a second, or a tensor of more than 1 GB, or it doesn't do this
kernel.

![The table below, drawn](methods.png)

"""


def line(row: Row) -> str:
    """Write a comparison as a line of the table."""
    name, work, peer, ours, theirs, ratio, limit = row
    met = "met" if ratio <= float(Fraction(limit)) else "**missed**"
    return (
        f"| `{name}` | {work} | {peer} | {ours * 1e3:.3g} | {theirs * 1e3:.3g} "
        f"| {ratio:.2g} | {limit}, {met} |"
    )


def main() -> None:
    """Run all comparisons, print the tables and save them."""
    names = methods.chapter()
    rows = (
        *time_corr2d(),
        *time_conv2d(),
        *time_fit(),
        *time_epoch(),
        *time_copy(names),
    )
    results = {work: methods.race(names, *work) for work in methods.WORKS}
    methods.draw(results)
    page = INTRODUCTION.format(machine=methods.machine())
    page += "\n".join(map(line, rows)) + "\n"
    page += METHODS + "\n".join(methods.table(results)) + "\n"
    print(page)
    TABLE.write_text(page)


if __name__ == "__main__":
    main()
