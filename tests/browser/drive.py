"""Operate each widget by mouse and keyboard, and compare its display with conv."""

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


def stored_state(chapter: str) -> dict:
    """Read the stored state of a chapter's widget, including its binary buffers."""
    [file] = NOTEBOOKS.glob(f"{chapter}_*.ipynb")
    states = nbformat.read(file, as_version=4).metadata.widgets[STATES].state
    [model] = [model for model in states.values() if "module" in model["state"]]
    state = dict(model["state"])
    for buffer in model.get("buffers", []):
        state[buffer["path"][0]] = base64.b64decode(buffer["data"])
    return state


def status(widget: Locator) -> Locator:
    return widget.get_by_role("status")


def numbers(widget: Locator, name: str) -> list[float | None]:
    """Read the numbers of the grid whose label begins with `name`; None if empty."""
    texts = widget.locator(f"svg[aria-label^='{name}'] text").all_text_contents()
    return [float(text) if text else None for text in texts]


def colors(canvas: Locator) -> np.ndarray:
    """Read the colors of a canvas: shape (H, W, 3), values from 0 to 255."""
    address = canvas.evaluate("canvas => canvas.toDataURL()")
    png = base64.b64decode(address.removeprefix("data:image/png;base64,"))
    return plt.imread(io.BytesIO(png))[..., :3] * 255.0


def sliding_window(widget: Locator) -> None:
    """Test the widget in chapter 1."""
    X, K = torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2)

    def check(position: int, K: torch.Tensor = K, **options: int) -> None:
        expected_widget = SlidingWindow(X, K, **options)
        expected_widget.position = position
        expect(status(widget)).to_have_text(repr(expected_widget).partition(": ")[2])
        shown = [value for value in numbers(widget, "Output") if value is not None]
        assert shown == expected_widget.output.flatten()[: position + 1].tolist()
        products = (expected_widget.window_pixels() * K).flatten().tolist()
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
    expect(status(widget)).to_have_text(
        "The window doesn't fit inside the padded image. Make it smaller, or add "
        "padding."
    )
    widget.get_by_label("dilation", exact=True).fill("1")
    widget.get_by_label("stride", exact=True).fill("1")
    play = widget.get_by_role("button", name="Play")
    play.focus()
    play.press("Enter")
    pause = widget.get_by_role("button", name="Pause")
    expect(status(widget)).to_contain_text("Y[0, 3]", timeout=5_000)
    pause.click()
    expect(play).to_be_visible()


def kernel_bench(widget: Locator) -> None:
    """Test the widget in chapter 3."""
    state = stored_state("03")
    image = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    image = image.view(state["shape"]) / 255
    output_canvas = widget.get_by_label("The output", exact=True)

    def check(K: torch.Tensor) -> None:
        Y = conv.corr2d(image.double(), K.double())
        low, high = (f"{value:.2f}" for value in (Y.min(), Y.max()))
        found = re.search(r"from (\S+) to (\S+)\.", status(widget).text_content())
        assert [f"{float(text):.2f}" for text in found.groups()] == [low, high]
        if (K < 0).any():
            bound = KernelBench(image, K).color_bound()
            expected = mpl.colormaps["PuOr"]((Y / bound + 1).numpy() / 2)[..., :3] * 255
        else:
            gray = (Y - Y.min()) / (Y.max() - Y.min()) * 255
            expected = gray[..., None].expand(-1, -1, 3).numpy()
        shown = colors(output_canvas)
        assert shown.shape == expected.shape
        # The browser interpolates between the color map's anchors.
        assert np.abs(shown - expected).max() < 6

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
    drag(middle, 0, -50)  # upwards, 0.02 per pixel
    laplacian[1, 1] = 3.5
    check(laplacian)
    widget.get_by_role("combobox", name="Kernel").select_option("box blur")
    check(torch.full((5, 5), 0.04))
    ratios = middle.evaluate(MEASURE_RESPONSE)
    print(f"kernel bench: a change takes {median(ratios):.1f} times as long as a loop")
    assert median(ratios) < MAX_RATIO
    changed = torch.full((5, 5), 0.04)
    changed[1, 1] = 0.4  # the last change
    check(changed)
    draw_on_bench(widget, output_canvas)


def bench_with_bias(widget: Locator) -> None:
    """Test the widget in chapter 2."""
    state = stored_state("02")
    K = torch.tensor(state["kernel"], dtype=torch.float64)
    image = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    Y = conv.corr2d(image.view(state["shape"]).double() / 255, K)
    slider = widget.get_by_role("slider", name="Bias")
    for key, bias in ((None, -0.1), ("ArrowRight", -0.09), ("Home", -1), ("End", 1)):
        if key:
            slider.press(key)
        positive = ((Y + bias) > 0).double().mean().item()
        text = f"{round(100 * positive)}% of the output pixels are positive."
        expect(status(widget)).to_have_text(text)


# Measure how long the widget takes to respond to a change of a 5 x 5 kernel, divided by
# the time of a loop with the 25 multiplications per pixel that such a kernel needs, so
# that the result doesn't depend on the machine.
MEASURE_RESPONSE = """input => {
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
MAX_RATIO = 15


def draw_on_bench(widget: Locator, output_canvas: Locator) -> None:
    """Draw with the mouse and the keyboard; clear with the keyboard and the button."""
    widget.get_by_role("combobox", name="Image").select_option("drawing")
    pad = widget.get_by_label("Drawing pad")
    empty = "The output ranges from 0 to 0."
    expect(status(widget)).to_contain_text(empty)
    drag(pad, 40, 30)
    expect(status(widget)).not_to_contain_text(empty)
    assert colors(output_canvas).std() > 10
    pad.focus()
    pad.press("Delete")
    expect(status(widget)).to_contain_text(empty)
    pad.press("Enter")
    for _ in range(5):
        pad.press("ArrowRight")
    expect(status(widget)).not_to_contain_text(empty)
    widget.get_by_role("button", name="Clear the drawing").click()
    expect(status(widget)).to_contain_text(empty)


def drag(place: Locator, right: float, down: float) -> None:
    """Press the mouse button at the center of an element, drag, and release it."""
    place.scroll_into_view_if_needed()
    box, mouse = place.bounding_box(), place.page.mouse
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    mouse.move(x, y)
    mouse.down()
    mouse.move(x + right / 2, y + down / 2)
    mouse.move(x + right, y + down)
    mouse.up()


def descent(widget: Locator) -> None:
    """Test the widget in chapter 4."""
    state = stored_state("04")
    X, Y = torch.tensor(state["image"]), torch.tensor(state["target"])

    def check(start: list[float], lr: float, steps: int = 10) -> None:
        kernels, losses = Descent(X, Y, start, lr, steps).path()
        text = status(widget).text_content()
        first, last = re.search(r"goes from (\S+) to (\S+)\. Each", text).groups()
        np.testing.assert_allclose(
            [float(first), float(last)], [losses[0], losses[-1]], rtol=6e-3
        )
        path = widget.locator(".map .path").get_attribute("d")
        points = torch.tensor(
            [[float(n) for n in point.split()] for point in path[1:].split("L")]
        )
        scale = 340 / 5  # pixels per unit of weight; the center is (1, -1)
        expected = (kernels - torch.tensor([1.0, -1.0])) * scale
        expected = expected * torch.tensor([1.0, -1.0]) + 170
        visible = (expected.abs() < 1e4).all(dim=1).int().cumprod(0).bool()
        torch.testing.assert_close(
            points.double(), expected[visible], rtol=1e-3, atol=0.1
        )

    def start() -> list[float]:
        fields = [widget.get_by_label(f"initial w{axis}") for axis in (1, 2)]
        return [float(field.get_attribute("aria-valuetext")) for field in fields]

    map_ = widget.locator(".map")
    drag(map_, -80, -60)
    scale = map_.bounding_box()["width"] / 5
    expected = [1 - 80 / scale, -1 + 60 / scale]
    np.testing.assert_allclose(start(), expected, atol=0.03)
    check(start(), 0.03)
    expect(status(widget)).to_contain_text("Gradient descent converges")
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
    expect(status(widget)).to_contain_text("Gradient descent diverges")
    check([float(weight.input_value()), before[1]], fastest)
    widget.get_by_label("steps", exact=True).fill("3")
    check([float(weight.input_value()), before[1]], fastest, 3)


def layer_stack(widget: Locator) -> None:
    """Test the widget in chapter 8."""
    layers = list(conv.lenet()[:6])

    def check() -> None:
        text = repr(LayerStack(layers, (1, 28, 28)))
        expected = re.findall(r"\d[\d,]*", text)
        assert re.findall(r"\d[\d,]*", status(widget).text_content()) == expected

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
    expect(status(widget)).to_contain_text("Layer 5 doesn't fit")
    remove = widget.get_by_role("button", name="Remove layer 5")
    remove.focus()
    remove.press("Enter")
    layers.pop()
    check()
    widget.get_by_label("layer 2, kind").select_option("average pooling")
    layers[2] = nn.AvgPool2d(2)
    check()


def draw_digit(widget: Locator) -> None:
    """Test the widget in chapter 11, with the network that the notebook trained."""
    state, net = stored_state("11"), conv.lenet()
    flat = torch.frombuffer(bytearray(state["weights"]), dtype=torch.float32)
    nn.utils.vector_to_parameters(flat.clone(), net.parameters())

    def check() -> int:
        pixels = colors(widget.get_by_label("The network's input"))[..., 0] / 255
        with torch.no_grad():
            scores = net(torch.tensor(pixels, dtype=torch.float32)[None, None])
        probabilities = scores.softmax(dim=1)[0]
        shown = widget.locator(".bars > span:nth-child(3n)").all_text_contents()
        found = torch.tensor([float(text) for text in shown])
        torch.testing.assert_close(found, probabilities, rtol=0, atol=0.03)
        digit = found.argmax().item()
        expect(status(widget)).to_contain_text(f"The network predicts {digit}")
        return digit

    assert check() == 3
    pad = widget.get_by_label("Drawing pad")
    pad.focus()
    pad.press("Delete")
    expect(status(widget)).to_have_text("The drawing pad is empty. Draw a digit.")
    for _ in range(8):
        pad.press("ArrowUp")
    pad.press("Enter")
    for _ in range(16):
        pad.press("ArrowDown")
    assert check() == 1
    widget.get_by_role("button", name="Clear").click()
    expect(status(widget)).to_have_text("The drawing pad is empty. Draw a digit.")
    draw_seven(pad)
    assert check() == 7
    widget.get_by_label("crop and center the drawing").uncheck()
    check()


def draw_seven(pad: Locator) -> None:
    """Draw a seven with the mouse."""
    pad.scroll_into_view_if_needed()
    box, mouse = pad.bounding_box(), pad.page.mouse
    corners = [(0.3, 0.25), (0.7, 0.25), (0.45, 0.8)]
    x, y = zip(*corners, strict=True)
    mouse.move(box["x"] + x[0] * box["width"], box["y"] + y[0] * box["height"])
    mouse.down()
    for right, down in corners[1:]:
        place = box["x"] + right * box["width"], box["y"] + down * box["height"]
        mouse.move(*place, steps=8)
    mouse.up()


def merge_boxes(widget: Locator) -> None:
    """Test the widget in chapter 16."""
    state = stored_state("16")
    photo = torch.frombuffer(bytearray(state["image"]), dtype=torch.uint8)
    photo = photo.view(state["shape"]) / 255
    candidates = torch.tensor(state["boxes"]), torch.tensor(state["scores"])

    def check(threshold: float, limit: float) -> None:
        known = MergeBoxes(photo, *candidates, threshold, limit)
        passing, kept = len(known.passing()), len(known.kept())
        text = f"{passing} of {len(state['boxes'])} candidates reach the threshold. "
        expect(status(widget)).to_contain_text(
            text + f"Non-maximum suppression keeps {kept} "
        )
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
    drag(limit, 0, 0)  # a click in the middle
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
