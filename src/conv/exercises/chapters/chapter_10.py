"""The exercises of chapter 10: make it fast."""

import torch
from torch import Tensor

from conv.exercises.chapters.chapter_01 import correlate, correlate2d
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    ValueExercise,
    random_integers,
)

# --- 10.1 ---------------------------------------------------------------------------

two_passes = ValueExercise(
    number="10.1",
    kind="predict",
    expected=lambda: [15 + 15, 15 * 15],
    mistakes=[
        Mistake(
            "one pass only",
            "That is one pass. The column takes 15 multiplications, and the row "
            "another 15.",
            [15, 225],
        ),
        Mistake(
            "passes multiplied",
            "Two passes, one after the other: their costs add up.",
            [225, 225],
        ),
        Mistake(
            "additions counted",
            "The question asks for multiplications only.",
            lambda a: a.tolist() in ([58, 449], [60, 450], [59, 449], [58, 225]),
        ),
    ],
    hints=(
        "Plain: how many weights does one output meet?",
        "In two passes each output meets a column of 15, and then a row of 15.",
        "A sum, and a product.",
    ),
)

# --- 10.2 ---------------------------------------------------------------------------


def circular_correlation(x: Tensor, k: Tensor) -> Tensor:
    """Cross-correlate with circular padding, by Fourier transform."""
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x)).conj()
    return torch.fft.irfft(product, n=len(x))


def circular_convolution(x: Tensor, k: Tensor) -> Tensor:
    """Convolve with circular padding, by Fourier transform."""
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x))
    return torch.fft.irfft(product, n=len(x))


def even_length(x: Tensor, k: Tensor) -> Tensor:
    """Transform back to an even length, whatever it was before."""
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x)).conj()
    return torch.fft.irfft(product)


def kernel_not_padded(x: Tensor, k: Tensor) -> Tensor:
    """Multiply the signal's spectrum by that of a shorter kernel."""
    product = torch.fft.rfft(x) * torch.fft.rfft(k).conj()
    return torch.fft.irfft(product, n=len(x))[: len(x) - len(k) + 1]


fourier = FunctionExercise(
    number="10.2",
    kind="implement",
    expected=correlate,
    preserves=("dtype", "gradient"),
    cases=lambda: [
        (random_integers(n), random_integers(k, seed=n))
        for n, k in [(2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (7, 4), (8, 3), (11, 5)]
    ],
    mistakes=[
        Mistake(
            "conjugate forgotten",
            "A product of waves is a convolution: the kernel is flipped. (It also "
            "wraps round the border.) What turns a wave *back* instead of on?",
            lambda x, k: circular_convolution(x, k)[: len(x) - len(k) + 1],
        ),
        Mistake(
            "kernel flipped",
            "You computed the convolution: the kernel is flipped.",
            lambda x, k: correlate(x, k.flip(0)),
        ),
        Mistake(
            "wrong conjugate",
            "You conjugate the signal's waves, not the kernel's. That runs the "
            "result backward.",
            lambda x, k: (
                circular_correlation(x, k).flip(0).roll(1)[: len(x) - len(k) + 1]
            ),
        ),
        Mistake(
            "border's wrap kept",
            "You keep all numbers. The last ones are windows that come round the "
            "border.",
            circular_correlation,
        ),
        Mistake(
            "wrong end cut off",
            "You cut off the first numbers. With the conjugate it is the last ones "
            "that come round the border.",
            lambda x, k: circular_correlation(x, k)[len(k) - 1 :],
        ),
        Mistake(
            "odd length forgotten",
            "For signals of odd length your result is wrong, or one short: `irfft` has "
            "to be told the length, `n=len(x)`.",
            lambda x, k: even_length(x, k)[: len(x) - len(k) + 1],
            lambda x, k: even_length(x, k)[: len(even_length(x, k)) - len(k) + 1],
        ),
        Mistake(
            "kernel not padded",
            "Signal and kernel have different numbers of waves, so they can't be "
            "multiplied. `torch.fft.rfft(k, n=...)` pads the kernel with zeros.",
            kernel_not_padded,
        ),
    ],
    hints=(
        "`by_fourier` above, with one axis fewer.",
        "`torch.fft.rfft(k, n=len(x))` pads the kernel with zeros to the signal's "
        "length.",
        "The signal's waves times the `.conj()` of the kernel's, then "
        "`torch.fft.irfft(..., n=len(x))`, and the first len(x) - len(k) + 1 numbers.",
    ),
)

# --- 10.3 ---------------------------------------------------------------------------


def convolve2d(X: Tensor, K: Tensor) -> Tensor:
    """Compute the expected result: a circular convolution without the wrapped part."""
    (H, W), (h, w) = X.shape, K.shape
    product = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=(H, W))
    return torch.fft.irfft2(product, s=(H, W))[h - 1 :, w - 1 :]


what_they_computed = FunctionExercise(
    number="10.3",
    kind="implement",
    expected=convolve2d,
    preserves=("dtype", "gradient"),
    cases=lambda: [
        (random_integers(*size), random_integers(*window, seed=2))
        for size, window in [
            ((2, 2), (1, 1)),
            ((2, 3), (1, 2)),
            ((3, 2), (2, 1)),
            ((3, 3), (2, 2)),
            ((4, 5), (3, 2)),
            ((5, 4), (2, 3)),
        ]
    ],
    mistakes=[
        Mistake(
            "nothing flipped",
            "That is plain correlation, what they *meant* to compute.",
            correlate2d,
        ),
        Mistake(
            "flipped along one axis",
            "The kernel is flipped along one axis only.",
            lambda X, K: correlate2d(X, K.flip(0)),
            lambda X, K: correlate2d(X, K.flip(1)),
        ),
        Mistake(
            "image flipped, too",
            "Flipping both the image and the kernel flips the whole result.",
            lambda X, K: correlate2d(X.flip(0, 1), K.flip(0, 1)),
        ),
        Mistake(
            "image flipped instead",
            "Flipping the image gives the right numbers in reverse order.",
            lambda X, K: correlate2d(X.flip(0, 1), K),
        ),
    ],
    hints=(
        "A product of waves is a convolution. What does chapter 1 say about that?",
        "A convolution is a correlation with another kernel.",
        "The kernel rotated by 180 degrees: `K.flip(0, 1)`.",
    ),
)

# --- 10.4 ---------------------------------------------------------------------------

winograd = ValueExercise(
    number="10.4",
    kind="predict",
    expected=lambda: (4 * 3) ** 2 / (4 + 3 - 1) ** 2,
    mistakes=[
        Mistake(
            "the smaller brother",
            "That is the chapter's method, with 2 by 2 outputs from 4 by 4 numbers.",
            2.25,
        ),
        Mistake(
            "one axis only",
            "That is the saving along one axis. An image has two.",
            2,
        ),
        Mistake(
            "upside down",
            "You divided the other way: by which factor are there *fewer*?",
            0.25,
        ),
        Mistake(
            "plain way forgotten",
            "The plain way takes nine multiplications for each *output*, and a tile "
            "has 16 of them. Compare whole tiles.",
            16 / 36,
            16 / 9,
            9,
        ),
        Mistake(
            "multiplications counted",
            "That is a number of multiplications. The question asks for their ratio.",
            144,
            36,
            108,
        ),
    ],
    hints=(
        "How many multiplications do 16 outputs of a 3 by 3 kernel take the plain way?",
        "The tile of 6 by 6 takes one for each of its numbers.",
        "144 against 36.",
    ),
)
