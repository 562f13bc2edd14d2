"""Nets that chapters share."""

import pytest
import torch

import conv


def test_lenet_has_the_books_numbers():
    """120 + 84 + 10 outputs over 16 x 5 x 5 maps; 61,706 numbers."""
    net = conv.lenet()
    assert sum(p.numel() for p in net.parameters()) == 61_706
    assert conv.receptive_field(net[:6]) == (16, 16)


@pytest.mark.parametrize("count", [1, 3])
def test_lenet_gives_ten_scores_where_it_lives(count, device):
    images = torch.rand(count, 1, 28, 28, device=device)
    scores = conv.lenet().to(device)(images)
    assert (scores.shape, scores.device) == ((count, 10), device)


def test_lenet_lives_on_the_meta_device():
    with torch.device("meta"):
        net, images = conv.lenet(), torch.rand(2, 1, 28, 28)
    assert net(images).device.type == "meta"


def test_a_seed_repeats_lenet():
    def weights():
        torch.manual_seed(3)
        return torch.cat([p.flatten() for p in conv.lenet().parameters()])

    assert torch.equal(weights(), weights())
