"""The exercises of chapter 10, on fast algorithms."""

import torch
from torch import Tensor

from conv.exercises.chapters.chapter_01 import correlate, correlate2d
from conv.exercises.exercise import (
    FunctionExercise,
    Mistake,
    Rule,
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
            "Your first number counts only one of the two passes. The other pass also "
            "needs multiplications.",
            [15, 225],
        ),
        Mistake(
            "passes multiplied",
            "You multiplied the costs of the two passes. They run one after the other, "
            "so their costs add up.",
            [225, 225],
        ),
        Mistake(
            "center counted once",
            "You counted the center weight only once, as if the column and the row "
            "formed a single cross-shaped kernel. They are two passes, one after the "
            "other.",
            [29, 225],
        ),
        Mistake(
            "full kernel as two passes",
            "Both of your numbers are for two passes. How many pixels does the window "
            "of the full kernel contain?",
            [30, 30],
        ),
        Mistake(
            "additions counted",
            "Your numbers include the additions. The question asks for the "
            "multiplications only.",
            lambda a: (
                a.tolist()
                in ([58, 449], [60, 450], [59, 449], [58, 225], [28, 224], [29, 224])
            ),
        ),
        Mistake(
            "ratio given",
            "You gave the ratio of the two numbers. Give both numbers.",
            7.5,
            30 / 225,
        ),
    ],
    hints=(
        "How many weights of the full kernel are multiplied by a pixel at each "
        "position?",
        "In two passes, a column slides over the image, and then a row slides over the "
        "result. How many weights do the column and the row have in total?",
        "Each weight costs one multiplication per output pixel. For two passes, add "
        "the number of weights in the column and in the row; for the full kernel, "
        "count all weights in the square.",
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


def padded(x: Tensor, k: Tensor) -> Tensor:
    """Append zeros to the signal so that windows don't wrap around."""
    return torch.cat([x, x.new_zeros(len(k) - 1)])


def even_length(x: Tensor, k: Tensor) -> Tensor:
    """Transform back to an even length, whatever it was before."""
    product = torch.fft.rfft(x) * torch.fft.rfft(k, n=len(x)).conj()
    return torch.fft.irfft(product)


def kernel_not_padded(cut: bool, same_length: bool):
    """Multiply the signal's transform by that of the unpadded kernel."""

    def correlation(x: Tensor, k: Tensor) -> Tensor:
        product = torch.fft.rfft(x) * torch.fft.rfft(k).conj()
        y = torch.fft.irfft(product, n=len(x) if same_length else None)
        return y[: len(x) - len(k) + 1] if cut else y

    return correlation


TRANSFORMS = tuple(
    f"{prefix}fft{suffix}" for prefix in ("", "i", "r", "ir") for suffix in ("", 2, "n")
)

fourier = FunctionExercise(
    number="10.2",
    kind="implement",
    expected=correlate,
    rules=[
        Rule(
            message="The numbers are correct, but your function doesn't use "
            "`torch.fft`. This exercise asks you to compute them with Fourier "
            "transforms.",
            needs=TRANSFORMS,
        )
    ],
    cases=lambda: [
        (random_integers(n), random_integers(k, seed=n))
        for n, k in [(2, 1), (2, 2), (3, 2), (4, 3), (5, 2), (7, 4), (8, 3), (11, 5)]
    ],
    mistakes=[
        Mistake(
            "conjugate forgotten",
            "The product of two Fourier transforms corresponds to a convolution, in "
            "which the kernel is flipped. What did the chapter do to one of the "
            "transforms to get a cross-correlation?",
            lambda x, k: circular_convolution(x, k)[: len(x) - len(k) + 1],
            lambda x, k: circular_convolution(padded(x, k), k)[: len(x) - len(k) + 1],
            circular_convolution,
            lambda x, k: circular_convolution(padded(x, k), k),
        ),
        Mistake(
            "kernel flipped",
            "You computed the convolution, in which the kernel is flipped. The "
            "exercise asks for the cross-correlation.",
            lambda x, k: correlate(x, k.flip(0)),
        ),
        Mistake(
            "wrong conjugate",
            "You used the conjugate of the signal's transform or of the whole product, "
            "which reverses the order of the outputs.",
            *[
                lambda x, k, start=start: (
                    circular_correlation(x, k)
                    .flip(0)
                    .roll(1)[start(k) :][: len(x) - len(k) + 1]
                )
                for start in (lambda k: 0, lambda k: len(k) - 1)
            ],
            lambda x, k: circular_correlation(x, k).flip(0).roll(1),
        ),
        Mistake(
            "too many outputs kept",
            "Your function returns more than `len(x) - len(k) + 1` numbers. The last "
            "ones correspond to windows that reach beyond the end of the signal.",
            circular_correlation,
            lambda x, k: circular_correlation(padded(x, k), k),
            lambda x, k: circular_correlation(padded(x, k), k)[: len(x)],
        ),
        Mistake(
            "wrong end cut off",
            "You cut off the first numbers. Consider the last window that lies "
            "entirely within the signal: which number corresponds to it, and which "
            "come after it?",
            lambda x, k: circular_correlation(x, k)[len(k) - 1 :],
        ),
        Mistake(
            "odd length forgotten",
            "Your result is wrong for signals of odd length. The output of `rfft` "
            "doesn't reveal whether the signal's length was even or odd, so `irfft` "
            "needs the length.",
            lambda x, k: even_length(x, k)[: len(x) - len(k) + 1],
            lambda x, k: even_length(x, k)[: len(even_length(x, k)) - len(k) + 1],
        ),
        Mistake(
            "kernel not padded",
            "The transforms of the signal and the kernel have different lengths, so "
            "they can't be multiplied. The kernel has to be padded with zeros first; "
            "`rfft` can do this for you.",
            *[
                kernel_not_padded(cut, same_length)
                for cut in (True, False)
                for same_length in (True, False)
            ],
        ),
    ],
    hints=(
        "The chapter's `by_fourier` does the same for images. Which parts of it refer "
        "to two axes?",
        "Both transforms must have the same length: `torch.fft.rfft(k, n=len(x))` pads "
        "the kernel with zeros to the length of the signal.",
        "Multiply the transform of the signal by the conjugate of the kernel's, "
        "transform back with `torch.fft.irfft(..., n=len(x))`, and keep the outputs "
        "whose windows lie entirely within the signal.",
    ),
)

# --- 10.3 ---------------------------------------------------------------------------


def wrapped_convolution(X: Tensor, K: Tensor) -> Tensor:
    """Convolve with circular padding, by Fourier transform."""
    product = torch.fft.rfft2(X) * torch.fft.rfft2(K, s=X.shape)
    return torch.fft.irfft2(product, s=X.shape)


def full_convolution(X: Tensor, K: Tensor) -> Tensor:
    """Convolve with a border of zeros around the image."""
    h, w = K.shape
    return wrapped_convolution(torch.nn.functional.pad(X, (0, w - 1, 0, h - 1)), K)


def same_convolution(X: Tensor, K: Tensor) -> Tensor:
    """Convolve, keeping the image's size, as SciPy does with ``mode="same"``."""
    top, left = (K.shape[0] - 1) // 2, (K.shape[1] - 1) // 2
    return full_convolution(X, K)[top:, left:][: X.shape[0], : X.shape[1]]


def convolve2d(X: Tensor, K: Tensor) -> Tensor:
    """Compute the expected result: a circular convolution without the wrapped part."""
    return wrapped_convolution(X, K)[K.shape[0] - 1 :, K.shape[1] - 1 :]


without_conj = FunctionExercise(
    number="10.3",
    kind="implement",
    expected=convolve2d,
    rules=[
        Rule(
            message="The numbers are correct, but they come from a Fourier transform. "
            "This exercise asks for a method that doesn't use one, for example "
            "`conv.corr2d`.",
            forbids=(*TRANSFORMS, "fftconvolve"),
        )
    ],
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
            "You computed the cross-correlation, which `by_fourier` computes *with* "
            "the conjugate.",
            correlate2d,
        ),
        Mistake(
            "flipped along one axis",
            "You flipped the kernel along only one axis.",
            *[lambda X, K, dim=dim: correlate2d(X, K.flip(dim)) for dim in (0, 1)],
            *[lambda X, K, dim=dim: correlate2d(X.flip(dim), K) for dim in (0, 1)],
        ),
        Mistake(
            "image flipped, too",
            "You flipped both the image and the kernel. The result is the "
            "cross-correlation in reverse order.",
            lambda X, K: correlate2d(X.flip(0, 1), K.flip(0, 1)),
        ),
        Mistake(
            "image flipped instead",
            "You flipped the image. The numbers are correct, but in reverse order.",
            lambda X, K: correlate2d(X.flip(0, 1), K),
        ),
        Mistake(
            "flip taken for a transpose",
            "You transposed the kernel, which swaps its height and width. A "
            "convolution instead reverses the order of its rows and of its columns.",
            lambda X, K: correlate2d(X, K.T),
            lambda X, K: correlate2d(X, K.T.flip(0, 1)),
        ),
        Mistake(
            "rotated by 90 degrees",
            "You rotated the kernel by 90°, which swaps its height and width. In a "
            "convolution, both stay the same.",
            lambda X, K: correlate2d(X, K.rot90()),
            lambda X, K: correlate2d(X, K.rot90(-1)),
        ),
        Mistake(
            "border kept",
            "Your result also contains outputs whose windows reach beyond the border. "
            "Return only the (H - h + 1) x (W - w + 1) outputs whose windows lie "
            "entirely within the image.",
            wrapped_convolution,
            full_convolution,
            same_convolution,
        ),
        Mistake(
            "wrong corner kept",
            "You kept the first rows and columns, as `by_fourier` does. Without the "
            "conjugate, these include outputs whose windows wrap around.",
            lambda X, K: wrapped_convolution(X, K)[
                : X.shape[0] - K.shape[0] + 1, : X.shape[1] - K.shape[1] + 1
            ],
        ),
    ],
    hints=(
        "Which operation does a product of two Fourier transforms correspond to? "
        "Chapter 1 compares it with the cross-correlation.",
        "A convolution is a cross-correlation with a modified kernel.",
        "A convolution rotates the kernel by 180°, which means that both of its axes "
        "are reversed. Which tensor method reverses axes?",
    ),
)

# --- 10.4 ---------------------------------------------------------------------------

winograd = ValueExercise(
    number="10.4",
    kind="predict",
    expected=lambda: (4 * 3) ** 2 / (4 + 3 - 1) ** 2,
    mistakes=[
        Mistake(
            "smaller tile",
            "2.25 is the factor for the chapter's tile, which has 2 x 2 outputs. For "
            "this tile, 2.25 is the number of multiplications per output, which you "
            "still have to compare with the number per output for the sliding kernel.",
            2.25,
        ),
        Mistake(
            "one axis only",
            "You computed the factor along one axis. An image has two axes.",
            2,
        ),
        Mistake(
            "inverted",
            "You divided the smaller count by the larger one. The factor should be "
            "larger than 1.",
            0.25,
        ),
        Mistake(
            "plain method not counted",
            "Sliding the kernel takes nine multiplications per *output*, and the tile "
            "has 16 outputs. Compare the counts for the whole tile.",
            16 / 36,
            16 / 9,
            9,
        ),
        Mistake(
            "savings compared",
            "You compared the multiplications that are *saved* with one of the two "
            "counts. Compare the counts with each other.",
            0.75,
            3,
            75,
        ),
        Mistake(
            "multiplications counted",
            "You gave a number of multiplications. The question asks for the factor "
            "by which that number is reduced.",
            144,
            36,
            108,
        ),
    ],
    hints=(
        "Compare the counts for one whole tile, which has 16 outputs.",
        "Sliding the kernel takes nine multiplications per output, and Winograd's "
        "algorithm one per pixel of the tile.",
        "Divide the count for sliding the kernel (outputs times weights) by the number "
        "of pixels in the tile.",
    ),
)
