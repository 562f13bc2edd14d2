"""Compare conv.Conv2D and conv.ConvLayer with nn.Conv2d; test receptive fields."""

import io

import numpy as np
import pytest
import torch
from torch import nn
from torchvision import models

from conv import Conv2D, ConvLayer, receptive_field
from conv.functional import as_pair


@pytest.mark.parametrize("kernel_size", [1, 3, (1, 2), (5, 2), [2, 3]])
def test_conv2d_layer_matches_pytorch(kernel_size, device):
    ours = Conv2D(kernel_size).to(device, torch.float64)
    theirs = nn.Conv2d(1, 1, kernel_size).to(device, torch.float64)
    with torch.no_grad():
        ours.bias.fill_(0.7)
        theirs.weight.copy_(ours.weight[None, None])
        theirs.bias.copy_(ours.bias)
    x = torch.randn(9, 8, dtype=torch.float64).to(device)
    y, expected = ours(x), theirs(x[None, None])[0, 0]
    torch.testing.assert_close(y, expected)
    y.square().sum().backward()
    expected.square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad[0, 0])
    torch.testing.assert_close(ours.bias.grad, theirs.bias.grad)


def test_initialization():
    layer = Conv2D((30, 40))
    assert layer.weight.shape == (30, 40)
    assert 0 <= layer.weight.min() < 0.01
    assert 0.99 < layer.weight.max() < 1
    assert layer.bias.tolist() == [0.0]


def test_repr():
    assert repr(Conv2D(3)) == "Conv2D(kernel_size=(3, 3))"
    assert repr(Conv2D((1, 2))) == "Conv2D(kernel_size=(1, 2))"


def test_state_dict_round_trip():
    layer, restored = Conv2D((2, 3)), Conv2D((2, 3))
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    restored.load_state_dict(torch.load(file, weights_only=True))
    x = torch.rand(5, 5)
    assert list(layer.state_dict()) == ["weight", "bias"]
    assert torch.equal(layer(x), restored(x))


def test_meta_device():
    with torch.device("meta"):
        layer = Conv2D(3)
        assert layer(torch.empty(8, 9)).device.type == "meta"


def test_kernel_and_bias_can_be_learned(device):
    target = Conv2D(2).to(device)
    with torch.no_grad():
        target.bias.fill_(-0.5)
    x = torch.randn(30, 30).to(device)
    layer = Conv2D(2).to(device)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.3)
    for _ in range(100):
        optimizer.zero_grad()
        nn.functional.mse_loss(layer(x), target(x).detach()).backward()
        optimizer.step()
    torch.testing.assert_close(layer.state_dict(), target.state_dict())


def test_as_pair():
    assert as_pair(2) == (2, 2)
    assert as_pair([1, 2]) == (1, 2)
    assert as_pair(np.int64(2)) == (2, 2)


def test_numpy_integers_are_valid_sizes():
    """PyTorch accepts them, too; they may come from the shape of an array."""
    layer = ConvLayer(np.int64(2), 4, np.int64(3), (np.int64(2), 1), np.int64(1))
    assert layer(torch.rand(1, 2, 8, 8)).shape == (1, 4, 4, 8)
    assert Conv2D(np.int64(2)).weight.shape == (2, 2)


def measured_field(net: nn.Sequential, side: int) -> tuple[int, int]:
    """Measure the receptive field of the central output by its gradient."""
    for parameter in net.parameters():
        nn.init.constant_(parameter, 0.1)  # positive weights, so that nothing cancels
    x = torch.ones(1, 1, side, side, dtype=torch.float64, requires_grad=True)
    y = net.double()(x)
    y[0, 0, y.shape[2] // 2, y.shape[3] // 2].backward()
    rows, columns = (x.grad[0, 0] != 0).nonzero().T
    return (
        int(rows.max() - rows.min()) + 1,
        int(columns.max() - columns.min()) + 1,
    )


@pytest.mark.parametrize(
    "net",
    [
        nn.Sequential(nn.Conv2d(1, 1, (3, 5))),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 1, 3, dilation=2)),
        nn.Sequential(
            nn.Conv2d(1, 1, 3, stride=2), nn.AvgPool2d(2), nn.Conv2d(1, 1, 3)
        ),
        nn.Sequential(
            nn.Sequential(nn.Conv2d(1, 1, (2, 3), (3, 1)), nn.Sigmoid()),
            nn.AvgPool2d((2, 1), padding=(1, 0)),
            nn.Conv2d(1, 1, 2, dilation=(1, 4)),
        ),
    ],
)
def test_receptive_field_matches_gradients(net):
    assert receptive_field(net) == measured_field(net, 40)


@pytest.mark.parametrize(
    ("features", "side"),
    # Araujo, Norris, Sim, Distill 2019, table 1: AlexNet 195, VGG-16 212.
    [(lambda: models.alexnet().features, 195), (lambda: models.vgg16().features, 212)],
)
def test_receptive_fields_of_known_networks(features, side):
    with torch.device("meta"):
        assert receptive_field(features()) == (side, side)


def test_receptive_field_names_an_unsupported_layer():
    message = (
        r"layers contains Linear\(.*\); expected convolutions, pooling, activations"
    )
    with pytest.raises(TypeError, match=f"^{message}"):
        receptive_field([nn.Conv2d(1, 1, 3), nn.Linear(3, 3)])


LAYERS = {
    "plain": ((3, 4, 3), {}),
    "strided": ((4, 6, (3, 2)), {"stride": (2, 1), "padding": (1, 0)}),
    "dilated": ((2, 2, 3), {"dilation": 2, "padding": "same", "bias": False}),
    "grouped": ((6, 9, 3), {"groups": 3}),
}


@pytest.mark.parametrize(("sizes", "options"), LAYERS.values(), ids=LAYERS)
def test_conv_layer_matches_pytorch(sizes, options, device):
    """With the same seed, parameters, names, outputs and gradients are equal."""
    ours, theirs = seeded(ConvLayer, sizes, options), seeded(nn.Conv2d, sizes, options)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    ours, theirs = ours.to(device, torch.float64), theirs.to(device, torch.float64)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, sizes[0], 9, 8, dtype=torch.float64).to(device)
    torch.testing.assert_close(ours(x), theirs(x))
    ours(x).square().sum().backward()
    theirs(x).square().sum().backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)


def seeded(layer, sizes, options):
    torch.manual_seed(3)
    return layer(*sizes, **options)


def test_conv_layer_on_meta_and_its_repr():
    with torch.device("meta"):
        layer = ConvLayer(2, 4, 3, stride=2)
        assert layer(torch.empty(1, 2, 9, 9)).shape == (1, 4, 4, 4)
    assert repr(layer) == "ConvLayer(weight=(4, 2, 3, 3), stride=2)"
    assert receptive_field([layer, ConvLayer(4, 4, 3, dilation=2)]) == (11, 11)
