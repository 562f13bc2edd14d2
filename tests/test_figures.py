"""Test the diagrams in notebooks/figures, which figures/draw.py draws."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "notebooks" / "figures"
SVG = "{http://www.w3.org/2000/svg}"
ANIMATIONS = {f"{SVG}{tag}" for tag in ("animate", "animateTransform", "set")}
ANIMATED = ["dilated_layers", "im2col", "image_gradient_stride"]
ANIMATED += ["kernel_gradient_stride", "kernel_volume", "loop_over_taps", "occlusion"]
ANIMATED += ["padding", "pnet_slides", "pooling", "receptive_field", "ring_all_reduce"]
ANIMATED += ["rotated_kernel", "stochastic_depth", "stride", "suppression"]
ANIMATED += ["transposed_conv", "unet_path", "window_slides"]
MAX_DURATION = 5  # seconds that WCAG 2.2 (2.2.2) allows for motion that can't be paused
MAX_WIDTH = 720  # CSS pixels
MIN_FONT_SIZE = 14
each_file = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem
)


# The committed files match the code


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    draw = [sys.executable, ROOT / "figures" / "draw.py", folder]
    subprocess.run(draw, check=True, timeout=300)
    return folder


def differences(committed: Path, drawn: Path) -> set[str]:
    """Return the names of files that differ, or that only one of the folders has."""
    files = [
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (committed, drawn)
    ]
    return {name for name, _ in files[0].items() ^ files[1].items()}


def test_committed_diagrams_match_the_code(drawn):
    assert differences(FOLDER, drawn) == set(), "out of date: run `make figures`"


def test_changed_missing_and_extra_files_are_found(drawn, tmp_path):
    names = sorted(path.name for path in drawn.iterdir())
    folder = shutil.copytree(drawn, tmp_path / "copy")
    assert differences(folder, drawn) == set()
    data = bytearray((folder / names[0]).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / names[0]).write_bytes(data)
    (folder / names[1]).unlink()
    (folder / "foreign.svg").write_text("<svg/>")
    assert differences(folder, drawn) == {*names[:2], "foreign.svg"}


# What a diagram may contain


def links(svg: ElementTree.Element) -> list[str]:
    """List the external resources that an SVG refers to."""
    found = []
    for element in svg.iter():
        for name, value in element.attrib.items():
            if name.endswith(("href", "src")):
                found.append(value)
            found += re.findall(r"url\(([^)]*)", value)
        if element.tag == f"{SVG}style":
            found += re.findall(r"(?:url\(|@import\s)([^);]*)", element.text or "")
    return [target for target in found if not target.startswith("#")]


def scripts(svg: ElementTree.Element) -> list[str]:
    """List the parts that a browser may execute or parse as HTML."""
    tags = [element.tag.removeprefix(SVG) for element in svg.iter()]
    names = [name for element in svg.iter() for name in element.attrib]
    return [
        *(tag for tag in tags if tag in {"script", "foreignObject"}),
        *(name for name in names if name.startswith("on")),
    ]


def end_value(animation: ElementTree.Element) -> str:
    return animation.attrib["values"].split(";")[-1]


def animation_problems(parent: ElementTree.Element) -> list[str]:
    """List the problems of an element's animations, such as a late end."""
    problems = []
    for animation in parent:
        if animation.tag not in ANIMATIONS:
            continue
        get = animation.get
        seconds = [get("begin", "0s"), get("dur", "indefinite")]
        if not all(re.fullmatch(r"[\d.]+s", value) for value in seconds):
            problems.append(f"begins and lasts {seconds}")
        elif sum(float(value.removesuffix("s")) for value in seconds) > MAX_DURATION:
            problems.append(f"lasts longer than {MAX_DURATION} s")
        if get("repeatCount", "1") != "1" or get("repeatDur"):
            problems.append("is repeated")
        if get("fill") != "freeze":
            problems.append("isn't frozen")
        name, value = get("attributeName"), end_value(animation)
        if parent.get(name) not in {value, f"translate({value})"}:
            problems.append(f"{name} ends at {value}, not at {parent.get(name)}")
    return problems


def motion_problems(svg: ElementTree.Element) -> list[str]:
    """List the problems of an SVG's motion and of its still."""
    problems = [
        problem for parent in svg.iter() for problem in animation_problems(parent)
    ]
    count = sum(element.tag in ANIMATIONS for element in svg.iter())
    if not count:
        return problems
    groups = {group.get("class"): group for group in svg if group.get("class")}
    if set(groups) != {"motion", "still"}:
        return [*problems, f"its groups are {set(groups)}"]
    if count != sum(element.tag in ANIMATIONS for element in groups["motion"].iter()):
        problems.append("moves outside of the group that reduced motion hides")
    css = re.sub(r"\s+", "", svg.findtext(f"{SVG}style", ""))
    if not re.search(
        r"\.still\{display:none\}@media\(prefers-reduced-motion:reduce\)"
        r"\{\.motion\{display:none\}\.still\{display:inline\}\}",
        css,
    ):
        problems.append("ignores a preference for reduced motion")
    if final_appearance(svg, groups["still"]) != final_appearance(
        svg, groups["motion"]
    ):
        problems.append("its still differs from the end of the motion")
    return problems


def final_appearance(
    svg: ElementTree.Element, group: ElementTree.Element
) -> list[tuple]:
    """List what a group shows at the end: shapes and texts with their translations."""
    shown = []
    for wrapper in group:
        if wrapper.get("opacity") == "0":
            continue
        move = wrapper.get("transform", "")
        inner = [child for child in wrapper if child.tag not in ANIMATIONS]
        parts = inner if wrapper.get("opacity") or move else [wrapper]
        for part in parts:
            name = part.get("{http://www.w3.org/1999/xlink}href", "").removeprefix("#")
            target = svg.find(f".//*[@id='{name}']") if name else None
            text = ElementTree.tostring(part if target is None else target, "unicode")
            shown.append((move, text.strip()))
    return shown


@each_file
def test_diagram_has_no_scripts_and_no_external_files(path):
    svg = ElementTree.parse(path).getroot()
    assert svg.tag == f"{SVG}svg"
    assert scripts(svg) == []
    assert links(svg) == []


@each_file
def test_motion_ends_within_five_seconds_with_the_still(path):
    svg = ElementTree.parse(path).getroot()
    assert motion_problems(svg) == []
    moves = any(element.tag in ANIMATIONS for element in svg.iter())
    assert moves == (path.stem in ANIMATED)


@each_file
def test_diagram_is_legible(path):
    """The background is white, the width fits a page, and the text is large enough."""
    svg = ElementTree.parse(path).getroot()
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert width <= MAX_WIDTH
    assert svg.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
    background = svg.find(f"{SVG}rect").attrib
    assert (background["width"], background["fill"]) == (f"{width:g}", "white")
    texts = list(svg.iter(f"{SVG}text"))
    assert texts
    for text in texts:
        assert float(text.attrib["font-size"]) >= MIN_FONT_SIZE, text.text
    assert svg.findtext(f"{SVG}title")


GOOD = """<svg xmlns="http://www.w3.org/2000/svg"
     xmlns:xlink="http://www.w3.org/1999/xlink">
<style>.still { display: none }
@media (prefers-reduced-motion: reduce) {
  .motion { display: none } .still { display: inline }
}</style>
<g class="motion"><g opacity="1"><rect id="a"/>
<animate attributeName="opacity" dur="5s" values="0;1" fill="freeze"/></g></g>
<g class="still"><use xlink:href="#a"/></g></svg>"""
OUTSIDE = """</style>
<g opacity="1"><animate attributeName="opacity" dur="1s" values="0;1" fill="freeze"/>
</g>"""


def test_valid_diagram_has_no_problems():
    svg = ElementTree.fromstring(GOOD)
    assert (scripts(svg), links(svg), motion_problems(svg)) == ([], [], [])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<style>", "<script/><style>"),
        ("<rect", '<rect onload="x()"'),
        ("<rect", "<foreignObject/><rect"),
        ("#a", "https://example.org/a"),
        ("<rect", '<rect fill="url(https://example.org/a)"'),
        ("<style>", "<style>@import 'https://example.org/a';"),
        ('dur="5s"', 'dur="5.1s"'),
        ('dur="5s"', 'dur="5s" begin="0.1s"'),
        ('dur="5s"', 'dur="indefinite"'),
        ('dur="5s"', 'dur="5s" begin="a.click"'),
        ('dur="5s"', 'dur="5s" repeatCount="indefinite"'),
        ('dur="5s"', 'dur="5s" repeatDur="9s"'),
        ('fill="freeze"', ""),
        ('values="0;1"', 'values="1;0"'),
        ('class="still"', 'class="other"'),
        ('<use xlink:href="#a"/>', ""),
        ("prefers-reduced-motion", "prefers-contrast"),
        ("</style>", OUTSIDE),
    ],
)
def test_invalid_diagram_has_problems(old, new):
    assert old in GOOD
    svg = ElementTree.fromstring(GOOD.replace(old, new))
    assert scripts(svg) + links(svg) + motion_problems(svg)


# The notebooks


def markdown() -> str:
    """Join the text of all notebooks."""
    notebooks = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    ]
    return "\n".join(
        "".join(cell["source"])
        for book in notebooks
        for cell in book["cells"]
        if cell["cell_type"] == "markdown"
    )


def embedded(text: str) -> dict[str, str]:
    """Return the diagrams in a text, with their alternative texts."""
    images = re.findall(r"!\[([^\]]*)\]\(figures/([^)\s]*)\)", text)
    return {name: alt.strip() for alt, name in images}


def test_every_diagram_is_used_and_described():
    images = embedded(markdown())
    unused = {path.name for path in FOLDER.glob("*.svg")} - set(images)
    assert unused == set(), "no notebook shows these figures"
    assert [name for name, alt in images.items() if not alt] == []


def test_every_diagram_that_a_notebook_shows_exists():
    for name in re.findall(r"\bfigures/([\w.-]*\w)", markdown()):
        assert (FOLDER / name).is_file(), name


def test_images_are_found_with_their_alternative_texts():
    text = "[![Two\nwords.](figures/a.svg)](figures/a.svg) ![](figures/b.svg)"
    assert embedded(text) == {"a.svg": "Two\nwords.", "b.svg": ""}
