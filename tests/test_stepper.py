"""The sliding window's HTML."""

import re
from xml.etree import ElementTree

import pytest
import torch

from conv import Stepper, corr2d


@pytest.fixture
def stepper():
    return Stepper(torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2))


def test_tells_each_step_in_words(stepper):
    multiply = "\N{MULTIPLICATION SIGN}"
    assert repr(stepper).replace(multiply, "*").splitlines() == [
        "Y[0, 0] = 0*0 + 1*1 + 3*2 + 4*3 = 19",
        "Y[0, 1] = 1*0 + 2*1 + 4*2 + 5*3 = 25",
        "Y[1, 0] = 3*0 + 4*1 + 6*2 + 7*3 = 37",
        "Y[1, 1] = 4*0 + 5*1 + 7*2 + 8*3 = 43",
    ]


def test_draws_a_frame_a_step(stepper):
    root = ElementTree.fromstring(stepper._repr_html_())
    frames = root.findall("svg")
    assert [frame.get("aria-label") for frame in frames] == repr(stepper).split("\n")
    assert [frame.get("style") for frame in frames] == [
        "display:block",
        *["display:none"] * 3,
    ]
    slider = root.find("label/input")
    assert (slider.get("min"), slider.get("max")) == ("1", "4")
    for control in (slider, root.find("button")):  # JupyterLab leaves them their keys
        assert control.get("data-lm-suppress-shortcuts") == "true"


def test_marks_the_window_and_what_is_done(stepper):
    frame = ElementTree.fromstring(stepper.frame(2))
    marked = [
        (int(cell.get("x")), int(cell.get("y")))
        for cell in frame.findall("rect")
        if cell.get("fill") == "#0072B2"
    ]
    assert marked == [(4, 60), (40, 60), (4, 96), (40, 96)]  # rows 1-2, columns 0-1
    numbers = [text.text for text in frame.findall("text")]
    assert "37" in numbers
    assert "43" not in numbers


def test_is_the_same_each_time_and_asks_nobody(stepper):
    again = Stepper(torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2))
    html = stepper._repr_html_()
    assert html == again._repr_html_()
    assert not re.search(r"https?:|src=|href=|\bid=", html)


def test_other_shapes_and_numbers():
    X, K = torch.randn(4, 6).round(decimals=1), torch.tensor([[0.5, -1.0, 2.0]])
    stepper = Stepper(X, K)
    sums = [float(line.rsplit("= ")[-1]) for line in repr(stepper).splitlines()]
    torch.testing.assert_close(
        torch.tensor(sums), corr2d(X, K).flatten(), atol=1e-4, rtol=1e-4
    )
    ElementTree.fromstring(stepper._repr_html_())


def test_refuses_what_corr2d_refuses():
    with pytest.raises(ValueError, match="K has shape"):
        Stepper(torch.ones(2, 2), torch.ones(3, 3))
