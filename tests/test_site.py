"""The web site's sources: what Sphinx is told, tried without Sphinx."""

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
STILL = base64.b64encode(b"a picture").decode()
BYTES = base64.b64encode(b"\x00\x01").decode()
CHAPTERS = sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))


pages = load("docs/widgets_on_pages.py")
wait_for_socket = load("docs/wait_for_socket.py")
LATE = """
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
    alt = 'A "still" picture'
    return {
        "output_type": "display_data",
        "data": {"image/png": STILL, "text/plain": "In <words>."} | data,
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
    buffers = [{"encoding": "base64", "path": ["weights"], "data": BYTES}]
    widgets = {pages.STATE: {"state": {"m": {"state": state, "buffers": buffers}}}}
    notebook = {"cells": list(cells), "metadata": {"widgets": widgets}}
    return json.loads(pages.page_source(json.dumps(notebook)))


def html_of(page):
    [output] = page["cells"][0]["outputs"]
    return output["data"]["text/html"]


def test_a_widget_becomes_its_still_picture_and_its_traits():
    page = page_of(code(view()))
    html = html_of(page)
    assert page["cells"][0]["outputs"][0]["data"].keys() == {"text/html"}
    assert "widgets" not in page["metadata"]
    assert html.startswith('<div class="conv-mount" data-module="sliding_window">')
    assert 'alt="A &quot;still&quot; picture" width="940" height="300"' in html
    assert f'src="data:image/png;base64,{STILL}"' in html


def test_a_trait_cannot_end_the_script_that_carries_it():
    html = html_of(page_of(code(view())))
    [kept] = re.findall(r'<script type="application/json">(.*?)</script>', html)
    traits = {"module": "sliding_window", "stride": 2, "says": "</script><b>"}
    assert json.loads(kept) == {"traits": traits, "buffers": {"weights": BYTES}}
    assert html.count("</script>") == 1


def test_a_widget_without_a_picture_shows_its_words():
    output = view()
    del output["data"]["image/png"]
    assert "<p>In &lt;words&gt;.</p>" in html_of(page_of(code(output)))


def test_a_widget_whose_state_was_not_stored_stays_a_picture():
    [output] = page_of(code(view("lost")))["cells"][0]["outputs"]
    assert output["data"]["image/png"] == STILL


def test_a_figure_keeps_its_words_and_its_width():
    cell = page_of(code(figure()))["cells"][0]
    assert cell["metadata"]["mystnb"]["image"] == {
        "alt": 'A "still" picture',
        "width": "940px",
    }


def test_a_link_into_docs_leads_to_the_page():
    source = ["See [teachers](../docs/teaching.md)", " and [two](02_x.ipynb)."]
    cell = {"cell_type": "markdown", "metadata": {}, "source": source}
    text = page_of(cell)["cells"][0]["source"]
    assert text == "See [teachers](../teaching.md) and [two](02_x.ipynb)."


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_every_widget_of_a_chapter_has_its_state_and_its_module(path):
    source = path.read_text(encoding="utf-8")
    views = source.count(f'"{pages.VIEW}"')
    page = pages.page_source(source)
    modules = re.findall(r'class=\\"conv-mount\\" data-module=\\"(\w+)\\"', page)
    assert len(modules) == views
    for module in modules:
        assert (ROOT / "src" / "conv" / "widgets" / f"{module}.js").exists(), module


def test_no_cell_shows_two_figures():
    for path in CHAPTERS:  # MyST-NB keeps one alternative text a cell
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            outputs = cell.get("outputs", [])
            pictures = [o for o in outputs if "image/png" in o.get("data", {})]
            assert len(pictures) <= 1, path.name


def test_the_landing_page_lists_every_chapter():
    text = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = re.findall(r"^notebooks/(\w+)$", text, flags=re.M)
    assert listed == [*(path.stem for path in CHAPTERS), "glossary"]


def test_the_landing_page_shares_the_readmes_chapters():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for option in ("start-after", "end-before"):
        [mark] = re.findall(rf'^:{option}: "(.*)"$', index, flags=re.M)
        assert readme.count(mark) == 1


def test_below_a_cell_is_a_link_that_fills_in_the_form_for_mistakes():
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


def test_without_a_repository_there_is_no_link_to_it():
    [cell] = page_of(code(figure()))["cells"]
    assert len(cell["outputs"]) == 1


def described() -> list[str]:
    names = []
    for path in sorted((DOCS / "api").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        module = "".join(re.findall(r"^\.\. currentmodule:: ([\w.]+)$", text, re.M))
        kinds = r"^\.\. (?:auto\w+|py:data):: ([\w.]+)"
        names += [f"{module}.{name}" for name in re.findall(kinds, text, re.M)]
    return names


def test_every_public_name_is_described_once():
    packages = (conv, conv.exercises, conv.widgets)
    public = [f"{p.__name__}.{name}" for p in packages for name in p.__all__]
    assert sorted(described()) == sorted(public)


def test_formulas_have_their_own_fonts():
    folder = DOCS / "_static" / "katex"
    style = (folder / "katex.min.css").read_text(encoding="utf-8")
    fonts = re.findall(r"url\(([^)]+)\)", style)
    assert len(fonts) == 20
    for font in fonts:
        assert (folder / font).exists(), font


def test_formulas_wait_until_their_process_listens(tmp_path):
    path = tmp_path / "late.sock"
    command = [sys.executable, "-c", LATE, str(path)]
    process, connection = wait_for_socket.start(command, path, timeout=60)
    with process, connection, connection.makefile() as lines:
        assert lines.read() == "here"


def test_formulas_do_not_wait_for_ever(tmp_path):
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with pytest.raises(TimeoutError, match=r"nobody listens on .*none\.sock after 0.2"):
        wait_for_socket.start(command, tmp_path / "none.sock", timeout=0.2)
