"""The widgets: their JavaScript against conv and torch, their Python classes."""

import base64
import random
import re

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from traitlets import TraitError

import conv
from conv.widgets import Descent, DrawDigit, KernelBench, LayerStack, SlidingWindow
from conv.widgets.base import bundle
from node import FOLDER, node

ARITHMETIC = "arithmetic.js"
MODULES = ["descent", "draw_digit", "kernel_bench", "layer_stack", "sliding_window"]
SOBEL = torch.tensor([[1.0, 0, -1], [2, 0, -2], [1, 0, -1]])
BAR = torch.ones(6, 8).index_fill(1, torch.arange(2, 6), 0)
EDGES = conv.corr2d(BAR, torch.tensor([[1.0, -1.0]]))


def rows(*shape: int) -> list:
    return torch.randn(shape, dtype=torch.float64).tolist()


def as_tensor(numbers: list) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float64)


def settings(count: int) -> list[dict]:
    """Draw pictures, kernels, strides, paddings, dilations that fit together."""
    draw, found = random.Random(0), []
    while len(found) < count:
        H, W, h, w = (draw.randint(1, most) for most in (12, 12, 5, 5))
        options = {
            "stride": draw.randint(1, 4),
            "padding": draw.randint(0, 4),
            "dilation": draw.randint(1, 3),
        }
        pairs = (H, h), (W, w)
        p, d = options["padding"], options["dilation"]
        if all(d * (kernel - 1) < side + 2 * p for side, kernel in pairs):
            found.append({"X": rows(H, W), "K": rows(h, w), "options": options})
    return found


def convolved(case: dict) -> torch.Tensor:
    X, K = as_tensor(case["X"]), as_tensor(case["K"])
    return conv.conv2d(X[None, None], K[None, None], **case["options"])[0, 0]


def test_the_browsers_convolution_is_convs():
    cases = settings(400)
    found = node(
        "rowsOf(conv2d(picture(x.X), picture(x.K), x.options))",
        cases,
        modules={ARITHMETIC: "conv2d, picture, rowsOf"},
    )
    for case, Y in zip(cases, found, strict=True):
        torch.testing.assert_close(as_tensor(Y), convolved(case), rtol=0, atol=1e-12)


def test_the_browser_knows_which_windows_fit():
    cases = [
        [n, k, {"stride": s, "padding": p, "dilation": d}]
        for n in (1, 2, 5, 6)
        for k in (1, 2, 3, 4)
        for s in (1, 2, 3)
        for p in (0, 1)
        for d in (1, 2)
    ]
    found = node("places(...x)", cases, modules={ARITHMETIC: "places"})
    misfits = 0
    for (n, k, options), count in zip(cases, found, strict=True):
        if count == 0:
            misfits += 1
            with pytest.raises(ValueError, match="expected at most"):
                conv.output_shape(n, k, **options)
        else:
            assert conv.output_shape(n, k, **options) == (count, count)
    assert misfits > 10


def test_each_windows_products_add_up():
    cases = settings(100)
    found = node(
        """(() => {
          const [X, K] = [picture(x.X), picture(x.K)];
          return Array.from(conv2d(X, K, x.options).values, (_, n) =>
            taps(X, K, n, x.options).reduce((sum, tap) => sum + tap.product, 0));
        })()""",
        cases,
        modules={ARITHMETIC: "conv2d, picture, taps"},
    )
    for case, sums in zip(cases, found, strict=True):
        torch.testing.assert_close(
            as_tensor(sums), convolved(case).flatten(), rtol=0, atol=1e-12
        )


def test_python_and_the_browser_spell_the_same_sentence():
    cases = settings(60)
    expected = []
    for case in cases:
        widget = SlidingWindow(
            as_tensor(case["X"]), as_tensor(case["K"]), **case["options"]
        )
        widget.position = case["position"] = widget.output.numel() // 2
        expected.append(repr(widget).partition(": ")[2])
    found = node(
        """(() => {
          const [X, K] = [picture(x.X), picture(x.K)];
          const Y = conv2d(X, K, x.options);
          return sentence(Y, x.position, taps(X, K, x.position, x.options));
        })()""",
        cases,
        modules={
            ARITHMETIC: "conv2d, picture, taps",
            "sliding_window.js": "sentence",
        },
    )
    assert found == expected


def test_the_browsers_descent_is_autograds():
    cases, expected = [], []
    for _ in range(40):
        X = torch.randn(4, 6, dtype=torch.float64)
        Y = torch.randn(4, 5, dtype=torch.float64)
        start = torch.randn(2).tolist()
        cases.append({"X": X.tolist(), "Y": Y.tolist(), "start": start})
        expected.append(Descent(X, Y, start, lr=0.01, steps=20).path())
    found = node(
        """(() => {
          const q = quadratic(picture(x.X), picture(x.Y));
          const path = descend(q, x.start, 0.01, 20);
          return { path, losses: path.map((k) => lossAt(q, k)), land: valley(q) };
        })()""",
        cases,
        modules={ARITHMETIC: "descend, lossAt, picture, quadratic, valley"},
    )
    for case, (path, losses), ours in zip(cases, expected, found, strict=True):
        torch.testing.assert_close(as_tensor(ours["path"]), path, rtol=0, atol=1e-9)
        torch.testing.assert_close(
            as_tensor(ours["losses"]), as_tensor(losses), rtol=0, atol=1e-8
        )
        windows = F.unfold(as_tensor(case["X"])[None, None], (1, 2))[0]  # (2, L)
        values, vectors = torch.linalg.eigh(2 * windows @ windows.T)
        land = ours["land"]
        torch.testing.assert_close(as_tensor(land["curvatures"]), values)
        for found_, known in zip(land["directions"], vectors.T, strict=True):
            torch.testing.assert_close(
                (as_tensor(found_) @ known).abs(), as_tensor(1.0)
            )
        lowest = torch.linalg.lstsq(windows.T, as_tensor(case["Y"]).view(-1, 1))
        torch.testing.assert_close(as_tensor(land["lowest"]), lowest.solution.flatten())


def test_the_browser_says_when_a_descent_diverges():
    path = "descend(q, [0, 0], x, 10)"
    said = node(
        f"""(() => {{
          const q = quadratic(picture({BAR.tolist()}), picture({EDGES.tolist()}));
          return verdict(q, {path}, x);
        }})()""",
        [0.01, 0.03, 0.04],
        modules={
            ARITHMETIC: "descend, picture, quadratic",
            "descent.js": "verdict",
        },
    )
    assert ["diverges" in text for text in said] == [False, False, True]
    assert "along the valley by 0.64, across it by -0.8." in said[1]
    assert "along the valley by 0.52, across it by -1.4." in said[2]


def random_layer(draw: random.Random) -> nn.Module:
    kernel, stride = draw.randint(1, 5), draw.randint(1, 3)
    padding, dilation = draw.randint(0, 2), draw.randint(1, 2)
    match draw.choice(["conv", "conv", "max", "average", "relu"]):
        case "conv":
            sizes = (kernel, draw.randint(1, 5))
            options = {"dilation": dilation, "bias": draw.random() < 0.5}
            return nn.Conv2d(4, 4, sizes, stride, padding, groups=2, **options)
        case "max":
            return nn.MaxPool2d(kernel, stride, min(padding, kernel // 2), dilation)
        case "average":
            return nn.AvgPool2d(kernel, stride, min(padding, kernel // 2))
    return nn.ReLU()


def test_the_browser_counts_a_stack_as_torch_does():
    draw = random.Random(0)
    nets, cases, complete = [], [], 0
    for _ in range(150):
        net = nn.Sequential(*(random_layer(draw) for _ in range(draw.randint(1, 4))))
        stack = LayerStack(net, (4, draw.randint(4, 20), draw.randint(4, 20)))
        nets.append((net, stack))
        cases.append({"shape": stack.shape, "layers": stack.layers})
    found = node("follow(x.shape, x.layers)", cases, modules={ARITHMETIC: "follow"})
    for (net, stack), stages in zip(nets, found, strict=True):
        fine = [stage for stage in stages if "problem" not in stage]
        assert [tuple(stage["shape"]) for stage in fine] == [
            stage.shape for stage in stack.stages()
        ]
        x = torch.empty(1, *stack.shape, device="meta")
        if len(fine) < len(stack.layers):
            with pytest.raises(RuntimeError):
                net.to("meta")(x)
            continue
        complete += 1
        seen = tuple(fine[-1]["field"]) if fine else (1, 1)
        assert seen == conv.receptive_field(net)
        shape = tuple(fine[-1]["shape"]) if fine else tuple(stack.shape)
        assert shape == tuple(net.to("meta")(x).shape[1:])
        parameters = sum(p.numel() for p in net.parameters())
        assert sum(stage["parameters"] for stage in fine) == parameters
    assert 50 < complete < 140


@pytest.mark.parametrize(
    ("kernel", "padding"), [(2, 1), (3, 1), (3, 2), (5, 2), (5, 3)]
)
def test_pooling_refuses_the_same_padding_everywhere(kernel, padding):
    stack = LayerStack([nn.MaxPool2d(kernel)], (1, 9, 9))
    stack.layers = [stack.layers[0] | {"padding": [padding, padding]}]
    case = {"shape": stack.shape, "layers": stack.layers}
    [[stage]] = node(
        "follow(x.shape, x.layers)", [case], modules={ARITHMETIC: "follow"}
    )
    try:
        nn.MaxPool2d(kernel, padding=padding)(torch.ones(1, 1, 9, 9))
        fits = True
    except RuntimeError:
        fits = False
    assert ("problem" not in stage) == fits == (len(stack.stages()) == 1)


def test_the_browsers_multiplications_are_chapter_sixes():
    """A layer of 64 channels, 3 x 3 kernels, 56 x 56 pixels: chapter 6 prints it."""
    stack = LayerStack([nn.Conv2d(64, 64, 3, padding=1, bias=False)], (64, 56, 56))
    case = {"shape": stack.shape, "layers": stack.layers}
    [[stage]] = node(
        "follow(x.shape, x.layers)", [case], modules={ARITHMETIC: "follow"}
    )
    assert stage["multiplications"] == 64 * 64 * 9 * 56**2 == 115_605_504
    assert "115,605,504 multiplications" in repr(stack)


def test_the_browsers_lenet_is_torchs():
    net = conv.lenet()
    with torch.no_grad():
        for parameter in net.parameters():  # as after training, and more: not small
            parameter.mul_(2)
    pictures = torch.rand(30, 1, 28, 28).round(decimals=3)
    widget = DrawDigit(net)
    case = {
        "bytes": base64.b64encode(widget.weights).decode(),
        "layers": widget.layers,
        "pictures": pictures.flatten(1).tolist(),
    }
    [found] = node(
        """(() => {
          const bytes = Uint8Array.from(Buffer.from(x.bytes, "base64"));
          const numbers = numbersOf(new DataView(bytes.buffer), Float32Array);
          return x.pictures.map((pixels) => {
            const values = Float64Array.from(pixels);
            return forward(x.layers, numbers, { height: 28, width: 28, values });
          });
        })()""",
        [case],
        modules={ARITHMETIC: "forward", "kit.js": "numbersOf"},
    )
    with torch.no_grad():
        scores = net(pictures)
    assert scores.abs().max() > 1
    torch.testing.assert_close(torch.tensor(found), scores, rtol=0, atol=1e-4)


def test_softmax_is_torchs_and_does_not_overflow():
    scores = [[0.0, 1.0, -2.0], [1000.0, 999.0, -1000.0]]
    found = node("softmax(x)", scores, modules={ARITHMETIC: "softmax"})
    torch.testing.assert_close(as_tensor(found), as_tensor(scores).softmax(dim=1))


def like_mnist(pictures: list[torch.Tensor]) -> torch.Tensor:
    """Let the browser crop, scale and centre pictures: (N, 28, 28)."""
    found = node(
        "rowsOf(likeMnist(picture(x)))",
        [picture.tolist() for picture in pictures],
        modules={ARITHMETIC: "likeMnist, picture, rowsOf"},
    )
    return as_tensor(found)


def test_a_drawing_is_scaled_as_average_pooling_does():
    ink = torch.rand(40, 40, dtype=torch.float64) * 0.8 + 0.2
    [found] = like_mnist([ink])
    small = F.avg_pool2d(ink[None], 2)[0]  # (20, 20)
    columns = [place for place in range(9) if found[:, place].any()]
    top = next(place for place in range(9) if found[place].any())
    torch.testing.assert_close(
        found[top : top + 20, columns[0] : columns[0] + 20], small
    )


def test_a_drawing_may_be_anywhere_and_of_any_size():
    small = torch.rand(10, 7, dtype=torch.float64) * 0.8 + 0.2
    large = small.repeat_interleave(2, 0).repeat_interleave(2, 1)
    pictures = [
        F.pad(small, (3, 18, 5, 13)),
        F.pad(small, (20, 1, 0, 18)),
        F.pad(large, (7, 7, 4, 4)),
    ]
    found = like_mnist([*pictures, torch.zeros(28, 28)])
    torch.testing.assert_close(found[0], found[1])
    torch.testing.assert_close(found[0], found[2])
    weight = found[0] / found[0].sum()
    place = torch.arange(28, dtype=torch.float64)
    centre = torch.stack([weight.sum(1) @ place, weight.sum(0) @ place])
    assert (centre - 13.5).abs().max() <= 0.5
    assert not found[3].any()


def test_presets_are_what_their_names_say():
    [presets] = node("PRESETS", [0], modules={"kernel_bench.js": "PRESETS"})
    kernels = {name: as_tensor(kernel) for name, kernel in presets.items()}
    assert {tuple(kernel.shape) for kernel in kernels.values()} == {(3, 3), (5, 5)}
    sums = {name: kernel.sum().item() for name, kernel in kernels.items()}
    for name, total in sums.items():
        blind = "Sobel" in name or name == "Laplacian"
        assert total == pytest.approx(0 if blind else 1), name
    assert torch.equal(kernels["Sobel, upright edges"], SOBEL.double())
    assert torch.equal(kernels["Sobel, level edges"], SOBEL.T.double())


def test_a_kernel_keeps_its_middle_when_its_size_changes():
    small = SOBEL.tolist()
    large = F.pad(SOBEL, [1] * 4).tolist()
    found = node(
        "recentred(...x)",
        [[small, 5], [large, 3]],
        modules={"kernel_bench.js": "recentred"},
    )
    assert found == [large, small]


@pytest.mark.parametrize("module", MODULES)
def test_a_bundle_is_one_module_that_asks_nobody(module, tmp_path):
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


def test_the_style_asks_nobody():
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
    ]


def test_widgets_say_what_they_are():
    times = "\N{MULTIPLICATION SIGN}"
    texts = [repr(widget).replace(times, "x") for widget in all_widgets()]
    assert texts == [
        "SlidingWindow, step 1 of 4: Y[0, 0] = 0x0 + 1x1 + 3x2 + 4x3 = 19",
        "KernelBench, kernel 1 0 -1 / 2 0 -2 / 1 0 -1 on 8 x 8 pixels: "
        "output from -0.13 to -0.13",
        "Descent from (0.5, -0.2) with learning rate 0.03: in 10 steps the loss goes "
        "from 6.42 to 0.0162",
        "LayerStack from 1 x 28 x 28 to 16 x 5 x 5: 2,572 parameters, 357,600 "
        "multiplications; an output pixel sees 16 x 16 pixels",
        "DrawDigit, 28 x 28 pixels, 100% of them ink, for a net of 61,706 numbers",
    ]
    assert texts == [repr(widget).replace(times, "x") for widget in all_widgets()]


@pytest.mark.parametrize("place", range(5), ids=sorted(MODULES))
def test_where_nothing_can_move_there_is_a_picture(place):
    widget = all_widgets()[place]
    data, metadata = widget._repr_mimebundle_()
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert data["text/plain"] == repr(widget)
    alt = metadata["image/png"]["alt"]
    assert alt == f"{widget!r} A still picture. In JupyterLab it moves."
    assert "application/vnd.jupyter.widget-view+json" in data


def test_widgets_follow_their_traits():
    window = SlidingWindow(torch.arange(9).reshape(3, 3), torch.ones(2, 2))
    window.stride, window.padding, window.position = 2, 1, 3
    text = repr(window).replace("\N{MULTIPLICATION SIGN}", "x")
    assert text.endswith("Y[1, 1] = 4x1 + 5x1 + 7x1 + 8x1 = 24")
    window.dilation = 5
    assert window.output.numel() == 0
    assert "doesn't fit" in repr(window)
    window._repr_mimebundle_()
    stack = LayerStack([nn.Conv2d(1, 4, 3)], (1, 5, 5))
    assert stack.net[0].weight.shape == (4, 1, 3, 3)
    stack.layers = [*stack.layers, stack.layers[0] | {"kernel_size": [4, 4]}]
    assert repr(stack).endswith("; layer 2 doesn't fit")
    stack.layers = [stack.layers[0] | {"groups": 3}]
    assert repr(stack).endswith("; layer 1 doesn't fit")
    stack._repr_mimebundle_()
    ink = torch.rand(28, 28)
    kept = DrawDigit(conv.lenet(), ink).drawing[0, 0]
    torch.testing.assert_close(kept, ink, rtol=0, atol=6e-4)
    pad = DrawDigit(conv.lenet())
    pad.picture = [1.0] * 784
    assert torch.equal(pad.drawing, torch.ones(1, 1, 28, 28))


def test_traits_refuse_rubbish_by_name():
    window, bench, descent, *_ = all_widgets()
    for widget, name, value in [
        (window, "stride", 0),
        (window, "padding", 6),
        (window, "kernel", "rubbish"),
        (window, "module", "other"),
        (bench, "source", "webcam"),
        (descent, "start", [1.0]),
        (descent, "lr", -1.0),
    ]:
        with pytest.raises(TraitError, match=name):
            setattr(widget, name, value)


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
        (lambda: KernelBench(SMALL, SOBEL), ValueError, "picture has shape"),
        (lambda: KernelBench(torch.ones(9, 9), torch.ones(4, 4)), ValueError, "kernel"),
        (lambda: KernelBench(torch.ones(9, 9) * 2, SOBEL), ValueError, "pixels from"),
        (lambda: KernelBench("camera", SOBEL), TypeError, "picture is of type str"),
        (
            lambda: KernelBench(torch.full((9, 9), torch.nan), SOBEL),
            ValueError,
            "pixels from",
        ),
        (lambda: Descent(BAR, BAR), ValueError, "Y has shape"),
        (lambda: Descent(SMALL, SMALL[:, 1:]), ValueError, "X leaves many kernels"),
        (lambda: Descent(BAR, EDGES, (1.0,)), ValueError, "start is"),
        (lambda: Descent(BAR, EDGES, lr=-1), ValueError, "lr -1"),
        (lambda: Descent(BAR, EDGES, steps=101), ValueError, "steps 101"),
        (lambda: Descent(BAR, EDGES, steps=0), ValueError, "steps is 0"),
        (lambda: LayerStack([nn.Linear(2, 2)], (1, 2, 2)), TypeError, "a Linear"),
        (lambda: LayerStack([], (1, 2)), TypeError, "shape is"),
        (lambda: LayerStack([], (0, 2, 2)), ValueError, "shape is 0"),
        (
            lambda: LayerStack([nn.Conv2d(1, 1, 3, padding="same")], (1, 5, 5)),
            ValueError,
            "padding in numbers",
        ),
        (lambda: DrawDigit(nn.Linear(784, 10)), TypeError, "net is a Linear"),
        (lambda: DrawDigit(nn.Sequential(nn.Sigmoid())), TypeError, "net has Sigmoid"),
        (
            lambda: DrawDigit(nn.Sequential(nn.MaxPool2d(3, 2))),
            TypeError,
            "without overlap",
        ),
        (
            lambda: DrawDigit(nn.Sequential(nn.Conv2d(1, 1, 3, stride=(1, 2)))),
            ValueError,
            "stride is",
        ),
        (lambda: DrawDigit(conv.lenet(), SMALL), ValueError, "picture has shape"),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=re.escape(message)):
        make()


def test_tensors_may_live_anywhere(device):
    X = torch.arange(9.0, device=device).reshape(3, 3).requires_grad_()
    assert "= 19" in repr(SlidingWindow(X, torch.arange(4).reshape(2, 2)))
    net = conv.lenet().to(device)
    assert "61,706" in repr(DrawDigit(net, torch.ones(28, 28, device=device)))
    assert KernelBench(torch.ones(9, 9, device=device), SOBEL).output.shape == (7, 7)
