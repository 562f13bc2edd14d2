"""Move each widget by mouse and by keyboard; compare what it shows with conv."""

import base64
import io
import re
from pathlib import Path
from statistics import median

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import torch
from playwright.sync_api import Locator, expect
from torch import nn

import conv
from conv.widgets import Descent, KernelBench, LayerStack, MergeBoxes, SlidingWindow

NOTEBOOKS = Path(__file__).parent.parent.parent / "notebooks"
STATES = "application/vnd.jupyter.widget-state+json"


def stored(chapter: str) -> dict:
    """Read the state of a chapter's widget from its notebook, bytes included."""
    [file] = NOTEBOOKS.glob(f"{chapter}_*.ipynb")
    states = nbformat.read(file, as_version=4).metadata.widgets[STATES].state
    [model] = [model for model in states.values() if "module" in model["state"]]
    state = dict(model["state"])
    for buffer in model.get("buffers", []):
        state[buffer["path"][0]] = base64.b64decode(buffer["data"])
    return state


def says(widget: Locator) -> Locator:
    return widget.get_by_role("status")


def numbers(widget: Locator, name: str) -> list[float | None]:
    """Read the grid whose name begins with `name`; None where nothing is written."""
    texts = widget.locator(f"svg[aria-label^='{name}'] text").all_text_contents()
    return [float(text) if text else None for text in texts]


def colours(canvas: Locator) -> np.ndarray:
    """Read a canvas: (H, W, 3), from 0 to 255."""
    address = canvas.evaluate("canvas => canvas.toDataURL()")
    png = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return plt.imread(io.BytesIO(png))[..., :3] * 255.0


def sliding_window(widget: Locator) -> None:
    """Chapter 1's widget."""
    X, K = torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2)

    def check(position: int, K: torch.Tensor = K, **options: int) -> None:
        known = SlidingWindow(X, K, **options)
        known.position = position
        expect(says(widget)).to_have_text(repr(known).partition(": ")[2])
        shown = [value for value in numbers(widget, "Output") if value is not None]
        assert shown == known.output.flatten()[: position + 1].tolist()
        products = (known.window_pixels() * K).flatten().tolist()
        assert numbers(widget, "Pixel times weight") == products

    check(0)
    widget.get_by_role("button", name="Step").click()
    check(1)
    scrub = widget.get_by_label("Position")
    scrub.focus()
    scrub.press("ArrowRight")
    check(2)
    scrub.press("Home")
    check(0)
    scrub.press("End")
    check(3)
    widget.locator("svg[aria-label^='Output'] g").nth(1).click()
    check(1)
    for name, value, options in [
        ("padding", "1", {"padding": 1}),
        ("stride", "2", {"padding": 1, "stride": 2}),
    ]:
        field = widget.get_by_label(name, exact=True)
        field.focus()
        field.press("ArrowUp")
        assert field.input_value() == value
        check(1, **options)
    widget.get_by_label("K[1, 0]").fill("-1.5")
    K = torch.tensor([[0, 1], [-1.5, 3]])
    check(1, K, padding=1, stride=2)
    widget.get_by_label("dilation", exact=True).fill("5")
    expect(says(widget)).to_have_text("The window doesn't fit inside the padded image.")
    widget.get_by_label("dilation", exact=True).fill("1")
    widget.get_by_label("stride", exact=True).fill("1")
    play = widget.get_by_role("button", name="Play")
    play.focus()
    play.press("Enter")
    pause = widget.get_by_role("button", name="Pause")
    expect(says(widget)).to_contain_text("Y[0, 3]", timeout=5_000)
    pause.click()
    expect(play).to_be_visible()


def kernel_bench(widget: Locator) -> None:
    """Chapter 3's widget."""
    state = stored("03")
    photo = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    photo = photo.view(state["shape"]) / 255
    made = widget.get_by_label("The output", exact=True)

    def check(K: torch.Tensor) -> None:
        Y = conv.corr2d(photo.double(), K.double())
        low, high = (f"{value:.2f}" for value in (Y.min(), Y.max()))
        found = re.search(r"from (\S+) to (\S+)\.", says(widget).text_content())
        assert [f"{float(text):.2f}" for text in found.groups()] == [low, high]
        if (K < 0).any():
            reach = KernelBench(photo, K).color_bound()
            wanted = mpl.colormaps["PuOr"]((Y / reach + 1).numpy() / 2)[..., :3] * 255
        else:
            grey = (Y - Y.min()) / (Y.max() - Y.min()) * 255
            wanted = grey[..., None].expand(-1, -1, 3).numpy()
        shown = colours(made)
        assert shown.shape == wanted.shape
        assert np.abs(shown - wanted).max() < 6  # of 255: shades between anchors

    sobel = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
    check(sobel)
    widget.get_by_role("combobox", name="Kernel").select_option("Laplacian")
    laplacian = torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])
    check(laplacian)
    middle = widget.get_by_label("K[1, 1]")
    middle.focus()
    middle.press("ArrowUp")
    laplacian[1, 1] = -3.9
    check(laplacian)
    middle.fill("2.5")
    laplacian[1, 1] = 2.5
    check(laplacian)
    pull(middle, 0, -50)  # up, 0.02 a pixel
    laplacian[1, 1] = 3.5
    check(laplacian)
    widget.get_by_role("combobox", name="Kernel").select_option("box blur")
    check(torch.full((5, 5), 0.04))
    ratios = middle.evaluate(MEASURE)
    print(f"kernel bench: a change takes {median(ratios):.1f} times as long as a loop")
    assert median(ratios) < SLOWEST
    changed = torch.full((5, 5), 0.04)
    changed[1, 1] = 0.4  # the last of them
    check(changed)
    draw_on_bench(widget, made)


def bench_with_bias(widget: Locator) -> None:
    """Chapter 2's widget."""
    state = stored("02")
    K = torch.tensor(state["kernel"], dtype=torch.float64)
    photo = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    Y = conv.corr2d(photo.view(state["shape"]).double() / 255, K)
    slider = widget.get_by_role("slider", name="Bias")
    for key, bias in ((None, -0.1), ("ArrowRight", -0.09), ("Home", -1), ("End", 1)):
        if key:
            slider.press(key)
        positive = ((Y + bias) > 0).double().mean().item()
        text = f"{round(100 * positive)}% of the outputs are positive."
        expect(says(widget)).to_have_text(text)


# Many changes of a 5 x 5 kernel on 256 x 256 pixels: how long until each is painted.
# How long a change takes, as a ratio to the 25 multiplications per pixel that a kernel
# of 5 x 5 needs, so that it doesn't depend on the machine.
MEASURE = """input => {
  const pixels = new Float64Array(300 * 300).fill(0.5);
  const sums = new Float64Array(300 * 300);
  const time = (work) => {
    const start = performance.now();
    work();
    return performance.now() - start;
  };
  return Array.from({ length: 41 }, (_, n) => {
    const loop = time(() => {
      for (let tap = 0; tap < 25; tap++)
        for (let i = 0; i < pixels.length; i++) sums[i] += tap * pixels[i];
    });
    const change = time(() => {
      input.value = n / 100;
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    return change / loop;
  });
}"""
SLOWEST = 15


def draw_on_bench(widget: Locator, made: Locator) -> None:
    """Draw with the mouse and with the keys; clear with the keys and the button."""
    widget.get_by_role("combobox", name="Image").select_option("drawing")
    board = widget.get_by_label("Drawing pad")
    empty = "The output ranges from 0 to 0."
    expect(says(widget)).to_contain_text(empty)
    pull(board, 40, 30)
    expect(says(widget)).not_to_contain_text(empty)
    assert colours(made).std() > 10
    board.focus()
    board.press("Delete")
    expect(says(widget)).to_contain_text(empty)
    board.press("Enter")
    for _ in range(5):
        board.press("ArrowRight")
    expect(says(widget)).not_to_contain_text(empty)
    widget.get_by_role("button", name="Clear the drawing").click()
    expect(says(widget)).to_contain_text(empty)


def pull(place: Locator, right: float, down: float) -> None:
    """Press the mouse on the middle of an element, pull, and let go."""
    place.scroll_into_view_if_needed()
    box, mouse = place.bounding_box(), place.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right / 2, y + down / 2)
    mouse.move(x + right, y + down)
    mouse.up()


def descent(widget: Locator) -> None:
    """Chapter 4's widget."""
    state = stored("04")
    X, Y = torch.tensor(state["image"]), torch.tensor(state["target"])

    def check(start: list[float], lr: float, steps: int = 10) -> None:
        kernels, losses = Descent(X, Y, start, lr, steps).path()
        text = says(widget).text_content()
        first, last = re.search(r"goes from (\S+) to (\S+)\. Each", text).groups()
        np.testing.assert_allclose(
            [float(first), float(last)], [losses[0], losses[-1]], rtol=6e-3
        )
        path = widget.locator(".map .path").get_attribute("d")
        points = torch.tensor(
            [[float(n) for n in point.split()] for point in path[1:].split("L")]
        )
        scale = 340 / 5  # pixels for a unit of weight; the middle is (1, -1)
        wanted = (kernels - torch.tensor([1.0, -1.0])) * scale
        wanted = wanted * torch.tensor([1.0, -1.0]) + 170
        near = (wanted.abs() < 1e4).all(dim=1).int().cumprod(0).bool()
        torch.testing.assert_close(points.double(), wanted[near], rtol=1e-3, atol=0.1)

    def start() -> list[float]:
        fields = [widget.get_by_label(f"initial w{axis}") for axis in (1, 2)]
        return [float(field.get_attribute("aria-valuetext")) for field in fields]

    map_ = widget.locator(".map")
    pull(map_, -80, -60)
    scale = map_.bounding_box()["width"] / 5
    expected = [1 - 80 / scale, -1 + 60 / scale]
    np.testing.assert_allclose(start(), expected, atol=0.03)
    check(start(), 0.03)
    expect(says(widget)).to_contain_text("It converges")
    weight = widget.get_by_label("initial w1")
    weight.focus()
    before = start()
    weight.press("ArrowRight")
    np.testing.assert_allclose(start(), [before[0] + 0.05, before[1]], atol=0.03)
    check([float(weight.input_value()), before[1]], 0.03)
    rate = widget.get_by_label("learning rate")
    rate.focus()
    rate.press("End")
    fastest = float(rate.input_value())
    assert fastest > 2 / 60
    expect(says(widget)).to_contain_text("It diverges")
    check([float(weight.input_value()), before[1]], fastest)
    widget.get_by_label("steps", exact=True).fill("3")
    check([float(weight.input_value()), before[1]], fastest, 3)


def layer_stack(widget: Locator) -> None:
    """Chapter 8's widget."""
    layers = list(conv.lenet()[:6])

    def check() -> None:
        known = repr(LayerStack(layers, (1, 28, 28)))
        wanted = re.findall(r"[\d,]+", known)
        assert re.findall(r"[\d,]+", says(widget).text_content()) == wanted

    check()
    widget.get_by_role("button", name="Add a layer").click()
    layers.append(nn.Conv2d(16, 16, 3, padding=1))
    check()
    field = widget.get_by_label("layer 5, kernel")
    field.focus()
    field.press("ArrowUp")
    layers[-1] = nn.Conv2d(16, 16, 4, padding=1)
    check()
    field = widget.get_by_label("layer 5, channels")
    field.fill("")
    field.press_sequentially("12")
    layers[-1] = nn.Conv2d(16, 12, 4, padding=1)
    check()
    widget.get_by_label("layer 5, kernel").fill("9")
    expect(says(widget)).to_contain_text("Layer 5 doesn't fit")
    remove = widget.get_by_role("button", name="Remove layer 5")
    remove.focus()
    remove.press("Enter")
    layers.pop()
    check()
    widget.get_by_label("layer 2, kind").select_option("average pooling")
    layers[2] = nn.AvgPool2d(2)
    check()


def draw_digit(widget: Locator) -> None:
    """Chapter 11's widget: its net is the one that the notebook trained."""
    state, net = stored("11"), conv.lenet()
    flat = torch.frombuffer(bytearray(state["weights"]), dtype=torch.float32)
    nn.utils.vector_to_parameters(flat.clone(), net.parameters())

    def check() -> int:
        seen = colours(widget.get_by_label("The network's input"))[..., 0] / 255
        with torch.no_grad():
            scores = net(torch.tensor(seen, dtype=torch.float32)[None, None])
        chances = scores.softmax(dim=1)[0]
        shown = widget.locator(".bars > span:nth-child(3n)").all_text_contents()
        found = torch.tensor([float(text) for text in shown])
        torch.testing.assert_close(found, chances, rtol=0, atol=0.03)
        digit = found.argmax().item()
        expect(says(widget)).to_contain_text(f"The network predicts {digit}")
        return digit

    assert check() == 3
    board = widget.get_by_label("Drawing pad")
    board.focus()
    board.press("Delete")
    expect(says(widget)).to_have_text("The pad is empty. Draw a digit.")
    for _ in range(8):
        board.press("ArrowUp")
    board.press("Enter")
    for _ in range(16):
        board.press("ArrowDown")
    assert check() == 1
    widget.get_by_role("button", name="Clear").click()
    expect(says(widget)).to_have_text("The pad is empty. Draw a digit.")
    seven(board)
    assert check() == 7
    widget.get_by_label("crop and center the drawing").uncheck()
    check()


def seven(board: Locator) -> None:
    """Draw a seven with the mouse."""
    board.scroll_into_view_if_needed()
    box, mouse = board.bounding_box(), board.page.mouse
    corners = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
    x, y = zip(*corners, strict=True)
    mouse.move(box["x"] + x[0] * box["width"], box["y"] + y[0] * box["height"])
    mouse.down()
    for right, down in corners[1:]:
        place = box["x"] + right * box["width"], box["y"] + down * box["height"]
        mouse.move(*place, steps=8)
    mouse.up()


def merge_boxes(widget: Locator) -> None:
    """Chapter 16's widget."""
    state = stored("16")
    photo = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    photo = photo.view(state["shape"]) / 255
    candidates = torch.tensor(state["boxes"]), torch.tensor(state["scores"])

    def check(threshold: float, limit: float) -> None:
        known = MergeBoxes(photo, *candidates, threshold, limit)
        passing, kept = len(known.passing()), len(known.kept())
        text = f"{passing} of {len(state['boxes'])} candidates reach the threshold. "
        expect(says(widget)).to_contain_text(text + f"{kept} of them")
        assert widget.locator(".photo rect.kept").count() == kept
        assert widget.locator(".photo rect.removed").count() == passing - kept
        left, top, right, bottom = state["boxes"][known.kept()[0]]
        frame = widget.locator(".photo rect.kept").first
        sides = [float(frame.get_attribute(n)) for n in ("x", "y", "width", "height")]
        np.testing.assert_allclose(sides, [left, top, right - left, bottom - top])

    check(state["threshold"], state["limit"])
    threshold = widget.get_by_role("slider", name="Score threshold")
    limit = widget.get_by_role("slider", name="IoU limit")
    threshold.fill("0.7")
    check(0.7, state["limit"])
    threshold.press("ArrowRight")
    check(0.71, state["limit"])
    limit.press("End")
    check(0.71, 1.0)
    limit.press("Home")
    check(0.71, 0.0)
    pull(limit, 0, 0)  # a click in the middle
    check(0.71, float(limit.input_value()))
    assert 0.4 < float(limit.input_value()) < 0.6


DRIVERS = {
    "01": sliding_window,
    "02": bench_with_bias,
    "03": kernel_bench,
    "04": descent,
    "08": layer_stack,
    "11": draw_digit,
    "16": merge_boxes,
}
