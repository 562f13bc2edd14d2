"""Answers to chapter 5, "Pad and stride", as learners would hand them in."""

import math
from fractions import Fraction

import numpy as np
import torch
import torch.nn.functional as F

import conv
from answers.kit import right, wrong

# 5.1 ---------------------------------------------------------------------------------

wrong("5.1", "both sides together", 11 - 1)
wrong("5.1", "width of the kernel", 11)
wrong("5.1", "rounded up", math.ceil(11 / 2))
wrong("5.1", "half of the kernel", 11 / 2)
right("5.1", 5.0)
right("5.1", (11 - 1) / 2)
right("5.1", torch.tensor(5))
right("5.1", np.float32(5))
right("5.1", [5])
right("5.1", Fraction(11 - 1, 2))
right("5.1", next(p for p in range(11) if 40 + 2 * p - 11 + 1 == 40))

# 5.2 ---------------------------------------------------------------------------------


def five_times(n, layer):
    """Send a side through five layers."""
    for _ in range(5):
        n = layer(n)
    return n


wrong(
    "5.2", "padding or first window forgotten", five_times(224, lambda n: (n - 1) // 2)
)
wrong(
    "5.2",
    "padding or first window forgotten",
    five_times(224, lambda n: (n - 3) // 2 + 1),
)
wrong("5.2", "one layer only", 112)
wrong("5.2", "four layers only", 14)
wrong("5.2", "stride forgotten", 224)
wrong("5.2", "divided by the number of layers", 224 / (2 * 5))
wrong("5.2", "divided by the number of layers", 224 // 10)
wrong("5.2", "not rounded down", five_times(224, lambda n: (n + 2 - 3) / 2 + 1))
right("5.2", 7.0)
right("5.2", Fraction(224, 32))
right("5.2", np.int64(7))
right("5.2", five_times(224, lambda n: conv.output_shape(n, 3, 2, 1)[0]))
right("5.2", torch.tensor([7]))
right("5.2", five_times(224, lambda n: n // 2))
right("5.2", len(range(224)[::2][::2][::2][::2][::2]))
right("5.2", five_times(224, lambda n: math.floor((n + 2 * 1 - 3) / 2 + 1)))
wrong(
    "5.2", "padding or first window forgotten", five_times(224, lambda n: (n - 1) / 2)
)
wrong("5.2", "stride forgotten", five_times(224, lambda n: n - 2))
wrong("5.2", "divided by the number of layers", 224 / 5)
wrong("5.2", "divided by the number of layers", 224 // 5)
wrong("5.2", "not rounded down", 7.97)
wrong("5.2", "not rounded down", five_times(224, lambda n: math.ceil((n - 1) / 2) + 1))
wrong("5.2", "area", 7 * 7)


# 5.3 ---------------------------------------------------------------------------------


@right("5.3")
def by_reflect(x, p):
    return F.pad(x[None], (p, p), mode="reflect")[0]


@right("5.3")
def by_a_loop(x, p):
    numbers = [x[p - i] for i in range(p)]
    numbers += [x[i] for i in range(len(x))]
    numbers += [x[len(x) - 2 - i] for i in range(p)]
    return torch.stack(numbers)


@right("5.3")
def by_index(x, p):
    last = len(x) - 1
    places = [last - abs(last - abs(i)) for i in range(-p, len(x) + p)]
    return x[places]


@right("5.3")
def turned_and_cut(x, p):
    n = len(x)
    turned = x.flip(0)
    return torch.cat((turned[n - 1 - p : n - 1], x, turned[1 : 1 + p]))


@right("5.3")
def written_into_zeros(x, p):
    n = len(x)
    y = x.new_zeros(n + 2 * p)
    y[p : p + n] = x
    for i in range(1, p + 1):
        y[p - i] = x[i]
        y[p + n - 1 + i] = x[n - 1 - i]
    return y


@wrong("5.3", "border repeated")
def mirror_beside_the_border(x, p):
    n = len(x)
    return torch.cat([x[:p].flip(0), x, x[n - p :].flip(0)])


@wrong("5.3", "border repeated")
def border_repeated_by_index(x, p):
    left = [x[p - 1 - i] for i in range(p)]
    behind = [x[len(x) - 1 - i] for i in range(p)]
    return torch.stack([*left, *x, *behind])


@wrong("5.3", "not mirrored")
def flip_forgotten(x, p):
    return torch.cat([x[1 : p + 1], x, x[-p - 1 : -1]])


@wrong("5.3", "ends swapped")
def right_end_to_the_left(x, p):
    return torch.cat([x[-p - 1 : -1].flip(0), x, x[1 : p + 1].flip(0)])


@wrong("5.3", "circular padding")
def goes_on_from_the_other_end(x, p):
    n = len(x)
    return torch.cat([x[n - p :], x, x[:p]])


@wrong("5.3", "circular padding")
def circular(x, p):
    return F.pad(x[None], (p, p), mode="circular")[0]


@wrong("5.3", "replicate padding")
def border_stretched(x, p):
    return torch.cat([x[:1].repeat(p), x, x[-1:].repeat(p)])


@wrong("5.3", "zero padding")
def zeros_on_both_sides(x, p):
    return F.pad(x, (p, p))


@wrong("5.3", "zero padding")
def zeros_joined(x, p):
    return torch.cat([x.new_zeros(p), x, x.new_zeros(p)])


@wrong("5.3", "padding on one side")
def left_side_only(x, p):
    return torch.cat([x[1 : p + 1].flip(0), x])


@wrong("5.3", "padding on one side")
def right_side_only(x, p):
    return torch.cat([x, x[-p - 1 : -1].flip(0)])


@wrong("5.3", "nan in the result")
def frame_of_empty_memory(x, p):
    y = x.new_empty(len(x) + 2 * p)
    y[p : p + len(x)] = x
    for i in range(1, p):
        y[p - i] = x[i]
        y[p + len(x) - 1 + i] = x[len(x) - 1 - i]
    return y


@right("5.3")
def joined_lists(x, p):
    x = x.tolist()
    return x[1 : p + 1][::-1] + x + x[::-1][1 : p + 1]


@wrong("5.3", "error raised")
def step_of_minus_one(x, p):
    return torch.cat([x[p:0:-1], x, x[-2 : -p - 2 : -1]])


@right("5.3")
def by_numpy(x, p):
    return np.pad(x.numpy(), p, mode="reflect")


@right("5.3")
def by_joined_arrays(x, p):
    x = np.array(x)
    return np.concatenate((x[p:0:-1], x, x[-2 : -p - 2 : -1]))


@right("5.3")
def in_float32(x, p):
    y = torch.zeros(len(x) + 2 * p)
    for i in range(len(y)):
        place = abs(i - p)
        if place >= len(x):
            place = 2 * (len(x) - 1) - place
        y[i] = x[place]
    return y


@right("5.3")
def by_insertion(x, p):
    numbers = [number.item() for number in x]
    n = len(numbers)
    for i in range(1, p + 1):
        numbers.insert(0, x[i].item())
        numbers.append(x[n - 1 - i].item())
    return numbers


@right("5.3")
def one_row_of_a_batch(x, p):
    return F.pad(x.reshape(1, 1, -1), (p, p), mode="reflect").squeeze(0)


@wrong("5.3", "border repeated")
def symmetric(x, p):
    return np.pad(x.numpy(), p, mode="symmetric")


@wrong("5.3", "border repeated")
def last_number_repeated(x, p):
    return torch.cat([x[1 : p + 1].flip(0), x, x[-p:].flip(0)])


@wrong("5.3", "border repeated")
def first_number_repeated(x, p):
    n = len(x)
    return torch.cat([x[:p].flip(0), x, x[n - p - 1 : n - 1].flip(0)])


@wrong("5.3", "not mirrored")
def second_flip_forgotten(x, p):
    return torch.cat([x[1 : p + 1].flip(0), x, x[-p - 1 : -1]])


@wrong("5.3", "circular padding")
def last_numbers_by_negative_index(x, p):
    return torch.cat([x[-p:], x, x[:p]])


# 5.4 ---------------------------------------------------------------------------------


@right("5.4")
def by_conv1d(x, k, stride, padding):
    y = F.conv1d(x[None, None], k[None, None], stride=stride, padding=padding)
    return y[0, 0]


@right("5.4")
def by_unfold(x, k, stride, padding):
    return F.pad(x, (padding, padding)).unfold(0, len(k), stride) @ k


@right("5.4")
def everything_then_every_sth(x, k, stride, padding):
    zeros = x.new_zeros(padding)
    x = torch.cat([zeros, x, zeros])
    n = len(x) - len(k) + 1
    return sum(k[a] * x[a : a + n] for a in range(len(k)))[::stride]


@right("5.4")
def by_taps_with_steps(x, k, stride, padding):
    framed = x.new_zeros(len(x) + 2 * padding)
    framed[padding : padding + len(x)] = x
    n = (len(framed) - len(k)) // stride + 1
    y = x.new_zeros(n)
    for a in range(len(k)):
        y = y + k[a] * framed[a : a + (n - 1) * stride + 1 : stride]
    return y


@right("5.4")
def by_a_matrix(x, k, stride, padding):
    n = len(x) + 2 * padding
    starts = range(0, n - len(k) + 1, stride)
    rows = [F.pad(k, (s, n - len(k) - s)) for s in starts]
    return torch.stack(rows)[:, padding : n - padding] @ x


@right("5.4")
def pixels_that_are_there(x, k, stride, padding):
    y = []
    start = -padding
    while start + len(k) <= len(x) + padding:
        total = x.new_zeros(())
        for a in range(len(k)):
            if 0 <= start + a < len(x):
                total = total + x[start + a] * k[a]
        y.append(total)
        start += stride
    return torch.stack(y)


@wrong("5.4", "stride applied to the kernel")
def dilated(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = []
    for i in range(len(framed) - stride * (len(k) - 1)):
        total = 0
        for a in range(len(k)):
            total = total + k[a] * framed[i + a * stride]
        y.append(total)
    return torch.stack(y)


@wrong("5.4", "stride applied to the kernel")
def windows_with_gaps(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    reach = (len(k) - 1) * stride + 1
    starts = range(len(framed) - reach + 1)
    return torch.stack([framed[s : s + reach : stride] @ k for s in starts])


@wrong("5.4", "padding on one side")
def zeros_before_only(x, k, stride, padding):
    framed = torch.cat([x.new_zeros(padding), x])
    n = (len(framed) - len(k)) // stride + 1
    return torch.stack(
        [(framed[i * stride : i * stride + len(k)] * k).sum() for i in range(n)]
    )


@wrong("5.4", "not rounded down")
def rounded_up(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    n = math.ceil((len(framed) - len(k)) / stride) + 1
    y = []
    for i in range(n):
        window = framed[i * stride : i * stride + len(k)]
        y.append((window * k[: len(window)]).sum())
    return torch.stack(y)


@wrong("5.4", "not rounded down")
def zeros_for_the_last_window(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    while (len(framed) - len(k)) % stride != 0:
        framed = F.pad(framed, (0, 1))
    return framed.unfold(0, len(k), stride) @ k


@wrong("5.4", "last window forgotten")
def no_plus_one(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    n = (len(framed) - len(k)) // stride
    y = x.new_zeros(n)
    for i in range(n):
        y[i] = (framed[i * stride : i * stride + len(k)] * k).sum()
    return y


@wrong("5.4", "last window forgotten")
def range_ends_too_early(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    starts = list(range(0, len(framed) - len(k), stride))
    y = x.new_zeros(len(starts))
    for i, s in enumerate(starts):
        y[i] = (framed[s : s + len(k)] * k).sum()
    return y


@wrong("5.4", "result padded")
def zeros_around_the_result(x, k, stride, padding):
    return F.pad(x.unfold(0, len(k), stride) @ k, (padding, padding))


@wrong("5.4", "other padding")
def frame_of_border_numbers(x, k, stride, padding):
    framed = torch.cat([x[:1].repeat(padding), x, x[-1:].repeat(padding)])
    return framed.unfold(0, len(k), stride) @ k


@wrong("5.4", "stride forgotten")
def every_place(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    n = len(framed) - len(k) + 1
    return torch.stack([(framed[i : i + len(k)] * k).sum() for i in range(n)])


@wrong("5.4", "padding forgotten")
def no_frame(x, k, stride, padding):
    return torch.stack(
        [(x[s : s + len(k)] * k).sum() for s in range(0, len(x) - len(k) + 1, stride)]
    )


@wrong("5.4", "kernel flipped")
def kernel_turned_round(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    return framed.unfold(0, len(k), stride) @ k.flip(0)


@wrong("5.4", "missing return")
def strided_without_return(x, k, stride, padding):
    F.pad(x, (padding, padding)).unfold(0, len(k), stride) @ k


@wrong("5.4", "printed instead of returned")
def strided_and_printed(x, k, stride, padding):
    y = F.pad(x, (padding, padding)).unfold(0, len(k), stride) @ k
    print(y)


@wrong("5.4", "nan in the result")
def frame_never_written(x, k, stride, padding):
    framed = torch.empty(len(x) + 2 * padding, dtype=x.dtype, device=x.device)
    framed[padding : padding + len(x)] = x
    return framed.unfold(0, len(k), stride) @ k


@wrong("5.4", "nan in the result")
def sums_into_empty(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = x.new_empty((len(framed) - len(k)) // stride + 1)
    for i in range(len(y)):
        for a in range(len(k)):
            y[i] += framed[i * stride + a] * k[a]
    return y


@wrong("5.4", "same result for every input")
def tried_on_one_signal(x, k, stride, padding):
    x, k = torch.arange(6.0), torch.tensor([1.0, 2, 3])
    stride, padding = 2, 1
    return F.pad(x, (padding, padding)).unfold(0, len(k), stride) @ k


@wrong("5.4", "wrong sign")
def products_subtracted(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = x.new_zeros((len(framed) - len(k)) // stride + 1)
    for i in range(len(y)):
        for a in range(len(k)):
            y[i] -= framed[i * stride + a] * k[a]
    return y


@wrong("5.4", "one element too long")
def plus_two(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = x.new_zeros((len(framed) - len(k)) // stride + 2)
    for i in range(len(y)):
        window = framed[i * stride : i * stride + len(k)]
        y[i] = (window * k[: len(window)]).sum()
    return y


@wrong("5.4", "scaled by a constant")
def halved(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    return framed.unfold(0, len(k), stride) @ k / 2


@wrong("5.4", "shifted by a constant")
def sums_begin_with_one(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = []
    for s in range(0, len(framed) - len(k) + 1, stride):
        total = 1
        for a in range(len(k)):
            total = total + framed[s + a] * k[a]
        y.append(total)
    return torch.stack(y)


@right("5.4")
def kernel_turned_twice(x, k, stride, padding):
    """Give right numbers, and leave the kernel turned round."""
    framed = F.pad(x, (padding, padding))
    y = framed.unfold(0, len(k), stride) @ k
    k[:] = k.flip(0)
    return y


@right("5.4")
def float32_zeros(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = torch.zeros((len(framed) - len(k)) // stride + 1)
    for i in range(len(y)):
        y[i] = (framed[i * stride : i * stride + len(k)] * k).sum()
    return y


@right("5.4")
def zeros_on_the_cpu(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = torch.zeros((len(framed) - len(k)) // stride + 1, dtype=x.dtype)
    for i in range(len(y)):
        y[i] = (framed[i * stride : i * stride + len(k)] * k).sum()
    return y


@right("5.4")
def frame_on_the_cpu(x, k, stride, padding):
    framed = torch.zeros(len(x) + 2 * padding, dtype=x.dtype)
    framed[padding : padding + len(x)] = x
    return framed.unfold(0, len(k), stride) @ k


@right("5.4")
def sums_as_items(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = x.new_zeros((len(framed) - len(k)) // stride + 1)
    for i in range(len(y)):
        y[i] = (framed[i * stride : i * stride + len(k)] * k).sum().item()
    return y


@right("5.4")
def by_lists_and_back(x, k, stride, padding):
    numbers = [0.0] * padding + x.tolist() + [0.0] * padding
    weights = k.tolist()
    y = []
    for s in range(0, len(numbers) - len(weights) + 1, stride):
        y.append(sum(numbers[s + a] * weights[a] for a in range(len(weights))))
    return torch.tensor(y, dtype=x.dtype, device=x.device)


@right("5.4")
def list_of_sums(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    y = []
    for s in range(0, len(framed) - len(k) + 1, stride):
        y.append((framed[s : s + len(k)] * k).sum())
    return y


@wrong("5.4", "infinite recursion")
def pads_for_ever(x, k, stride, padding):
    if padding >= 0:
        return pads_for_ever(x, k, stride, padding)
    return x.unfold(0, len(k), stride) @ k


@wrong("5.4", "wrong arguments")
def three_arguments(x, k, stride):
    return x.unfold(0, len(k), stride) @ k


@wrong("5.4", "undefined name")
def misspelt_padding(x, k, stride, padding):
    framed = F.pad(x, (pading, pading))  # noqa: F821
    return framed.unfold(0, len(k), stride) @ k


@wrong("5.4", "error raised")
def sizes_as_floats(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    n = (len(framed) - len(k)) / stride + 1
    return torch.stack(
        [(framed[i * stride : i * stride + len(k)] * k).sum() for i in range(n)]
    )


wrong("5.4", "result instead of function", torch.tensor([2.0, 8.0, 14.0]))


@wrong("5.4", "sum overwritten")
def last_tap_left(x, k, stride, padding):
    zeros = x.new_zeros(padding)
    framed = torch.cat([zeros, x, zeros])
    count = (len(framed) - len(k)) // stride + 1
    y = x.new_zeros(count)
    for a in range(len(k)):
        for i in range(count):
            y[i] = framed[i * stride + a] * k[a]
    return y


@wrong("5.4", "mean instead of sum")
def means_of_windows(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    windows = framed.unfold(0, len(k), stride)
    return (windows * k).mean(dim=1)


@wrong("5.4", "padding on one side")
def frame_behind(x, k, stride, padding):
    framed = torch.cat([x, x.new_zeros(padding)])
    return framed.unfold(0, len(k), stride) @ k


@wrong("5.4", "stride forgotten")
def neighbors_only(x, k, stride, padding):
    framed = F.pad(x, (padding, padding))
    count = (len(framed) - len(k)) // stride + 1
    return torch.stack([(framed[i : i + len(k)] * k).sum() for i in range(count)])


@wrong("5.4", "windows beyond the end")
def windows_begin_everywhere(x, k, stride, padding):
    zeros = x.new_zeros(padding)
    framed = torch.cat([zeros, x, zeros])
    outputs = []
    for start in range(0, len(framed), stride):
        window = framed[start : start + len(k)]
        outputs.append((window * k[: len(window)]).sum())
    return torch.stack(outputs)


@right("5.4")
def by_numpy_correlate(x, k, stride, padding):
    padded = np.pad(x.numpy(), padding)
    return np.correlate(padded, k.numpy(), mode="valid")[::stride]


@right("5.4")
def by_numpy_windows(x, k, stride, padding):
    padded = np.pad(np.asarray(x), padding)
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(k))[::stride]
    return np.einsum("na,a->n", windows, np.asarray(k))


@right("5.4")
def by_einsum(x, k, stride, padding):
    windows = F.pad(x, (padding, padding)).unfold(0, len(k), stride)
    return torch.einsum("na,a->n", windows, k)


@right("5.4")
def by_plain_lists(x, k, stride, padding):
    x = [0] * padding + [float(number) for number in x] + [0] * padding
    starts = range(0, len(x) - len(k) + 1, stride)
    return [sum(x[s + a] * float(k[a]) for a in range(len(k))) for s in starts]


@right("5.4")
def by_conv2d(x, k, stride, padding):
    """Give a result of shape (1, 1, 1, n)."""
    x, k = x[None, None, None], k[None, None, None]
    return conv.conv2d(x, k, stride=(1, stride), padding=(0, padding))


@wrong("5.4", "stride applied to the input")
def every_sth_number(x, k, stride, padding):
    padded = F.pad(x, (padding, padding))[::stride]
    n = len(padded) - len(k) + 1
    return torch.stack([(padded[i : i + len(k)] * k).sum() for i in range(n)])


@wrong("5.4", "stride applied to the input")
def skipped_before_the_padding(x, k, stride, padding):
    return F.pad(x[::stride], (padding, padding)).unfold(0, len(k), 1) @ k


@right("5.4")
def default_dtype(x, k, stride, padding):
    padded = torch.zeros(len(x) + 2 * padding)
    padded[padding : padding + len(x)] = x
    return padded.unfold(0, len(k), stride) @ k


@wrong("5.4", "other padding")
def strided_with_mirror(x, k, stride, padding):
    if padding:
        x = torch.cat([x[1 : padding + 1].flip(0), x, x[-padding - 1 : -1].flip(0)])
    return x.unfold(0, len(k), stride) @ k


# 5.5 ---------------------------------------------------------------------------------


@right("5.5")
def length_by_listing(n, k, stride, padding):
    count, start = 0, 0
    while start + k <= n + 2 * padding:
        count, start = count + 1, start + stride
    return count


@right("5.5")
def length_by_the_course(n, k, stride, padding):
    rows, _ = conv.output_shape(n, k, stride, padding)
    return rows


@right("5.5")
def length_by_floor(n, k, stride, padding):
    return math.floor((n + 2 * padding - k) / stride + 1)


@right("5.5")
def length_by_numpy(n, k, stride, padding):
    return np.floor_divide(n + 2 * padding - k, stride) + 1


@right("5.5")
def length_by_torch(n, k, stride, padding):
    x, kernel = torch.zeros(1, 1, n), torch.zeros(1, 1, k)
    y = F.conv1d(x, kernel, stride=stride, padding=padding)
    return torch.tensor(y.shape[-1])


@right("5.5")
def length_rounded_towards_zero(n, k, stride, padding):
    n += 2 * padding
    return int((n - k) / stride) + 1


@right("5.5")
def length_as_float(n, k, stride, padding):
    return float(len(range(n + 2 * padding)[k - 1 :: stride]))


@right("5.5")
def length_with_the_one_in_the_numerator(n, k, stride, padding):
    return (n + 2 * padding - k + stride) // stride


@wrong("5.5", "not rounded down")
def length_with_a_fraction(n, k, stride, padding):
    return (n + padding + padding - k) / stride + 1


@wrong("5.5", "rounded up")
def length_rounded_up(n, k, stride, padding):
    room = n + 2 * padding - k
    return -(-room // stride) + 1


@wrong("5.5", "rounded up")
def length_to_the_nearest(n, k, stride, padding):
    return round((n + 2 * padding - k) / stride + 1)


@wrong("5.5", "rounded up")
def steps_to_the_nearest(n, k, stride, padding):
    return round((n + 2 * padding - k) / stride) + 1


@wrong("5.5", "padding counted once")
def length_with_one_frame(n, k, stride, padding):
    framed = n + padding
    starts = range(0, framed - k + 1, stride)
    return len(starts)


@wrong("5.5", "first window forgotten")
def length_without_the_first(n, k, stride, padding):
    return (n + 2 * padding - k) // stride


@wrong("5.5", "first window counted twice")
def length_with_two_ones(n, k, stride, padding):
    positions = n + 2 * padding - k + 1
    return positions // stride + 1


@wrong("5.5", "one added too early")
def length_with_an_early_one(n, k, stride, padding):
    return (n + 2 * padding - k + 1) // stride


@wrong("5.5", "padding forgotten")
def length_of_the_bare_signal(n, k, stride, padding):
    return conv.output_shape(n, k, stride=stride)[0]


@wrong("5.5", "padding forgotten")
def length_of_the_bare_signal_as_float(n, k, stride, padding):
    return (n - k) / stride + 1


@wrong("5.5", "bugs left")
def padding_fixed(n, k, stride, padding):
    return (n + 2 * padding - k + 1) / stride


@wrong("5.5", "bugs left")
def division_fixed(n, k, stride, padding):
    n = n + padding
    return (n - k + 1) // stride


@wrong("5.5", "bugs left")
def first_window_fixed(n, k, stride, padding):
    return (n + padding - k) / stride + 1


@wrong("5.5", "bugs left")
def one_removed(n, k, stride, padding):
    return (n + padding - k) // stride
