"""Test the content of the figures and their alternative texts."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes

import conv
from conv.plotting import (
    PALETTE,
    Figure,
    contour_levels,
    shared_norm,
    short,
    spread,
)

mpl.use("agg")


@pytest.fixture
def displayed(monkeypatch):
    """Record what a figure displays in Jupyter."""
    calls = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, **options: calls.append((data, options))
    )
    return calls


def texts(ax: Axes) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_figure_displays_its_alternative_text(displayed):
    figure, ax = conv.subplots(size=(4, 3), alt="A straight line.")
    ax.plot([0, 1])
    figure._ipython_display_()
    [(data, options), (words, _)] = displayed
    assert data["text/plain"] == "<Figure: A straight line.>"
    assert data["image/png"].startswith("iVBOR")  # PNG's first bytes, in base64
    assert options["metadata"]["image/png"] == {
        "alt": "A straight line.",
        "width": 400,
        "height": 300,
    }
    assert words == {
        "text/html": "<details><summary>In words</summary>A straight line.</details>",
        "text/plain": "A straight line.",
    }


def test_alternative_text_is_escaped(displayed):
    conv.subplots(size=(1, 1), alt="1 < 2")[0]._ipython_display_()
    assert "1 &lt; 2" in displayed[1][0]["text/html"]


def test_drawing_is_reproducible(displayed):
    for _ in range(2):
        conv.show_kernels([torch.eye(3)])._ipython_display_()
    assert displayed[:2] == displayed[2:]


def test_style_is_not_changed_globally():
    before = dict(mpl.rcParams)
    conv.show_images([torch.rand(4, 4)])
    conv.plot_losses({"a": [2.0, 1.0]})
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == []  # no open figure could be shown a second time


def test_images_share_one_scale(device):
    images = [torch.tensor([[0.0, 1.0]]), torch.tensor([[3.0, 2.0]])]
    figure = conv.show_images([image.to(device) for image in images], ["a", "b"])
    drawn = [ax.images[0] for ax in figure.axes]
    assert [d.get_clim() for d in drawn] == [(0, 3), (0, 3)]
    assert [d.get_array().tolist() for d in drawn] == [[[0, 1]], [[3, 2]]]
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
    assert not any(len(ax.get_xticks()) + len(ax.get_yticks()) for ax in figure.axes)
    assert figure.alt == "2 images: a, b"


def test_signed_images_are_centered_on_zero():
    figure = conv.show_images([torch.tensor([[-1.0, 4.0]])], signed=True)
    assert figure.axes[0].images[0].get_clim() == (-4, 4)
    middle = figure.axes[0].images[0].to_rgba(0.0)[:3]
    assert min(middle) > 0.95  # nearly white


@pytest.mark.parametrize(
    ("values", "limits"), [([-1, 4], (-1, 4)), ([2, 4], (0, 4)), ([-3, -1], (-3, 0))]
)
def test_color_bar_has_only_colors_that_occur(values, limits):
    figure = conv.show_images([torch.tensor([values])], signed=True)
    assert figure.axes[1].get_ylim() == limits


def test_blank_signed_image_has_a_color_bar():
    low, high = conv.show_images([torch.zeros(2, 2)], signed=True).axes[1].get_ylim()
    assert low < high


def test_pixels_are_numbered_on_request():
    [ax] = conv.show_images([torch.rand(4, 9)], coordinates=True).axes
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column", "row")
    assert {0, 8} <= {*ax.get_xticks()}


@pytest.mark.parametrize("show", [conv.show_images, conv.show_kernels])
def test_images_in_a_row_have_equal_pixel_sizes(show):
    shapes = [(3, 3), (5, 2), (1, 4)]
    figure = show([torch.rand(shape) for shape in shapes], [*"abc"])
    figure.draw_without_rendering()
    boxes = [ax.get_window_extent() for ax in figure.axes]
    sides = [
        side
        for box, (h, w) in zip(boxes, shapes, strict=True)
        for side in (box.width / w, box.height / h)
    ]
    assert max(sides) < 1.05 * min(sides)


def test_color_images_are_not_rescaled():
    image = torch.rand(5, 4, 3)
    [ax] = conv.show_images([image]).axes
    np.testing.assert_array_equal(ax.images[0].get_array(), image.numpy())


def test_many_images_are_wrapped():
    figure = conv.show_images([torch.rand(3, 3)] * 5, columns=2)
    assert len(figure.axes) == 5


def test_kernels_show_their_weights(device):
    kernel = torch.tensor([[1.0, -0.25], [0.0, 2.0]], requires_grad=True)
    figure = conv.show_kernels([kernel.to(device)], ["K"])
    [ax] = figure.axes
    assert texts(ax) == ["1", "-0.25", "0", "2"]
    positions = [text.get_position() for text in ax.texts]
    assert positions == [(0, 0), (1, 0), (0, 1), (1, 1)]
    assert figure.alt == "Values, row by row. K: 1 -0.25 / 0 2"


def test_numbers_contrast_with_their_cells():
    [ax] = conv.show_kernels([torch.tensor([[-3.0, 0.0, 3.0]])]).axes
    assert [text.get_color() for text in ax.texts] == ["white", "black", "white"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (-0.001, "0"), (0.111, "0.11"), (-2.5, "-2.5"), (100, "100")],
)
def test_short_format_of_numbers(value, text):
    assert short(value) == text


def test_shared_norm_of_a_blank_image():
    assert shared_norm([np.zeros((2, 2))], signed=True)(0.0) == 0.5


def test_losses_start_at_epoch_one():
    figure = conv.plot_losses({"slow": [4.0, 2.0], "fast": [4.0, 1.0, 0.5]})
    [ax] = figure.axes
    assert [line.get_xdata().tolist() for line in ax.lines] == [[1, 2], [1, 2, 3]]
    assert [list(line.get_ydata()) for line in ax.lines] == [[4, 2], [4, 1, 0.5]]
    assert ax.get_yscale() == "log"
    assert figure.alt == "Loss by epoch: slow from 4 to 2; fast from 4 to 0.5"
    assert conv.plot_losses({"a": [1]}, log=False).axes[0].get_yscale() == "linear"


def test_curves_have_the_palettes_colors():
    [ax] = conv.plot_losses({"validation": [1, 2], "training": [2, 1]}).axes
    assert [line.get_color() for line in ax.lines] == [
        PALETTE["validation"],
        PALETTE["training"],
    ]


def test_curves_are_labeled_at_their_ends():
    runs = {"up": [1, 5], "same": [2, 5], "stops": [3.0, float("nan")]}
    figure = conv.plot_losses(runs, log=False)
    [ax] = figure.axes
    assert ax.get_legend() is None
    assert texts(ax) == list(runs)
    assert [text.xy for text in ax.texts] == [(2, 5), (2, 5), (1, 3)]
    assert [t.get_color() for t in ax.texts] == [line.get_color() for line in ax.lines]
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert boxes[0].y0 >= boxes[1].y1 or boxes[1].y0 >= boxes[0].y1
    assert all(figure.bbox.x1 >= box.x1 for box in boxes)


def test_curves_without_labels_are_left_out():
    _, ax = conv.subplots(size=(3, 3), alt="a")
    ax.plot([1, 2])
    assert texts(conv.label_curves(ax)) == []


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.5, 0.1], [0.5, 0.1]),
        ([0.5, 0.5], [0.5, 0.7]),
        ([1.0, 1.0, 0.9], [0.8, 1.0, 0.6]),
        ([], []),
    ],
)
def test_labels_do_not_overlap(values, expected):
    assert spread(values, 0.2) == pytest.approx(expected)


def test_descent_draws_path_and_contours():
    path = torch.tensor([[2.0, 0.0], [1.0, 0.5], [0.0, 0.0]])
    figure = conv.plot_descent(lambda a, b: a**2 + 3 * b**2, {"down": path})
    [ax] = figure.axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path.numpy())
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("weight $w_1$", "weight $w_2$")
    assert figure.alt == (
        "Descent on the loss's contours: down from (2.00, 0.00) to (0.00, 0.00)"
    )
    [contours] = ax.collections
    for level, segment in zip(contours.levels, contours.get_paths(), strict=True):
        a, b = segment.vertices.T
        np.testing.assert_allclose(a**2 + 3 * b**2, level, rtol=0.05, atol=1e-3)


def test_descent_labels_runs_and_marks_a_visible_minimum():
    path = torch.tensor([[2.0, 1.0], [0.0, 0.0]])
    paths = {"pytorch": path, "ours": path}
    [ax] = conv.plot_descent(lambda a, b: a**2 + b**2, paths).axes
    first, second, cross = ax.lines
    assert first.get_markersize() > second.get_markersize()
    assert [line.get_color() for line in (first, second)] == [
        PALETTE["pytorch"],
        PALETTE["ours"],
    ]
    np.testing.assert_allclose(cross.get_xydata(), [[0, 0]], atol=0.02)
    names = [text for text in ax.texts if text.get_text() in paths]
    assert [tuple(text.xy) for text in names] == [(2, 1)] * 2
    for endless in (lambda a, b: a + b + 9, lambda a, b: (a - b) ** 2):
        [ax] = conv.plot_descent(endless, paths).axes
        assert len(ax.lines) == 2


def test_contour_levels_are_round_numbers():
    assert contour_levels(np.array([0.0, 30.0])) == pytest.approx(
        [0.1, 0.2, 0.5, 1, 2, 5, 10, 20]
    )
    assert contour_levels(np.array([-6.0, 0.0])) == pytest.approx([-5, -4, -3, -2, -1])


@pytest.mark.parametrize(
    "draw",
    [
        lambda axes: conv.show_images([torch.rand(2, 2)], axes=axes),
        lambda axes: conv.show_kernels([torch.rand(2, 2)], axes=axes),
        lambda axes: [conv.plot_losses({"a": [2, 1]}, axes=axes[0])],
        lambda axes: [
            conv.plot_descent(
                lambda a, b: a**2 + b**2, {"a": torch.eye(2)}, axes=axes[0]
            )
        ],
    ],
)
def test_given_axes_are_used_and_returned(draw):
    figure, ax = conv.subplots(size=(3, 3), alt="a")
    assert list(draw([ax])) == [ax]
    assert ax.has_data()
    assert isinstance(figure, Figure)


def test_number_of_titles_must_match():
    with pytest.raises(ValueError, match=r"^titles has length 1; expected 2$"):
        conv.show_images([torch.rand(2, 2)] * 2, ["only one"])


def test_alternative_text_without_titles():
    assert conv.show_images([torch.rand(2, 2)]).alt == "1 image"
    assert conv.show_images([torch.rand(2, 2)] * 2).alt == "2 images"
    assert conv.show_images([torch.rand(2, 2)], ["cat"]).alt == "1 image: cat"


@pytest.mark.parametrize("signed", [False, True])
def test_gallery_has_no_ticks_and_one_scale(signed):
    images = [torch.full((3, 3), value) for value in (0.25, 0.5, 1.0, 0.75, 0.0)]
    figure = conv.show_gallery(
        images, list("abcde"), columns=3, signed=signed, alt="Five grays."
    )
    assert figure.alt == "Five grays."
    assert not any(len(ax.get_xticks()) + len(ax.get_yticks()) for ax in figure.axes)
    assert [ax.get_title() for ax in figure.axes] == [*"abcde"]
    drawn = [ax.images[0] for ax in figure.axes]
    assert {image.norm for image in drawn} == {drawn[0].norm}
    assert (drawn[0].norm.vmin, drawn[0].norm.vmax) == (-1 if signed else 0, 1)
