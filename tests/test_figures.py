"""The diagrams in notebooks/figures, which figures/draw.py draws."""

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
ANIMATED += ["padding", "pooling", "receptive_field", "ring_all_reduce"]
ANIMATED += ["rotated_kernel", "stochastic_depth", "stride", "transposed_conv"]
ANIMATED += ["window_slides"]
LONGEST = 5  # seconds that WCAG 2.2 (2.2.2) allows for motion that can't be paused
WIDEST = 720  # CSS pixels
SMALLEST = 14
each_file = pytest.mark.parametrize(
    "path", sorted(FOLDER.glob("*.svg")), ids=lambda path: path.stem
)


# The committed files are what the code draws


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("figures")
    draw = [sys.executable, ROOT / "figures" / "draw.py", folder]
    subprocess.run(draw, check=True, timeout=300)
    return folder


def differences(committed: Path, drawn: Path) -> set[str]:
    """Name the files that only one folder has, or that differ in any byte."""
    files = [
        {path.name: path.read_bytes() for path in folder.iterdir()}
        for folder in (committed, drawn)
    ]
    return {name for name, _ in files[0].items() ^ files[1].items()}


def test_the_committed_diagrams_are_what_the_code_draws(drawn):
    assert differences(FOLDER, drawn) == set(), "run `make figures`"


def test_a_changed_a_missing_and_a_foreign_file_are_found(drawn, tmp_path):
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
    """List what the SVG refers to outside of itself."""
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
    """List what a browser may execute, or treat as HTML."""
    tags = [element.tag.removeprefix(SVG) for element in svg.iter()]
    names = [name for element in svg.iter() for name in element.attrib]
    return [
        *(tag for tag in tags if tag in {"script", "foreignObject"}),
        *(name for name in names if name.startswith("on")),
    ]


def end_value(animation: ElementTree.Element) -> str:
    return animation.attrib["values"].split(";")[-1]


def unfinished(parent: ElementTree.Element) -> list[str]:
    """Say which of an element's animations don't end in time, on what it is."""
    problems = []
    for animation in parent:
        if animation.tag not in ANIMATIONS:
            continue
        get = animation.get
        seconds = [get("begin", "0s"), get("dur", "indefinite")]
        if not all(re.fullmatch(r"[\d.]+s", value) for value in seconds):
            problems.append(f"begins and lasts {seconds}")
        elif sum(float(value.removesuffix("s")) for value in seconds) > LONGEST:
            problems.append(f"lasts longer than {LONGEST} s")
        if get("repeatCount", "1") != "1" or get("repeatDur"):
            problems.append("is repeated")
        if get("fill") != "freeze":
            problems.append("isn't frozen")
        name, value = get("attributeName"), end_value(animation)
        if parent.get(name) not in {value, f"translate({value})"}:
            problems.append(f"{name} ends at {value}, not at {parent.get(name)}")
    return problems


def motion_problems(svg: ElementTree.Element) -> list[str]:
    """Say what is wrong with an SVG's motion, or with its still."""
    problems = [problem for parent in svg.iter() for problem in unfinished(parent)]
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
    if looks(svg, groups["still"]) != looks(svg, groups["motion"]):
        problems.append("its still isn't how the motion ends")
    return problems


def looks(svg: ElementTree.Element, group: ElementTree.Element) -> list[tuple]:
    """List what a group shows at the end: shapes, texts and where they are moved."""
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
def test_a_diagram_needs_no_script_and_no_other_file(path):
    svg = ElementTree.parse(path).getroot()
    assert svg.tag == f"{SVG}svg"
    assert scripts(svg) == []
    assert links(svg) == []


@each_file
def test_motion_ends_within_five_seconds_on_a_still(path):
    svg = ElementTree.parse(path).getroot()
    assert motion_problems(svg) == []
    moves = any(element.tag in ANIMATIONS for element in svg.iter())
    assert moves == (path.stem in ANIMATED)


@each_file
def test_a_diagram_is_legible_on_every_page(path):
    """On a white background, not too wide for a page, in text that is large enough."""
    svg = ElementTree.parse(path).getroot()
    width, height = float(svg.attrib["width"]), float(svg.attrib["height"])
    assert width <= WIDEST
    assert svg.attrib["viewBox"] == f"0 0 {width:g} {height:g}"
    background = svg.find(f"{SVG}rect").attrib
    assert (background["width"], background["fill"]) == (f"{width:g}", "white")
    texts = list(svg.iter(f"{SVG}text"))
    assert texts
    for text in texts:
        assert float(text.attrib["font-size"]) >= SMALLEST, text.text
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


def test_a_good_diagram_has_no_problems():
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
def test_a_bad_diagram_is_refused(old, new):
    assert old in GOOD
    svg = ElementTree.fromstring(GOOD.replace(old, new))
    assert scripts(svg) + links(svg) + motion_problems(svg)


# The notebooks


def markdown() -> str:
    """Join the text of all notebooks."""
    books = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((ROOT / "notebooks").glob("*.ipynb"))
    ]
    return "\n".join(
        "".join(cell["source"])
        for book in books
        for cell in book["cells"]
        if cell["cell_type"] == "markdown"
    )


def embedded(text: str) -> dict[str, str]:
    """Find the diagrams that a text shows, with their alternative texts."""
    images = re.findall(r"!\[([^\]]*)\]\(figures/([^)\s]*)\)", text)
    return {name: alt.strip() for alt, name in images}


def test_every_diagram_is_used_and_described():
    images = embedded(markdown())
    unused = {path.name for path in FOLDER.glob("*.svg")} - set(images)
    assert unused == set(), "no notebook shows these"
    assert [name for name, alt in images.items() if not alt] == []


def test_every_diagram_that_a_notebook_shows_exists():
    for name in re.findall(r"\bfigures/([\w.-]*\w)", markdown()):
        assert (FOLDER / name).is_file(), name


def test_images_are_found_with_their_alternative_texts():
    text = "[![Two\nwords.](figures/a.svg)](figures/a.svg) ![](figures/b.svg)"
    assert embedded(text) == {"a.svg": "Two\nwords.", "b.svg": ""}
