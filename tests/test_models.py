"""Test the networks that several chapters use."""

import pytest
import torch
import torch.nn.functional as F

import conv


def test_lenet_has_the_expected_number_of_parameters():
    """LeNet has 61,706 parameters."""
    net = conv.lenet()
    assert sum(p.numel() for p in net.parameters()) == 61_706
    assert conv.receptive_field(net[:6]) == (16, 16)


def test_lenet_matches_explicit_layers():
    """Compare outputs and gradients with explicit operations on the same parameters."""
    net = conv.lenet().double()
    images = torch.rand(5, 1, 28, 28, dtype=torch.float64)
    K1, b1, K2, b2, W1, c1, W2, c2, W3, c3 = net.parameters()
    X = F.max_pool2d(F.conv2d(images, K1, b1, padding=2).relu(), 2)
    X = F.max_pool2d(F.conv2d(X, K2, b2).relu(), 2).flatten(1)
    scores = ((X @ W1.T + c1).relu() @ W2.T + c2).relu() @ W3.T + c3
    torch.testing.assert_close(net(images), scores)
    expected = torch.autograd.grad(scores.logsumexp(1).sum(), [K1, K2, W1, W2])
    found = torch.autograd.grad(net(images).logsumexp(1).sum(), [K1, K2, W1, W2])
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_lenet_returns_ten_scores_on_its_device(count, device):
    images = torch.rand(count, 1, 28, 28, device=device)
    scores = conv.lenet().to(device)(images)
    assert (scores.shape, scores.device) == ((count, 10), device)


def test_lenet_works_on_the_meta_device():
    with torch.device("meta"):
        net, images = conv.lenet(), torch.rand(2, 1, 28, 28)
    assert net(images).device.type == "meta"


def test_seed_reproduces_lenet():
    def weights():
        torch.manual_seed(3)
        return torch.cat([p.flatten() for p in conv.lenet().parameters()])

    assert torch.equal(weights(), weights())
