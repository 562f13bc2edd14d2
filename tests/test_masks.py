"""Chapter 17's measures, loss and tiles against independent oracles, in float64."""

import hashlib
import re

import numpy as np
import pytest
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import distance
from scipy.special import expit
from torch import nn
from torch.autograd import gradcheck

import conv
import conv.data


def masks(seed: int, *shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw two masks, each with a density of its own, that aren't both empty."""
    generator = torch.Generator().manual_seed(seed)
    densities = torch.rand(2, *(1 for _ in shape), generator=generator)
    both = torch.rand(2, *shape, generator=generator) < densities
    both[0, ..., 0] = True
    return both[0], both[1]


shapes = st.lists(st.integers(1, 7), min_size=1, max_size=4)
seeds = st.integers(0, 2**32)


@given(seeds, shapes)
def test_iou_and_dice_agree_with_scipy(seed, shape):
    a, b = masks(seed, *shape)
    u, v = a.flatten().numpy(), b.flatten().numpy()
    assert conv.iou(a, b).item() == pytest.approx(1 - distance.jaccard(u, v), abs=1e-6)
    assert conv.dice(a, b).item() == pytest.approx(1 - distance.dice(u, v), abs=1e-6)


@given(seeds, shapes)
def test_iou_and_dice_are_those_of_sets(seed, shape):
    a, b = masks(seed, *shape)
    one, two = (set(map(tuple, m.nonzero().tolist())) for m in (a, b))
    assert conv.iou(a, b).item() == pytest.approx(len(one & two) / len(one | two))
    overlap = len(one & two) / (len(one) + len(two))
    assert conv.dice(a, b).item() == pytest.approx(2 * overlap)


@given(seeds, shapes)
def test_iou_and_dice_are_symmetric_and_order_masks_alike(seed, shape):
    a, b = masks(seed, *shape)
    iou = conv.iou(a, b)
    assert iou == conv.iou(b, a)
    assert conv.dice(a, b) == conv.dice(b, a)
    torch.testing.assert_close(conv.dice(a, b), 2 * iou / (1 + iou))
    assert conv.iou(a, a) == conv.dice(a, a) == 1


def test_two_empty_masks_have_no_iou():
    empty = torch.zeros(3, 4, dtype=torch.bool)
    assert conv.iou(empty, empty).isnan()
    assert conv.dice(empty, empty).isnan()
    assert conv.iou(empty, ~empty) == conv.dice(empty, ~empty) == 0


@given(seeds, shapes)
def test_dice_loss_agrees_with_numpy(seed, shape):
    generator = torch.Generator().manual_seed(seed)
    scores = 3 * torch.randn(*shape, generator=generator, dtype=torch.float64)
    target = masks(seed, *shape)[1].double()
    p, t = expit(scores.numpy()), target.numpy()
    expected = 1 - (2 * np.vdot(p, t) + 1) / (p.sum() + t.sum() + 1)
    loss = conv.dice_loss(scores, target)
    assert loss.dtype == torch.float64
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, abs=1e-12)
    assert 0 <= loss < 1


@given(seeds, shapes)
def test_dice_loss_of_certain_scores_is_that_of_masks(seed, shape):
    a, b = masks(seed, *shape)
    scores = torch.where(a, 60.0, -60.0).double()
    size = a.sum() + b.sum()
    expected = 1 - (conv.dice(a, b).double() * size + 1) / (size + 1)
    loss = conv.dice_loss(scores, b.double())
    assert loss.item() == pytest.approx(expected.item(), abs=1e-6)


def test_dice_loss_has_the_right_gradient():
    torch.manual_seed(0)
    scores = torch.randn(2, 1, 4, 3, dtype=torch.float64, requires_grad=True)
    target = (torch.rand(2, 1, 4, 3) < 0.4).double()
    assert gradcheck(conv.dice_loss, (scores, target))


# Tiles


class Blur(nn.Module):
    """Correlate each image with a kernel, with zeros around it."""

    def __init__(self, kernel):
        super().__init__()
        self.kernel = kernel

    def forward(self, x):
        flat = x.flatten(0, 1).numpy()
        images = [
            scipy.ndimage.correlate(i, self.kernel, mode="constant") for i in flat
        ]
        return torch.from_numpy(np.stack(images)).view(x.shape)


@settings(deadline=None)
@given(
    seeds,
    st.integers(1, 20),
    st.integers(1, 20),
    st.integers(1, 9),
    st.integers(0, 3),
    st.integers(0, 2),
)
def test_tiles_with_enough_overlap_agree_with_the_whole(seed, H, W, size, reach, more):
    torch.manual_seed(seed)
    x = torch.randn(2, 3, H, W, dtype=torch.float64)
    net = Blur(torch.randn(2 * reach + 1, 2 * reach + 1, dtype=torch.float64).numpy())
    tiled = conv.apply_in_tiles(net, x, size, reach + more)
    torch.testing.assert_close(tiled, net(x), rtol=0, atol=1e-12)


def test_tiles_with_too_little_overlap_differ_in_a_band():
    net = Blur(np.ones((5, 5)))
    x = torch.rand(1, 1, 12, 12, dtype=torch.float64)
    for margin in (0, 1):
        tiled = conv.apply_in_tiles(net, x, 6, margin)
        wrong = ((tiled - net(x)).abs() > 1e-12)[0, 0]
        band = torch.zeros(12, 12, dtype=torch.bool)
        band[4 + margin : 8 - margin] = band[:, 4 + margin : 8 - margin] = True
        assert torch.equal(wrong, band)


class Double(nn.Module):
    """Pool, convolve and enlarge, as a U-Net does: its total stride is 2."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv2d(2, 3, 3, padding=1),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Conv2d(3, 3, 3, padding=1),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(3, 4, 3, padding=1),
        ).double()

    def forward(self, x):
        return self.layers(x)


@pytest.mark.parametrize(("height", "width"), [(24, 24), (22, 30), (6, 40)])
def test_tiles_of_a_network_with_pooling(height, width):
    x = torch.randn(1, 2, height, width, dtype=torch.float64)
    net = Double()
    with torch.no_grad():
        whole = net(x)
        tiled = conv.apply_in_tiles(net, x, 8, 6)
        assert tiled.shape == (1, 4, height, width)
        torch.testing.assert_close(tiled, whole, rtol=0, atol=1e-12)
        assert (conv.apply_in_tiles(net, x, 8, 0) - whole).abs().max() > 1e-3


def test_no_tile_is_larger_than_size_and_margins():
    seen = []

    class Watch(nn.Module):
        def forward(self, x):
            seen.append(tuple(x.shape[2:]))
            return x

    x = torch.rand(1, 1, 10, 7)
    assert torch.equal(conv.apply_in_tiles(Watch(), x, 4, 2), x)
    assert seen == [(6, 6), (6, 5), (8, 6), (8, 5), (4, 6), (4, 5)]


# The image


def test_nuclei_are_the_files_that_their_source_published():
    readme = (conv.data.FILES / "README.md").read_text()
    pixels = [
        "f5bd38ab39448298bf06f3efa44ad2e5337866877f521d400ab2932b163bc22e",
        "f8435c28fbf8d78d9eda5fd7328a5b833ea96e670a739cb85421f75c5e212f99",
    ]
    loaded = conv.load_nuclei()
    for path, values, expected in zip(
        conv.data.NUCLEI_FILES, loaded, pixels, strict=True
    ):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in readme
        data = values.to(torch.uint8).numpy().tobytes()  # as in stardist's TIFF files
        assert hashlib.sha256(data).hexdigest() == expected
    assert re.search(
        "Uwe Schmidt", (conv.data.FILES / "LICENSE-stardist.txt").read_text()
    )


def test_nuclei_have_the_documented_types_and_numbers():
    image, labels = conv.load_nuclei()
    assert (image.shape, labels.shape) == ((512, 512), (512, 512))
    assert (image.dtype, labels.dtype) == (torch.float32, torch.int64)
    assert (image.min(), image.max()) == (0, 235)
    assert len(labels.unique()) == 1 + 125
    assert labels.max() == 183
