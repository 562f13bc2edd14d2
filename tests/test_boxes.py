"""Boxes against torchvision.ops, scikit-learn and slow definitions, in float64."""

import itertools

import pytest
import torch
import torchvision.ops
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score

import conv

CLOSE = {"rtol": 0, "atol": 1e-12}


@st.composite
def box_lists(draw, least: int = 0, most: int = 12) -> torch.Tensor:
    """Draw boxes on a coarse grid, so that many touch, coincide or overlap."""
    corner, side = st.integers(0, 12), st.integers(1, 8)
    rows = draw(
        st.lists(st.tuples(corner, corner, side, side), min_size=least, max_size=most)
    )
    boxes = torch.tensor(rows, dtype=torch.float64).reshape(-1, 4)
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)


def distinct_scores(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randperm(count, generator=generator).double() / max(count, 1)


seeds = st.integers(0, 2**32)
limits = st.floats(0, 1)


def pixels(box: torch.Tensor) -> set[tuple[int, int]]:
    """List the pixels in a box with whole sides."""
    left, top, right, bottom = (int(side) for side in box)
    return set(itertools.product(range(left, right), range(top, bottom)))


@given(box_lists(), box_lists())
def test_box_iou_equals_torchvision(A, B):
    ours = conv.box_iou(A, B)
    torch.testing.assert_close(ours, torchvision.ops.box_iou(A, B), **CLOSE)
    assert ours.dtype == torch.float64


@given(box_lists(least=1, most=3), box_lists(least=1, most=3))
def test_box_iou_counts_pixels(A, B):
    for i, j in itertools.product(range(len(A)), range(len(B))):
        one, other = pixels(A[i]), pixels(B[j])
        expected = len(one & other) / len(one | other)
        assert conv.box_iou(A, B)[i, j].item() == pytest.approx(expected)


def test_box_iou_of_fractions_and_integers():
    A = torch.tensor([[0.25, 0.5, 1.75, 2.5]])
    B = torch.tensor([[1, 1, 3, 2]])
    expected = 0.75 / (3 + 2 - 0.75)
    torch.testing.assert_close(conv.box_iou(A, B), torch.tensor([[expected]]))
    assert conv.box_iou(B, B).tolist() == [[1.0]]


@given(box_lists(), seeds, limits)
def test_nms_equals_torchvision(boxes, seed, limit):
    scores = distinct_scores(len(boxes), seed)
    kept = conv.nms(boxes, scores, limit)
    assert kept.tolist() == torchvision.ops.nms(boxes, scores, limit).tolist()
    assert kept.dtype == torch.int64


@given(box_lists(least=1), limits)
def test_nms_prefers_the_first_of_equal_scores(boxes, limit):
    kept = conv.nms(boxes, torch.ones(len(boxes)).double(), limit).tolist()
    assert kept[0] == 0
    assert kept == sorted(kept)


def test_a_removed_box_removes_no_other():
    """A overlaps B, and B overlaps C, but A doesn't overlap C."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10]])
    scores = torch.tensor([0.9, 0.8, 0.7])
    assert conv.nms(boxes, scores, 0.3).tolist() == [0, 2]


def test_a_box_at_the_limit_is_kept():
    boxes = torch.tensor([[0.0, 0, 2, 2], [0, 0, 2, 1]])  # IoU 0.5
    scores = torch.tensor([0.9, 0.8])
    assert conv.nms(boxes, scores, 0.5).tolist() == [0, 1]
    assert conv.nms(boxes, scores, 0.49).tolist() == [0]


@given(box_lists(least=1), box_lists(least=1))
def test_refining_by_the_offsets_of_other_boxes_gives_these(boxes, others):
    count = min(len(boxes), len(others))
    boxes, others = boxes[:count], others[:count]
    x, y, right, bottom = boxes.T
    w, h = right - x, bottom - y
    offsets = (others - boxes) / torch.stack([w, h, w, h], dim=1)
    torch.testing.assert_close(conv.refine_boxes(boxes, offsets), others)


def matched_slowly(boxes: list, truth: list, limit: float) -> list[bool]:
    """Match boxes one by one, with sets of pixels."""
    free, hits = list(range(len(truth))), []
    for box in boxes:
        ratios = {
            j: len(pixels(box) & pixels(truth[j])) / len(pixels(box) | pixels(truth[j]))
            for j in free
        }
        best = max(ratios, key=ratios.get, default=None)
        hits.append(best is not None and ratios[best] >= limit)
        if hits[-1]:
            free.remove(best)
    return hits


@given(box_lists(), box_lists(least=1, most=5), st.floats(0.1, 1))
def test_matching_equals_a_slow_one(boxes, truth, limit):
    found = conv.match_boxes(boxes, truth, limit).tolist()
    assert found == matched_slowly(list(boxes), list(truth), limit)


def test_a_true_box_counts_once():
    truth = torch.tensor([[0.0, 0, 10, 10], [20, 0, 30, 10]])
    boxes = truth[[0, 0, 1]] + torch.tensor([[0.0], [1], [0]])
    assert conv.match_boxes(boxes, truth).tolist() == [True, False, True]
    with_two = torch.cat([boxes, truth[:1] + 100])
    assert conv.match_boxes(with_two, truth).tolist() == [True, False, True, False]


def test_an_overlap_at_the_limit_is_a_hit():
    truth, half = torch.tensor([[0.0, 0, 2, 2]]), torch.tensor([[0.0, 0, 2, 1]])
    assert conv.match_boxes(half, truth, 0.5).tolist() == [True]
    assert conv.match_boxes(half, truth, 0.51).tolist() == [False]


@given(st.lists(st.booleans(), min_size=1, max_size=40), st.integers(0, 5))
def test_average_precision_equals_scikit_learn(hits, missed):
    count = sum(hits)
    if count + missed == 0:
        return
    ours = conv.average_precision(torch.tensor(hits), count + missed).item()
    scores = range(len(hits), 0, -1)
    theirs = average_precision_score(hits, list(scores)) if count else 0
    assert ours == pytest.approx(theirs * count / (count + missed), abs=1e-6)


def test_no_boxes_are_no_error():
    none, scores = torch.empty(0, 4), torch.empty(0)
    truth = torch.tensor([[0.0, 0, 1, 1]])
    assert conv.box_iou(none, truth).shape == (0, 1)
    assert conv.nms(none, scores, 0.5).shape == (0,)
    assert conv.refine_boxes(none, none).shape == (0, 4)
    hits = conv.match_boxes(none, truth)
    assert hits.shape == (0,)
    assert conv.average_precision(hits, 1) == 0


def test_results_are_on_the_device_of_the_boxes(device):
    boxes = torch.tensor([[0.0, 0, 4, 4], [1, 1, 5, 5]], device=device)
    scores = torch.tensor([0.5, 0.9], device=device)
    kept = conv.nms(boxes, scores, 0.9)
    assert kept.device == boxes.device
    assert kept.tolist() == [1, 0]
    hits = conv.match_boxes(boxes[kept], boxes)
    assert hits.device == boxes.device
    assert conv.average_precision(hits, 2).device == boxes.device
    assert conv.average_precision(hits, 2).item() == 1
    assert conv.box_iou(boxes, boxes).device == boxes.device
