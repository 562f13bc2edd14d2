"""The widgets: JavaScript compared with conv and PyTorch, and the Python classes."""

import base64
import random
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from traitlets import TraitError

import conv
from conv.plotting import PALETTE
from conv.widgets import (
    Descent,
    DrawDigit,
    KernelBench,
    LayerStack,
    MergeBoxes,
    SlidingWindow,
)
from conv.widgets.base import STATIC_NOTE, bundle
from node import FOLDER, node

ARITHMETIC = "arithmetic.js"
MODULES = ["descent", "draw_digit", "kernel_bench", "layer_stack", "merge_boxes"]
MODULES += ["sliding_window"]
SOBEL = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
BAR = torch.ones(6, 8).index_fill(1, torch.arange(2, 6), 0)
EDGES = conv.corr2d(BAR, torch.tensor([[1.0, -1.0]]))
THREE_BOXES = torch.tensor([[0.0, 0, 4, 4], [1, 0, 5, 4], [5, 5, 8, 8]])


def random_rows(*shape: int) -> list:
    return torch.randn(shape, dtype=torch.float64).tolist()


def as_tensor(numbers: list) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def random_cases(count: int) -> list[dict]:
    """Draw images, kernels and options for which the window fits."""
    rng, cases = random.Random(0), []
    while len(cases) < count:
        H, W, h, w = (rng.randint(1, most) for most in (12, 12, 5, 5))
        options = {
            "stride": rng.randint(1, 4),
            "padding": rng.randint(0, 4),
            "dilation": rng.randint(1, 3),
        }
        pairs = (H, h), (W, w)
        p, d = options["padding"], options["dilation"]
        if all(d * (kernel - 1) < side + 2 * p for side, kernel in pairs):
            case = {"X": random_rows(H, W), "K": random_rows(h, w), "options": options}
            cases.append(case)
    return cases


def convolved(case: dict) -> torch.Tensor:
    X, K = as_tensor(case["X"]), as_tensor(case["K"])
    return conv.conv2d(X[None, None], K[None, None], **case["options"])[0, 0]


def test_conv2d_in_the_browser_equals_conv():
    cases = random_cases(400)
    found = node(
        "toRows(conv2d(imageFromRows(x.X), imageFromRows(x.K), x.options))",
        cases,
        modules={ARITHMETIC: "conv2d, imageFromRows, toRows"},
    )
    for case, Y in zip(cases, found, strict=True):
        torch.testing.assert_close(as_tensor(Y), convolved(case), rtol=0, atol=1e-12)


def test_output_size_in_the_browser_equals_conv():
    cases = [
        [n, k, {"stride": s, "padding": p, "dilation": d}]
        for n in (1, 2, 5, 6)
        for k in (1, 2, 3, 4)
        for s in (1, 2, 3)
        for p in (0, 1)
        for d in (1, 2)
    ]
    found = node("outputSize(...x)", cases, modules={ARITHMETIC: "outputSize"})
    misfits = 0
    for (n, k, options), count in zip(cases, found, strict=True):
        if count == 0:
            misfits += 1
            with pytest.raises(ValueError, match="expected at most"):
                conv.output_shape(n, k, **options)
        else:
            assert conv.output_shape(n, k, **options) == (count, count)
    assert misfits > 10


def test_the_products_of_every_window_add_up_to_the_output():
    cases = random_cases(100)
    found = node(
        """(() => {
          const [X, K] = [imageFromRows(x.X), imageFromRows(x.K)];
          return Array.from(conv2d(X, K, x.options).values, (_, n) =>
            windowTaps(X, K, n, x.options).reduce((sum, tap) => sum + tap.product, 0));
        })()""",
        cases,
        modules={ARITHMETIC: "conv2d, imageFromRows, windowTaps"},
    )
    for case, sums in zip(cases, found, strict=True):
        torch.testing.assert_close(
            as_tensor(sums), convolved(case).flatten(), rtol=0, atol=1e-12
        )


def test_python_and_the_browser_write_the_same_sum():
    cases = random_cases(60)
    expected = []
    for case in cases:
        widget = SlidingWindow(
            as_tensor(case["X"]), as_tensor(case["K"]), **case["options"]
        )
        widget.position = case["position"] = widget.output.numel() // 2
        expected.append(repr(widget).partition(": ")[2])
    found = node(
        """(() => {
          const [X, K] = [imageFromRows(x.X), imageFromRows(x.K)];
          const Y = conv2d(X, K, x.options);
          return describeSum(Y, x.position, windowTaps(X, K, x.position, x.options));
        })()""",
        cases,
        modules={
            ARITHMETIC: "conv2d, imageFromRows, windowTaps",
            "sliding_window.js": "describeSum",
        },
    )
    assert found == expected


def test_descent_in_the_browser_equals_autograd():
    cases, expected = [], []
    for _ in range(40):
        X = torch.randn(4, 6, dtype=torch.float64)
        Y = torch.randn(4, 5, dtype=torch.float64)
        start = torch.randn(2).tolist()
        cases.append({"X": X.tolist(), "Y": Y.tolist(), "start": start})
        expected.append(Descent(X, Y, start, lr=0.01, steps=20).path())
    found = node(
        """(() => {
          const q = quadraticLoss(imageFromRows(x.X), imageFromRows(x.Y));
          const path = gradientDescent(q, x.start, 0.01, 20);
          const losses = path.map((kernel) => lossAt(q, kernel));
          return { path, losses, ...analyzeLoss(q) };
        })()""",
        cases,
        modules={
            ARITHMETIC: "analyzeLoss, gradientDescent, imageFromRows, lossAt, "
            "quadraticLoss"
        },
    )
    for case, (path, losses), ours in zip(cases, expected, found, strict=True):
        torch.testing.assert_close(as_tensor(ours["path"]), path, rtol=0, atol=1e-9)
        torch.testing.assert_close(
            as_tensor(ours["losses"]), as_tensor(losses), rtol=0, atol=1e-8
        )
        windows = F.unfold(as_tensor(case["X"])[None, None], (1, 2))[0]  # (2, L)
        values, vectors = torch.linalg.eigh(2 * windows @ windows.T)
        torch.testing.assert_close(as_tensor(ours["curvatures"]), values)
        cosines = (as_tensor(ours["directions"]) @ vectors).diagonal()
        torch.testing.assert_close(cosines.abs(), torch.ones_like(cosines))
        minimum = torch.linalg.lstsq(windows.T, as_tensor(case["Y"]).view(-1, 1))
        torch.testing.assert_close(
            as_tensor(ours["minimum"]), minimum.solution.flatten()
        )


def test_the_browser_reports_a_descent_that_diverges():
    texts = node(
        f"""(() => {{
          const [X, Y] = [{BAR.tolist()}, {EDGES.tolist()}].map(imageFromRows);
          const q = quadraticLoss(X, Y);
          return describeDescent(q, gradientDescent(q, [0, 0], x, 10), x);
        }})()""",
        [0.01, 0.03, 0.04],
        modules={
            ARITHMETIC: "gradientDescent, imageFromRows, quadraticLoss",
            "descent.js": "describeDescent",
        },
    )
    assert ["diverges" in text for text in texts] == [False, False, True]
    assert (
        "by 0.64 along the valley and by -0.8 across it. Gradient descent con"
        in texts[1]
    )
    assert (
        "by 0.52 along the valley and by -1.4 across it. Gradient descent diverges"
        in texts[2]
    )


def random_layer(rng: random.Random) -> nn.Module:
    kernel, stride = rng.randint(1, 5), rng.randint(1, 3)
    padding, dilation = rng.randint(0, 2), rng.randint(1, 2)
    match rng.choice(["conv", "conv", "max", "average", "relu"]):
        case "conv":
            sizes = (kernel, rng.randint(1, 5))
            options = {"dilation": dilation, "bias": rng.random() < 0.5}
            return nn.Conv2d(4, 4, sizes, stride, padding, groups=2, **options)
        case "max":
            return nn.MaxPool2d(kernel, stride, min(padding, kernel // 2), dilation)
        case "average":
            return nn.AvgPool2d(kernel, stride, min(padding, kernel // 2))
    return nn.ReLU()


def test_a_stack_in_the_browser_equals_torch():
    rng = random.Random(0)
    nets, cases, complete = [], [], 0
    for _ in range(150):
        net = nn.Sequential(*(random_layer(rng) for _ in range(rng.randint(1, 4))))
        stack = LayerStack(net, (4, rng.randint(4, 20), rng.randint(4, 20)))
        nets.append((net, stack))
        cases.append({"shape": stack.shape, "layers": stack.layers})
    found = node(
        "summarizeLayers(x.shape, x.layers)",
        cases,
        modules={ARITHMETIC: "summarizeLayers"},
    )
    for (net, stack), summaries in zip(nets, found, strict=True):
        valid = [layer for layer in summaries if "problem" not in layer]
        assert [tuple(layer["shape"]) for layer in valid] == [
            layer.shape for layer in stack.summaries()
        ]
        x = torch.empty(1, *stack.shape, device="meta")
        if len(valid) < len(stack.layers):
            with pytest.raises(RuntimeError):
                net.to("meta")(x)
            continue
        complete += 1
        field = tuple(valid[-1]["field"]) if valid else (1, 1)
        assert field == conv.receptive_field(net)
        shape = tuple(valid[-1]["shape"]) if valid else tuple(stack.shape)
        assert shape == tuple(net.to("meta")(x).shape[1:])
        parameters = sum(p.numel() for p in net.parameters())
        assert sum(layer["parameters"] for layer in valid) == parameters
    assert 50 < complete < 140


@pytest.mark.parametrize(
    ("kernel", "padding"), [(2, 1), (3, 1), (3, 2), (5, 2), (5, 3)]
)
def test_pooling_accepts_the_same_padding_as_torch(kernel, padding):
    stack = LayerStack([nn.MaxPool2d(kernel)], (1, 9, 9))
    stack.layers = [stack.layers[0] | {"padding": [padding, padding]}]
    case = {"shape": stack.shape, "layers": stack.layers}
    [[summary]] = node(
        "summarizeLayers(x.shape, x.layers)",
        [case],
        modules={ARITHMETIC: "summarizeLayers"},
    )
    try:
        nn.MaxPool2d(kernel, padding=padding)(torch.ones(1, 1, 9, 9))
        fits = True
    except RuntimeError:
        fits = False
    assert ("problem" not in summary) == fits == (len(stack.summaries()) == 1)


def test_multiplications_are_counted_as_in_chapter_6():
    """64 channels, 3 x 3 kernels and 56 x 56 pixels are the example in chapter 6."""
    stack = LayerStack([nn.Conv2d(64, 64, 3, padding=1, bias=False)], (64, 56, 56))
    case = {"shape": stack.shape, "layers": stack.layers}
    [[summary]] = node(
        "summarizeLayers(x.shape, x.layers)",
        [case],
        modules={ARITHMETIC: "summarizeLayers"},
    )
    assert summary["multiplications"] == 64 * 64 * 9 * 56**2 == 115_605_504
    assert "115,605,504 multiplications" in repr(stack)


def test_boxes_in_the_browser_equal_conv():
    torch.manual_seed(0)
    cases, expected = [], []
    for count in [0, 1, *[12] * 40]:
        corners = torch.rand(count, 2).double() * 20
        boxes = torch.cat([corners, corners + torch.rand(count, 2) * 15 + 1], dim=1)
        scores = torch.rand(count).double().round(decimals=1)  # some are equal
        widget = MergeBoxes(torch.zeros(9, 9), boxes, scores, 0.3, 0.4)
        expected.append({"passing": widget.passing(), "kept": widget.kept()})
        cases.append([widget.boxes, widget.scores, 0.3, 0.4])
    found = node("chooseBoxes(...x)", cases, modules={"merge_boxes.js": "chooseBoxes"})
    assert found == expected
    assert any(len(case["kept"]) < len(case["passing"]) for case in expected)
    pairs = [[a, b] for a in cases[-1][0] for b in cases[-1][0]]
    found = node("boxIou(...x)", pairs, modules={"merge_boxes.js": "boxIou"})
    boxes = as_tensor(cases[-1][0])
    ious = conv.box_iou(boxes, boxes).flatten()
    torch.testing.assert_close(as_tensor(found), ious, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ([9, 5, 3], "5 of 9 candidates reach the threshold. {} keeps 3 and removes 2."),
        (
            [9, 1, 1],
            "1 of 9 candidates reaches the threshold. {} keeps 1 and removes 0.",
        ),
    ],
)
def test_merged_boxes_are_counted(counts, text):
    modules = {"merge_boxes.js": "describeBoxes"}
    assert node("describeBoxes(...x)", [counts], modules=modules) == [
        text.format("Non-maximum suppression")
    ]


def scores_in_the_browser(widget: DrawDigit, images: torch.Tensor) -> torch.Tensor:
    """Run the network in JavaScript: (N, 1, 28, 28) to (N, classes)."""
    case = {
        "bytes": base64.b64encode(widget.weights).decode(),
        "layers": widget.layers,
        "images": images.flatten(1).tolist(),
    }
    [scores] = node(
        """(() => {
          const bytes = Uint8Array.from(Buffer.from(x.bytes, "base64"));
          const parameters = toTypedArray(new DataView(bytes.buffer), Float32Array);
          return x.images.map((pixels) => {
            const values = Float64Array.from(pixels);
            return forward(x.layers, parameters, { height: 28, width: 28, values });
          });
        })()""",
        [case],
        modules={ARITHMETIC: "forward", "kit.js": "toTypedArray"},
    )
    return torch.tensor(scores)


def test_lenet_in_the_browser_equals_torch():
    net = conv.lenet()
    with torch.no_grad():
        for parameter in net.parameters():  # so that the scores are not small
            parameter.mul_(2)
    images = torch.rand(30, 1, 28, 28).round(decimals=3)
    found = scores_in_the_browser(DrawDigit(net), images)
    with torch.no_grad():
        scores = net(images)
    assert scores.abs().max() > 1
    torch.testing.assert_close(found, scores, rtol=0, atol=1e-4)


def test_softmax_equals_torch_and_does_not_overflow():
    scores = [[0.0, 1.0, -2.0], [1000.0, 999.0, -1000.0]]
    found = node("softmax(x)", scores, modules={ARITHMETIC: "softmax"})
    torch.testing.assert_close(as_tensor(found), as_tensor(scores).softmax(dim=1))


def preprocess(images: list[torch.Tensor]) -> torch.Tensor:
    """Crop, scale and center drawings in the browser: (N, 28, 28)."""
    found = node(
        "toRows(preprocessDigit(imageFromRows(x)))",
        [image.tolist() for image in images],
        modules={ARITHMETIC: "imageFromRows, preprocessDigit, toRows"},
    )
    return as_tensor(found)


def test_a_drawing_is_scaled_like_average_pooling():
    drawing = torch.rand(40, 40, dtype=torch.float64) * 0.8 + 0.2
    [found] = preprocess([drawing])
    small = F.avg_pool2d(drawing[None], 2)[0]  # (20, 20)
    top = next(i for i in range(9) if found[i].any())
    left = next(j for j in range(9) if found[:, j].any())
    torch.testing.assert_close(found[top : top + 20, left : left + 20], small)


def test_position_and_size_of_a_drawing_do_not_matter():
    small = torch.rand(10, 7, dtype=torch.float64) * 0.8 + 0.2
    large = small.repeat_interleave(2, 0).repeat_interleave(2, 1)
    images = [
        F.pad(small, (3, 18, 5, 13)),
        F.pad(small, (20, 1, 0, 18)),
        F.pad(large, (7, 7, 4, 4)),
    ]
    found = preprocess([*images, torch.zeros(28, 28)])
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2])
    mass = found[0] / found[0].sum()
    index = torch.arange(28, dtype=torch.float64)
    center = torch.stack([mass.sum(1) @ index, mass.sum(0) @ index])
    assert (center - 13.5).abs().max() <= 0.5
    assert not found[3].any()


def test_presets_match_their_names():
    [presets] = node("PRESETS", [0], modules={"kernel_bench.js": "PRESETS"})
    kernels = {name: as_tensor(kernel) for name, kernel in presets.items()}
    assert {tuple(kernel.shape) for kernel in kernels.values()} == {(3, 3), (5, 5)}
    sums = {name: kernel.sum().item() for name, kernel in kernels.items()}
    for name, total in sums.items():
        is_derivative = "Sobel" in name or name == "Laplacian"
        assert total == pytest.approx(0 if is_derivative else 1), name
    assert torch.equal(kernels["Sobel, vertical edges"], SOBEL.double())
    assert torch.equal(kernels["Sobel, horizontal edges"], SOBEL.T.double())


@pytest.mark.parametrize("bias", [None, -0.3, 0.0, 0.8])
def test_a_bench_with_a_bias_is_a_layer_with_relu(bias):
    image = torch.rand(9, 7, generator=torch.manual_seed(0))
    bench = KernelBench(image, SOBEL, bias)
    [found] = node(
        "toRows(computeOutput(...x.slice(0, 2).map(imageFromRows), x[2]))",
        [[bench.operands()[0].tolist(), SOBEL.tolist(), bias]],
        modules={
            "kernel_bench.js": "computeOutput",
            ARITHMETIC: "imageFromRows, toRows",
        },
    )
    torch.testing.assert_close(as_tensor(found), bench.output, rtol=0, atol=1e-12)
    assert bench.signed == (bias is None)
    assert (bench.output.min() >= 0) == (bias is not None)
    assert ("ReLU" in repr(bench)) == (bias is not None)
    assert bench.to_figure().alt == repr(bench)


@pytest.mark.parametrize(
    ("bias", "text"),
    [
        (0.5, "67% of the output pixels are positive."),
        (None, "The kernel's weights add up to 0. The output ranges from 0 to 3."),
    ],
)
def test_a_bench_describes_its_output(bias, text):
    found = node(
        "describeOutput(x[0], x[1], imageFromRows(x[2]))",
        [[SOBEL.tolist(), bias, [[0, 1, 3]]]],
        modules={"kernel_bench.js": "describeOutput", ARITHMETIC: "imageFromRows"},
    )
    assert found == [text]


def test_resizing_a_kernel_preserves_its_center():
    small = SOBEL.tolist()
    large = F.pad(SOBEL, [1] * 4).tolist()
    found = node(
        "resizeKernel(...x)",
        [[small, 5], [large, 3]],
        modules={"kernel_bench.js": "resizeKernel"},
    )
    assert found == [large, small]


@pytest.mark.parametrize("module", MODULES)
def test_a_bundle_is_one_module_without_requests(module, tmp_path):
    code = bundle(module)
    assert not re.search(r"^\s*import\b|import\(|fetch\(|XMLHttp|WebSocket", code, re.M)
    addresses = set(re.findall(r"https?://[^\s\"')]+", code))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a name, not a request
    assert "eval(" not in code
    assert "innerHTML" not in code
    file = tmp_path / f"{module}.mjs"
    file.write_text(code, encoding="utf-8")
    assert node(
        "typeof widget.render", [0], modules={file.as_uri(): "default as widget"}
    ) == ["function"]


def test_every_module_has_its_class():
    files = {file.stem for file in FOLDER.glob("*.js")} - {"arithmetic", "kit"}
    assert files == set(MODULES) == {widget.module for widget in all_widgets()}


def test_the_style_sheet_makes_no_requests():
    css = (FOLDER / "kit.css").read_text(encoding="utf-8")
    assert "url(" not in css
    assert "@import" not in css


def all_widgets() -> list:
    X, K = torch.arange(9).reshape(3, 3), torch.arange(4).reshape(2, 2)
    return [
        SlidingWindow(X, K),
        KernelBench(torch.linspace(0, 1, 64).view(8, 8), SOBEL),
        Descent(BAR, EDGES, (0.5, -0.2)),
        LayerStack(conv.lenet()[:6], (1, 28, 28)),
        DrawDigit(conv.lenet(), torch.ones(28, 28)),
        MergeBoxes(torch.ones(9, 9), THREE_BOXES, torch.tensor([0.7, 0.9, 0.5])),
    ]


def test_widgets_describe_themselves():
    times = "\N{MULTIPLICATION SIGN}"
    texts = [repr(widget).replace(times, "x") for widget in all_widgets()]
    assert texts == [
        "SlidingWindow, step 1 of 4: Y[0, 0] = 0x0 + 1x1 + 3x2 + 4x3 = 19",
        "KernelBench, kernel 1 0 -1 / 2 0 -2 / 1 0 -1 on 8 x 8 pixels: "
        "output from -0.13 to -0.13",
        "Descent from (0.5, -0.2) with learning rate 0.03: in 10 steps the loss goes "
        "from 6.42 to 0.0162",
        "LayerStack from 1 x 28 x 28 to 16 x 5 x 5: 2,572 parameters, 357,600 "
        "multiplications; receptive field 16 x 16",
        "DrawDigit, 28 x 28 pixels with mean 1.00, network with 61,706 parameters",
        "MergeBoxes, 3 candidates: 2 with a score of at least 0.6, 1 after "
        "non-maximum suppression with limit 0.5",
    ]
    assert texts == [repr(widget).replace(times, "x") for widget in all_widgets()]


@pytest.mark.parametrize("index", range(len(MODULES)))
def test_viewers_without_widgets_get_a_static_image(index):
    widget = all_widgets()[index]
    data, metadata = widget._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == repr(widget)
    alt = metadata["image/png"]["alt"]
    assert alt == f"{widget!r} {STATIC_NOTE}"
    assert "application/vnd.jupyter.widget-view+json" in data


@pytest.mark.parametrize("index", range(len(MODULES)), ids=sorted(MODULES))
def test_note_below_a_static_image_is_not_cut_off(index, monkeypatch):
    widget, figure = all_widgets()[index], all_widgets()[index].to_figure()
    monkeypatch.setattr(type(widget), "to_figure", lambda self: figure)
    widget._repr_mimebundle_()
    figure.draw_without_rendering()
    [note] = [text for text in figure.texts if text.get_fontsize() == 9]
    box = note.get_window_extent()
    assert note.get_text().replace("\n", " ") == STATIC_NOTE
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert box.y0 >= 0


def test_widgets_reflect_their_traits():
    window = SlidingWindow(torch.arange(9).reshape(3, 3), torch.ones(2, 2))
    window.stride, window.padding, window.position = 2, 1, 3
    text = repr(window).replace("\N{MULTIPLICATION SIGN}", "x")
    assert text.endswith("Y[1, 1] = 4x1 + 5x1 + 7x1 + 8x1 = 24")
    stack = LayerStack([nn.Conv2d(1, 4, 3)], (1, 5, 5))
    assert stack.net[0].weight.shape == (4, 1, 3, 3)
    stack.layers = [*stack.layers, stack.layers[0] | {"kernel_size": [4, 4]}]
    assert repr(stack).endswith("; layer 2 doesn't fit")
    stack.layers = [stack.layers[0] | {"groups": 3}]
    assert repr(stack).endswith("; layer 1 doesn't fit")
    stack._repr_mimebundle_()
    image = torch.rand(28, 28)
    drawing = DrawDigit(conv.lenet(), image).drawing[0, 0]
    torch.testing.assert_close(drawing, image, rtol=0, atol=6e-4)
    pad = DrawDigit(conv.lenet())
    pad.image = [1.0] * 784
    assert torch.equal(pad.drawing, torch.ones(1, 1, 28, 28))


def test_a_window_that_does_not_fit_has_no_position():
    window = SlidingWindow(torch.arange(9).reshape(3, 3), torch.ones(2, 2))
    assert window.output_index == (0, 0)
    window.dilation = 5
    assert window.output_index is None
    assert window.window_indices() == []
    assert window.window_pixels().numel() == window.output.numel() == 0
    assert "doesn't fit" in repr(window)
    window._repr_mimebundle_()


class CustomPool(nn.MaxPool2d):
    pass


class CustomReLU(nn.ReLU):
    pass


class Doubled(nn.ReLU):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * super().forward(x)


def test_widgets_accept_subclasses_of_supported_layers():
    stack = LayerStack([nn.Conv2d(1, 4, 3), CustomPool(2), CustomReLU()], (1, 8, 8))
    assert [layer["kind"] for layer in stack.layers] == ["conv", "maxpool"]
    assert stack.summaries()[-1].shape == (4, 3, 3)
    net = nn.Sequential(CustomPool(2), CustomReLU(), nn.Flatten(), nn.Linear(196, 10))
    kinds = [layer["kind"] for layer in DrawDigit(net).layers]
    assert kinds == ["maxpool", "relu", "flatten", "linear"]
    with pytest.raises(TypeError, match="which has its own forward method"):
        DrawDigit(nn.Sequential(nn.Flatten(), nn.Linear(784, 10), Doubled()))


def test_a_layer_may_occur_twice():
    shared = nn.Conv2d(1, 1, 3, padding=1)
    head = nn.Flatten(), nn.Linear(784, 10)
    net = nn.Sequential(shared, nn.ReLU(), shared, *head)
    images = torch.rand(3, 1, 28, 28)
    scores = scores_in_the_browser(DrawDigit(net), images)
    torch.testing.assert_close(scores, net(images).detach(), rtol=0, atol=1e-4)


def test_traits_reject_invalid_values_by_name():
    window, bench, descent, *_, merge = all_widgets()
    for widget, name, value in [
        (window, "stride", 0),
        (window, "padding", 6),
        (window, "kernel", "3 x 3"),
        (window, "module", "other"),
        (bench, "source", "webcam"),
        (descent, "start", [1.0]),
        (descent, "lr", -1.0),
        (merge, "limit", 1.5),
        (merge, "threshold", -0.5),
    ]:
        with pytest.raises(TraitError, match=name):
            setattr(widget, name, value)


def test_numpy_integers_are_accepted():
    two = np.int64(2)
    window = SlidingWindow(torch.ones(4, 4), torch.ones(2, 2), stride=two)
    assert window.output.shape == (2, 2)
    assert LayerStack([nn.MaxPool2d(2)], (1, two, two)).shape == [1, 2, 2]
    assert Descent(BAR, EDGES, lr=np.float64(0.01), steps=two).steps == 2


SMALL = torch.ones(3, 3)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SlidingWindow([[1]], SMALL), TypeError, "X is of type list"),
        (lambda: SlidingWindow(SMALL, torch.ones(3)), ValueError, "K has shape"),
        (lambda: SlidingWindow(torch.ones(13, 3), SMALL), ValueError, "X has shape"),
        (lambda: SlidingWindow(SMALL, torch.ones(1, 6)), ValueError, "K has shape"),
        (lambda: SlidingWindow(SMALL, torch.ones(4, 4)), ValueError, "kernel_size"),
        (lambda: SlidingWindow(SMALL, SMALL, stride=0), ValueError, "stride is 0"),
        (lambda: SlidingWindow(SMALL, SMALL, padding=6), ValueError, "padding is 6"),
        (lambda: SlidingWindow(SMALL, SMALL, dilation=1.5), TypeError, "dilation"),
        (lambda: KernelBench(SMALL, SOBEL), ValueError, "image has shape"),
        (lambda: KernelBench(torch.ones(9, 9), torch.ones(4, 4)), ValueError, "kernel"),
        (lambda: KernelBench(torch.ones(9, 9) * 2, SOBEL), ValueError, "pixels from"),
        (lambda: KernelBench("camera", SOBEL), TypeError, "image is 'camera'"),
        (
            lambda: KernelBench(torch.full((9, 9), torch.nan), SOBEL),
            ValueError,
            "pixels from",
        ),
        (lambda: Descent(BAR, BAR), ValueError, "Y has shape"),
        (lambda: Descent(SMALL, SMALL[:, 1:]), ValueError, "many kernels"),
        (lambda: Descent(BAR, EDGES, (1.0,)), ValueError, "start is"),
        (lambda: Descent(BAR, EDGES, lr=-1), ValueError, "lr is -1"),
        (lambda: Descent(BAR, EDGES, steps=101), ValueError, "steps is 101"),
        (lambda: Descent(BAR, EDGES, steps=0), ValueError, "steps is 0"),
        (
            lambda: LayerStack([nn.Linear(2, 2)], (1, 2, 2)),
            TypeError,
            "layers contains Linear",
        ),
        (lambda: LayerStack([], (1, 2)), TypeError, "shape is"),
        (lambda: LayerStack([], (0, 2, 2)), ValueError, "shape is 0"),
        (
            lambda: LayerStack([nn.Conv2d(1, 1, 3, padding="same")], (1, 5, 5)),
            ValueError,
            "padding as a number of pixels",
        ),
        (lambda: DrawDigit(nn.Linear(784, 10)), TypeError, "net is of type Linear"),
        (lambda: DrawDigit(nn.Sequential(nn.Sigmoid())), TypeError, "net contains"),
        (
            lambda: DrawDigit(nn.Sequential(nn.MaxPool2d(3, 2))),
            TypeError,
            "without overlap",
        ),
        (
            lambda: DrawDigit(nn.Sequential(nn.Conv2d(1, 1, 3, stride=(1, 2)))),
            ValueError,
            "the same stride in both directions",
        ),
        (lambda: DrawDigit(conv.lenet(), SMALL), ValueError, "image has shape"),
        (
            lambda: MergeBoxes(SMALL, THREE_BOXES, SMALL[0]),
            ValueError,
            "image has shape",
        ),
        (
            lambda: MergeBoxes(BAR, THREE_BOXES, SMALL[0, :2]),
            ValueError,
            "scores has length 2; expected 3",
        ),
    ],
)
def test_invalid_arguments_are_named(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_widgets_accept_tensors_on_any_device(device):
    X = torch.arange(9.0, device=device).reshape(3, 3).requires_grad_()
    K = torch.arange(4, device=device).reshape(2, 2)
    assert "= 19" in repr(SlidingWindow(X, K))
    net = conv.lenet().to(device)
    assert "61,706" in repr(DrawDigit(net, torch.ones(28, 28, device=device)))
    bench = KernelBench(torch.ones(9, 9, device=device), SOBEL.to(device))
    assert bench.output.shape == (7, 7)


def test_a_signed_output_has_the_same_colors_without_a_kernel(monkeypatch):
    outputs = [[-3.0, 1, 2], [0.0, 0, 0], [*[0.0] * 200, -5]]
    outputs.append([*torch.randn(300).tolist(), 1e6])
    found = node(
        "colorRange(Float64Array.from(x), true)",
        outputs,
        modules={"kit.js": "colorRange"},
    )
    bounds = []
    for output in outputs:
        monkeypatch.setattr(KernelBench, "output", torch.tensor([output]).double())
        bounds.append(KernelBench(torch.zeros(5, 5), SOBEL).color_bound())
    assert bounds[:3] == [2, 1, 5]
    assert bounds[3] < 5
    assert found == [
        {"low": pytest.approx(-bound), "high": pytest.approx(bound)} for bound in bounds
    ]


def test_the_style_sheet_has_the_palette():
    css = (FOLDER / "kit.css").read_text(encoding="utf-8")
    colors = dict(re.findall(r"--(\w+): (#\w+);", css))
    assert colors == {name: PALETTE[name].lower() for name in colors}
    assert {"input", "kernel", "output", "highlight"} <= set(colors)
    assert len(re.findall(r"#[\da-f]{3}", css)) == len(colors)  # and no other
