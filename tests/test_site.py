"""Test the preparation of the website's sources, without running Sphinx."""

import base64
import html
import json
import re
import sys
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
import yaml

import conv
import conv.exercises
import conv.widgets
from load import load

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
IMAGE = base64.b64encode(b"an image").decode()
BUFFER = base64.b64encode(b"\x00\x01").decode()
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


pages = load("docs/widgets_on_pages.py")
wait_for_socket = load("docs/wait_for_socket.py")
LATE_SERVER = """
import socket, sys, time
server = socket.socket(socket.AF_UNIX)
time.sleep(0.3)
server.bind(sys.argv[1])
time.sleep(0.3)
server.listen()
server.accept()[0].sendall(b"here")
"""


def code(*outputs):
    return {"cell_type": "code", "metadata": {}, "source": "", "outputs": list(outputs)}


def figure(**data):
    alt = 'A "static" image'
    return {
        "output_type": "display_data",
        "data": {"image/png": IMAGE, "text/plain": "In <words>."} | data,
        "metadata": {"image/png": {"alt": alt, "width": 940, "height": 300}},
    }


def view(model_id="m"):
    return figure(**{pages.VIEW: {"model_id": model_id, "version_major": 2}})


def page_of(*cells):
    state = {
        "module": "sliding_window",
        "stride": 2,
        "says": "</script><b>",
        "_esm": "export default {}",
    }
    buffers = [{"encoding": "base64", "path": ["weights"], "data": BUFFER}]
    widgets = {pages.STATE: {"state": {"m": {"state": state, "buffers": buffers}}}}
    notebook = {"cells": list(cells), "metadata": {"widgets": widgets}}
    return json.loads(pages.page_source(json.dumps(notebook)))


def html_of(page):
    [output] = page["cells"][0]["outputs"]
    return output["data"]["text/html"]


def test_widget_is_converted_to_static_image_and_traits():
    page = page_of(code(view()))
    html = html_of(page)
    assert page["cells"][0]["outputs"][0]["data"].keys() == {"text/html"}
    assert "widgets" not in page["metadata"]
    assert html.startswith('<div class="conv-mount" data-module="sliding_window">')
    assert 'alt="A &quot;static&quot; image" width="940" height="300"' in html
    assert f'src="data:image/png;base64,{IMAGE}"' in html


def test_trait_cannot_close_the_script_element():
    html = html_of(page_of(code(view())))
    [data] = re.findall(r'<script type="application/json">(.*?)</script>', html)
    traits = {"module": "sliding_window", "stride": 2, "says": "</script><b>"}
    assert json.loads(data) == {"traits": traits, "buffers": {"weights": BUFFER}}
    assert html.count("</script>") == 1


def test_widget_without_an_image_shows_its_text():
    output = view()
    del output["data"]["image/png"]
    assert "<p>In &lt;words&gt;.</p>" in html_of(page_of(code(output)))


def test_widget_without_a_stored_state_stays_an_image():
    [output] = page_of(code(view("lost")))["cells"][0]["outputs"]
    assert output["data"]["image/png"] == IMAGE


def test_figure_keeps_alternative_text_and_width():
    cell = page_of(code(figure()))["cells"][0]
    assert cell["metadata"]["mystnb"]["image"] == {
        "alt": 'A "static" image',
        "width": "940px",
    }


def test_links_into_docs_are_adapted():
    source = ["See [teachers](../docs/teaching.md)", " and [two](02_x.ipynb)."]
    cell = {"cell_type": "markdown", "metadata": {}, "source": source}
    text = page_of(cell)["cells"][0]["source"]
    assert text == "See [teachers](../teaching.md) and [two](02_x.ipynb)."


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_widgets_have_a_state_and_a_module(path):
    source = path.read_text(encoding="utf-8")
    views = source.count(f'"{pages.VIEW}"')
    page = pages.page_source(source)
    modules = re.findall(r'class=\\"conv-mount\\" data-module=\\"(\w+)\\"', page)
    assert len(modules) == views
    for module in modules:
        assert (ROOT / "src" / "conv" / "widgets" / f"{module}.js").exists(), module


def test_cells_show_at_most_one_figure():
    for path in CHAPTERS:  # MyST-NB keeps one alternative text per cell
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            outputs = cell.get("outputs", [])
            images = [o for o in outputs if "image/png" in o.get("data", {})]
            assert len(images) <= 1, path.name


def test_landing_page_lists_every_chapter():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^notebooks/(\w+)$", text, flags=re.M)
    assert listed == [*(path.stem for path in CHAPTERS), "glossary"]


def test_landing_page_includes_the_chapters_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for option in ("start-after", "end-before"):
        [mark] = re.findall(rf'^:{option}: "(.*)"$', index, flags=re.M)
        assert readme.count(mark) == 1


def test_report_link_fills_in_the_issue_form():
    title = {"cell_type": "markdown", "metadata": {}, "source": "# 5 · Pad\n\nText"}
    cell = code(figure()) | {"source": "a < 1\n" * 9}
    source = json.dumps({"cells": [title, cell], "metadata": {}})
    [_, shown] = json.loads(pages.page_source(source, "owner/name"))["cells"]
    link = shown["outputs"][-1]["data"]["text/html"]
    [url] = re.findall(r'href="([^"]*)"', link)
    address, _, query = html.unescape(url).partition("?")
    assert address == "https://github.com/owner/name/issues/new"
    fields = dict(parse_qsl(query))
    form = ROOT / ".github" / "ISSUE_TEMPLATE" / fields.pop("template")
    body = yaml.safe_load(form.read_text(encoding="utf-8"))["body"]
    assert fields == {
        "title": "Mistake in 5 · Pad",
        "chapter": "5 · Pad",
        "cell": "\n".join(["a < 1"] * 5),
    }
    assert fields.keys() - {"title"} <= {field["id"] for field in body}


def test_there_is_no_report_link_without_a_repository():
    [cell] = page_of(code(figure()))["cells"]
    assert len(cell["outputs"]) == 1


def documented() -> list[str]:
    names = []
    for path in sorted((DOCS / "api").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        module = "".join(re.findall(r"^\.\. currentmodule:: ([\w.]+)$", text, re.M))
        kinds = r"^\.\. (?:auto\w+|py:data):: ([\w.]+)"
        names += [f"{module}.{name}" for name in re.findall(kinds, text, re.M)]
    return names


def test_every_public_name_is_documented_once():
    packages = (conv, conv.exercises, conv.widgets)
    public = [f"{p.__name__}.{name}" for p in packages for name in p.__all__]
    assert sorted(documented()) == sorted(public)


def test_fonts_of_formulas_exist():
    folder = DOCS / "_static" / "katex"
    style = (folder / "katex.min.css").read_text(encoding="utf-8")
    fonts = re.findall(r"url\(([^)]+)\)", style)
    assert len(fonts) == 20
    for font in fonts:
        assert (folder / font).exists(), font


def test_start_waits_until_the_process_listens(tmp_path):
    path = tmp_path / "late.sock"
    command = [sys.executable, "-c", LATE_SERVER, str(path)]
    process, connection = wait_for_socket.start(command, path, timeout=60)
    with process, connection, connection.makefile() as lines:
        assert lines.read() == "here"


def test_start_gives_up_after_the_timeout(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(
        TimeoutError, match=r"no process listens on .*none\.sock after 0.2"
    ):
        wait_for_socket.start(command, tmp_path / "none.sock", timeout=0.2)
