"""The first table of the benchmarks: conv compared with PyTorch, SciPy, d2l, Lightning.

Both calls of a comparison do the same work. They alternate, so that other programs on
the machine slow both of them down.
"""

import platform
import resource
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from statistics import median
from time import perf_counter

import methods
import torch
import torch.nn.functional as F
from torch import Tensor, get_num_threads, nn
from torch.utils.benchmark import Timer
from torch.utils.data import DataLoader, TensorDataset

import conv
import conv.data
from conv.timing import seconds_from_memory

Call = Callable[[], object]
Clock = Callable[[Call], tuple[float, float]]  # seconds and page faults per call

# glibc returns a large block to the system when it is freed, so the next call gets new
# pages, with a page fault for each. With these variables glibc keeps the block.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**32)}


class NotMeasuredError(Exception):
    """A comparison can't be made on this machine; the message gives the reason."""


@dataclass(frozen=True)
class Sizes:
    """The sizes of the comparisons' inputs; the defaults are those of the full run."""

    small: int = 28  # height and width of images
    medium: int = 64
    large: int = 1024
    copy_side: int = 2048
    sweep_size: int = 2**25  # numbers that replace the content of the caches: 128 MiB
    channels: tuple[int, int] = (16, 32)
    batches: int = 20
    images: int = 60_000
    rounds: int = 11
    epochs: int = 7
    copy_rounds: int = 101
    run_time: float = 0.1  # seconds per round
    methods: tuple[tuple[int, int], ...] = (  # sides of the image and the kernel
        *((side, 3) for side in (64, 512, 2048)),
        *((512, k) for k in (15, 63)),
    )
    method_rounds: int = 5


FULL = Sizes()
QUICK = Sizes(
    small=8,
    medium=12,
    large=16,
    copy_side=16,
    sweep_size=256,
    channels=(2, 4),
    batches=2,
    images=256,
    rounds=1,
    epochs=1,
    copy_rounds=1,
    run_time=0.001,
    methods=((12, 3), (14, 3), (16, 3), (16, 7), (16, 11)),
    method_rounds=1,
)


@dataclass(frozen=True)
class Comparison:
    """A comparison of one of conv's functions with a peer.

    Attributes
    ----------
    name, work, peer : str
        The function of conv, its input, and the other implementation.
    limit : str
        The largest acceptable ratio of conv's time to the peer's, as a fraction.
    prepare : callable
        Function that creates the inputs and returns a call of conv and a peer's.
    clock : callable
        Function that measures a call.
    rounds : int
        Number of times that both are measured.
    keep_memory : bool
        Whether the allocator must keep freed memory.
    """

    name: str
    work: str
    peer: str
    limit: str
    prepare: Callable[[], tuple[Call, Call]]
    clock: Clock
    rounds: int
    keep_memory: bool = False

    @property
    def key(self) -> str:
        """The name of the comparison in the results file."""
        return f"{self.name} | {self.work} | {self.peer}"


def measure(comparison: Comparison) -> dict:
    """Measure both calls alternately; return medians of times, ratios and faults."""
    if comparison.keep_memory and platform.libc_ver()[0] != "glibc":
        raise NotMeasuredError("the allocator is not glibc's")
    clock, (ours, peer) = comparison.clock, comparison.prepare()
    rounds = [(*clock(ours), *clock(peer)) for _ in range(comparison.rounds)]
    times, faults, peer_times, peer_faults = zip(*rounds, strict=True)
    return {
        "conv": median(times),
        "peer": median(peer_times),
        "ratio": median(a / b for a, b in zip(times, peer_times, strict=True)),
        "faults": [median(faults), median(peer_faults)],
    }


def page_faults() -> int:
    """Return the number of minor page faults of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def measure_short_call(call: Call, run_time: float) -> tuple[float, float]:
    """Measure a short call by repeating it, with as many threads as PyTorch uses."""
    timer = Timer("call()", globals={"call": call}, num_threads=get_num_threads())
    time = timer.blocked_autorange(min_run_time=run_time).median
    before = page_faults()
    for _ in range(3):
        call()
    return time, (page_faults() - before) / 3


def measure_long_call(call: Call) -> tuple[float, float]:
    """Measure a long call by running it once."""
    before, start = page_faults(), perf_counter()
    call()
    return perf_counter() - start, page_faults() - before


def all_comparisons(sizes: Sizes) -> list[Comparison]:
    """List the rows of the table."""
    return [
        *corr2d_comparisons(sizes),
        conv2d_comparison(sizes),
        fit_comparison(sizes),
        *epoch_comparisons(sizes),
        copy_comparison(sizes),
    ]


def corr2d_comparisons(sizes: Sizes) -> Iterator[Comparison]:
    """Compare corr2d with PyTorch, d2l's loop over pixels, and SciPy."""
    clock = partial(measure_short_call, run_time=sizes.run_time)
    kept = "F.conv2d, memory kept"
    for side, k, peer, limit in [
        (sizes.small, 3, "F.conv2d", "10"),
        (sizes.medium, 3, "d2l.corr2d", "1/300"),
        *((sizes.large, k, "F.conv2d", "1") for k in (3, 5, 7)),
        *((sizes.large, k, kept, "1") for k in (3, 5, 7)),
        *((sizes.large, k, "scipy correlate2d", "1") for k in (3, 5, 7)),
    ]:
        work = f"image {side} x {side}, kernel {k} x {k}"
        prepare = partial(corr2d_calls, side, k, peer.removesuffix(", memory kept"))
        yield Comparison(
            "corr2d", work, peer, limit, prepare, clock, sizes.rounds, peer == kept
        )


def corr2d_calls(side: int, k: int, peer: str) -> tuple[Call, Call]:
    """Prepare a call of corr2d and one of its peer."""
    X, K = torch.rand(side, side), torch.rand(k, k)
    ours = partial(conv.corr2d, X, K)
    if peer == "F.conv2d":
        return ours, partial(F.conv2d, X[None, None], K[None, None])
    if peer == "scipy correlate2d":
        from scipy.signal import correlate2d

        return ours, partial(correlate2d, X.numpy(), K.numpy(), "valid")
    from d2l import torch as d2l

    return ours, partial(d2l.corr2d, X, K)


def conv2d_comparison(sizes: Sizes) -> Comparison:
    """Compare conv2d with PyTorch's, forward and backward."""
    channels, kernels = sizes.channels

    def prepare() -> tuple[Call, Call]:
        X = torch.rand(8, channels, 32, 32, requires_grad=True)
        K = torch.rand(kernels, channels, 3, 3, requires_grad=True)
        return partial(forward_and_backward, conv.conv2d, X, K), partial(
            forward_and_backward, F.conv2d, X, K
        )

    work = f"(8, {channels}, 32, 32), {kernels} kernels 3 x 3, forward and backward"
    clock = partial(measure_short_call, run_time=sizes.run_time)
    return Comparison("conv2d", work, "F.conv2d", "5", prepare, clock, sizes.rounds)


def forward_and_backward(operator: Callable[..., Tensor], X: Tensor, K: Tensor) -> None:
    """Compute an operator's output and its gradients."""
    operator(X, K).sum().backward()


def fit_comparison(sizes: Sizes) -> Comparison:
    """Compare fit with a training loop that does nothing else."""

    def prepare() -> tuple[Call, Call]:
        count = 64 * sizes.batches
        data = TensorDataset(torch.rand(count, 1, 28, 28), torch.randint(10, (count,)))
        batches = list(DataLoader(data, batch_size=64))
        ours = partial(fit, conv.lenet(), batches)
        return ours, partial(plain_loop, conv.lenet(), batches)

    work = f"LeNet, {sizes.batches} batches of 64"
    clock = partial(measure_short_call, run_time=sizes.run_time)
    return Comparison("fit", work, "a bare loop", "1.1", prepare, clock, sizes.rounds)


def fit(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Train for one epoch with conv.fit."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    conv.fit(net, batches, F.cross_entropy, optimizer, epochs=1)


def plain_loop(net: nn.Module, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
    """Train for one epoch with a loop that does nothing else."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    for x, y in batches:
        loss = F.cross_entropy(net(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def epoch_comparisons(sizes: Sizes) -> Iterator[Comparison]:
    """Compare fit with the Trainers of d2l and Lightning.

    First both take the same batches from conv's loader; then the peer takes them from
    a DataLoader, as it usually does.
    """
    work = f"LeNet, one epoch of {sizes.images:,} images 28 x 28, batches of 128"
    for source in ("", ", a DataLoader"):
        for name in ("d2l's Trainer", "Lightning"):
            prepare = partial(epoch_calls, sizes.images, name, bool(source))
            peer = name + source
            yield Comparison(
                "fit", work, peer, "1", prepare, measure_long_call, sizes.epochs
            )


def epoch_calls(count: int, peer: str, own_loader: bool) -> tuple[Call, Call]:
    """Prepare an epoch of fit and one of a peer, on random images."""
    import trainers  # slow to import

    images, labels = torch.rand(count, 1, 28, 28), torch.randint(10, (count,))
    data = conv.LabeledImages(images, labels, conv.data.CLOTHES)
    batches = peer_batches = conv.make_loader(data, 128, shuffle=True)
    if own_loader:
        peer_batches = DataLoader(TensorDataset(images, labels), 128, shuffle=True)
    train = {"d2l's Trainer": trainers.d2l_epoch, "Lightning": trainers.lightning_epoch}
    return partial(fit, conv.lenet(), batches), train[peer](peer_batches)


def copy_comparison(sizes: Sizes) -> Comparison:
    """Compare chapter 10's fastest method with a copy of the image.

    Before each call, another tensor replaces the content of the caches, so that both
    methods read their input from memory.
    """

    def prepare() -> tuple[Call, Call]:
        if not methods.can_compile():
            raise NotMeasuredError("torch.compile doesn't work on this machine")
        X = torch.rand(sizes.copy_side, sizes.copy_side)
        taps, _ = methods.chapter()["compiled_for"](X, torch.rand(3, 3))
        return taps, partial(X.clone().copy_, X)

    work = (
        f"image {sizes.copy_side} x {sizes.copy_side}, kernel 3 x 3, not in the caches"
    )
    clock = partial(from_memory, size=sizes.sweep_size)
    return Comparison(
        "compiled taps", work, "a copy", "5/3", prepare, clock, sizes.copy_rounds
    )


def from_memory(call: Call, size: int) -> tuple[float, float]:
    """Measure one call whose input isn't in the caches."""
    sweep = cache_sweep(size)
    before = page_faults()
    time = seconds_from_memory(call, sweep)
    return time, page_faults() - before


@cache
def cache_sweep(size: int) -> Tensor:
    """Create the tensor that replaces the content of the caches."""
    return torch.zeros(size)
