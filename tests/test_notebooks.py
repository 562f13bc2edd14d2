"""Test the structure of each notebook, which nbval doesn't check."""

import ast
import html
import inspect
import itertools
import os
import re
from pathlib import Path

import nbformat
import pytest
from ipykernel.ipkernel import IPythonKernel

import conv.functional
import conv.layers
import conv.models
import conv.training
import conv.vision
from conv.widgets.base import CSS, STATIC_NOTE, bundle
from execute import WIDGETS, join_streams, name_widgets
from node import FOLDER
from tolerance import NUMBER, Tolerance

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHAPTERS = [path for path in NOTEBOOKS if path.name[0].isdigit()]
VIEW = "application/vnd.jupyter.widget-view+json"
LONGEST_CELL = 15  # lines
LONGEST_COLLAPSED_CELL = 20
FRAME = ["**You will**", "**You will learn**", "**You need**", "**Predict"]
SECTIONS = ["## Your turn", "## Try next", "## Further reading"]

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell: nbformat.NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def texts(cell: nbformat.NotebookNode) -> list[str]:
    """List all texts in a cell's outputs, without images in base64."""
    streams = [output.text for output in cell.outputs if "text" in output]
    data = [output.data for output in cell.outputs if "data" in output]
    return streams + [
        text
        for bundle in data
        for kind, text in bundle.items()
        if kind.startswith("text/")
    ]


def printed(path: Path) -> list[str]:
    """List all texts in a notebook's outputs."""
    return [text for cell in code_cells(path) for text in texts(cell)]


def prose(path: Path) -> str:
    cells = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    return "\n\n".join(cells)


def test_there_are_chapters():
    assert [path.name[:2] for path in CHAPTERS] == [
        f"{n:02}" for n in range(1, len(CHAPTERS) + 1)
    ]
    assert len(CHAPTERS) >= 4


@each_notebook
def test_format_and_kernel_are_valid(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    expected = dict(IPythonKernel.language_info)
    expected.pop("version", None)
    assert notebook.metadata.language_info == expected
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)


@each_notebook
def test_cells_were_run_from_top_to_bottom(path):
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


@each_notebook
def test_outputs_have_no_errors(path):
    for cell in code_cells(path):
        kinds = {output.output_type for output in cell.outputs}
        assert "error" not in kinds or "raises-exception" in tags(cell), cell.source
        assert "stderr" not in {output.get("name") for output in cell.outputs}


@each_notebook
def test_outputs_have_no_paths_and_no_user_names(path):
    private = ["/home/", "/Users/", "/root/", "/tmp/", "site-packages", str(ROOT)]
    private += [str(Path.home()), os.environ.get("USER") or "/home/"]
    for text in printed(path):
        assert not [word for word in private if word in text], text


@each_notebook
def test_outputs_have_no_negative_zero(path):
    """The sign of a number that rounds to zero depends on the order of summation."""
    for text in printed(path):
        assert not re.search(r"-0\.?0*(?![\d.])", text), text


@each_notebook
def test_compared_outputs_do_not_depend_on_the_device(path):
    for cell in code_cells(path):
        if "nbval-ignore-output" not in tags(cell):
            for text in texts(cell):
                assert not re.search(r"\bcuda\b|\bmps\b|device=", text), cell.source


@each_notebook
def test_cells_are_short(path):
    for cell in code_cells(path):
        lines = len(cell.source.splitlines())
        collapsed = "hide-input" in tags(cell)
        longest = LONGEST_COLLAPSED_CELL if collapsed else LONGEST_CELL
        assert lines <= longest or "save" in tags(cell), cell.source


@each_notebook
def test_cells_are_collapsed_in_all_viewers_or_none(path):
    for cell in code_cells(path):
        hidden = cell.metadata.get("jupyter", {}).get("source_hidden", False)
        assert hidden == ("hide-input" in tags(cell)), cell.source


@each_notebook
def test_outputs_that_are_not_compared_have_a_reason_and_a_check(path):
    for cell in code_cells(path):
        assert not {"nbval-skip", "skip-execution"} & set(tags(cell)), cell.source
        assert "NBVAL" not in cell.source, "use a cell tag instead"
        if "nbval-ignore-output" in tags(cell):
            assert len(cell.metadata.get("reason", "").split()) > 2, cell.source
            assert "expect" in cell.metadata or "assert_" in cell.source, cell.source
            assert any(texts(cell)), f"no text that would be compared: {cell.source}"


@each_notebook
def test_expectations_are_expressions(path):
    for cell in code_cells(path):
        for line in cell.metadata.get("expect", []):
            assert isinstance(ast.parse(line, mode="eval").body, ast.expr)


@each_notebook
def test_tolerances_are_valid_and_needed(path):
    for cell in code_cells(path):
        if "tolerance" in cell.metadata:
            Tolerance(**cell.metadata.tolerance)
            assert "nbval-ignore-output" not in tags(cell), cell.source
            assert any(map(NUMBER.search, texts(cell))), "no number needs a tolerance"


@each_notebook
def test_code_does_not_depend_on_the_machine(path):
    for cell in code_cells(path):
        code = cell.source
        assert "sys.path" not in code
        assert not re.search(r"\.cuda\(|[\"']cuda|[\"']mps", code), code


@each_notebook
def test_figures_have_alternative_texts(path):
    """It is in the metadata, as plain text and, for JupyterLab, below the figure."""
    for cell in code_cells(path):
        for place, output in enumerate(cell.outputs):
            if "image/png" in output.get("data", {}):
                alt = output.metadata["image/png"]["alt"]
                assert len(alt) > 20, cell.source
                if VIEW in output.data:
                    assert alt == f"{output.data['text/plain']} {STATIC_NOTE}"
                    continue
                assert output.data["text/plain"] == f"<Figure: {alt}>"
                words = cell.outputs[place + 1].data
                assert words["text/plain"] == alt
                summary = "<details><summary>In words</summary>"
                assert words["text/html"] == f"{summary}{html.escape(alt)}</details>"


@each_notebook
def test_output_types_are_compared_by_nbval(path):
    """Other kinds of text and other metadata would not be compared."""
    for cell in code_cells(path):
        for output in cell.outputs:
            kinds = {"text/plain", "text/html", "image/png", VIEW}
            assert set(output.get("data", {})) <= kinds, cell.source
            assert set(output.get("metadata", {})) <= {"image/png"}, cell.source


@each_notebook
def test_stored_widgets_are_up_to_date(path):
    """The notebook stores each widget's state with the current code in src/conv."""
    states = read(path).metadata.get("widgets", {}).get(WIDGETS, {}).get("state", {})
    shown = [
        output.data[VIEW]["model_id"]
        for cell in code_cells(path)
        for output in cell.outputs
        if VIEW in output.get("data", {})
    ]
    widgets = {n: s["state"] for n, s in states.items() if "_esm" in s["state"]}
    assert shown == list(widgets)
    for state in widgets.values():
        assert state["_esm"] == bundle(state["module"]), "run `make execute`"
        assert state["_css"] == CSS, "run `make execute`"


def test_every_widget_is_in_a_chapter():
    text = "".join(path.read_text(encoding="utf-8") for path in CHAPTERS)
    modules = {file.stem for file in FOLDER.glob("*.js")} - {"arithmetic", "kit"}
    assert set(re.findall(r'"module": "(\w+)"', text)) == modules


def test_execute_gives_widgets_stable_ids():
    state = {"abc123": {"state": {}}, "def456": {"state": {}}}
    output = nbformat.v4.new_output("display_data", {VIEW: {"model_id": "def456"}})
    cell = nbformat.v4.new_code_cell(outputs=[output])
    widgets = {WIDGETS: {"state": state}}
    notebook = nbformat.v4.new_notebook(cells=[cell], metadata={"widgets": widgets})
    named = name_widgets(notebook, "01")
    names = list(named.metadata.widgets[WIDGETS].state)
    assert named.cells[0].outputs[0].data[VIEW].model_id == names[1]
    assert "abc123" not in str(named)
    assert name_widgets(notebook, "01") == named != name_widgets(notebook, "02")


@each_notebook
def test_links_are_valid(path):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(path))
    for link in links:
        if not link.startswith("https://"):
            target, _, _ = link.partition("#")
            assert (path.parent / target).is_file(), link
    assert "http://" not in prose(path)


@each_chapter
def test_chapter_has_all_required_parts(path):
    text = prose(path)
    number = int(path.name[:2])
    assert text.startswith(f"# {number} · ")
    assert [part for part in FRAME if part not in text] == []
    positions = [text.find(f"\n{section}\n") for section in SECTIONS]
    assert -1 not in positions
    assert positions == sorted(positions)
    assert text.count(f"**{number}.") >= 3, "fewer than three exercises"


@each_chapter
def test_first_code_cell_sets_seed_and_device(path):
    first = code_cells(path)[0].source
    assert "conv.seed_everything(" in first
    assert "device = conv.default_device()" in first


@each_chapter
def test_chapter_has_at_least_two_figures(path):
    figures = [
        output
        for cell in code_cells(path)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(figures) >= 2


def without_docstrings(source: str) -> str:
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            del node.body[0]
    return ast.dump(tree)


def saved_cells() -> list:
    """Return the code and the name of each definition that a module also contains."""
    found = []
    for path in NOTEBOOKS:
        for cell in code_cells(path):
            if "save" in tags(cell):
                name = re.search(r"^(?:def|class) (\w+)", cell.source, re.M)[1]
                found.append(pytest.param(cell.source, name, id=f"{path.stem}-{name}"))
    return found


@pytest.mark.parametrize(("source", "name"), saved_cells())
def test_saved_cells_match_the_package(source, name):
    modules = conv.functional, conv.layers, conv.models, conv.training, conv.vision
    [owner] = [
        module
        for module in modules
        if hasattr(module, name) and getattr(module, name).__module__ == module.__name__
    ]
    stored = inspect.getsource(getattr(owner, name))
    assert without_docstrings(source) == without_docstrings(stored)


def test_chapters_1_and_2_show_the_code_of_the_package():
    assert {case.values[1] for case in saved_cells()} >= {"corr2d", "Conv2D"}


def test_losses_in_chapters_4_and_9_are_equal():
    """Descent by hand prints the same losses as autograd, to the last digit."""
    four, nine = (
        re.findall(r"epoch +\d+, loss \S+", "".join(printed(CHAPTERS[n - 1])))
        for n in (4, 9)
    )
    assert len(four) == 5
    assert nine == four


def test_readme_and_index_list_the_same_chapters():
    readme = (ROOT / "README.md").read_text()
    chapters = readme.partition("## Chapters\n")[2].partition("Every chapter ends")[0]
    chapters = chapters.replace("](notebooks/", "](")
    assert chapters in prose(ROOT / "notebooks" / "index.ipynb")
    listed = re.findall(r"\| \[.*\]\((\d\d_\w+\.ipynb)\)", chapters)
    assert listed == [chapter.name for chapter in CHAPTERS]


def test_execute_joins_streams():
    pieces = [("stdout", "a\n"), ("stdout", "b\n"), ("stderr", "c\n")]
    cell = nbformat.v4.new_code_cell()
    cell.outputs = [
        nbformat.v4.new_output("stream", name=name, text=text) for name, text in pieces
    ]
    join_streams(cell)
    assert [output.text for output in cell.outputs] == ["a\nb\n", "c\n"]


@each_notebook
def test_streams_are_joined(path):
    for cell in code_cells(path):
        names = [output.get("name") for output in cell.outputs]
        pairs = itertools.pairwise(names)
        assert not any(a == b for a, b in pairs if a is not None), cell.source
