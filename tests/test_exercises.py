"""What a learner is told about an answer."""

import pytest
import torch

from conv.exercises import compare


@pytest.mark.parametrize(
    ("answer", "expected", "verdict"),
    [
        (None, 3, "not attempted yet"),
        (3, 3, "right"),
        ((2, 3), torch.Size([2, 3]), "right"),
        ([3, 2], (2, 3), "not yet: 2 of 2 numbers differ"),
        ((2, 3, 1), (2, 3), "not yet: your shape is (3,), not (2,)"),
        (torch.ones(2, 2).int(), torch.ones(2, 2), "right"),
        (torch.eye(2), torch.ones(2, 2), "not yet: 2 of 4 numbers differ"),
        (torch.ones(2, requires_grad=True), torch.ones(2) + 1e-6, "right"),
        (float("nan"), 1.0, "not yet: 1 of 1 numbers differ"),
    ],
)
def test_verdicts(answer, expected, verdict):
    assert compare(answer, expected) == verdict
