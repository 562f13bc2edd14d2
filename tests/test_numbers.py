"""Test the sources of numbers in prose, the digests of outputs, and planted numbers.

If a test fails after an intended change, its message explains what to do, and
``tests/prose_numbers.py`` explains why.
"""

import ast
import doctest

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

import plant
import prose_numbers
import written_numbers
from execute import digest, sign
from plant import Plant
from prose_numbers import ENTRIES, NOTEBOOKS, Entry, Evidence, page_name


def page_id(path):
    return path.stem


each_page = pytest.mark.parametrize("path", NOTEBOOKS, ids=page_id)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=page_id)


@each_page
def test_every_number_has_a_source(path):
    if found := prose_numbers.problems(path):
        pytest.fail("\n\n".join(found), pytrace=False)


@each_page
def test_tokens_find_every_digit(path):
    source = path.read_text(encoding="utf-8")
    for part in prose_numbers.sections(nbformat.reads(source, as_version=4)):
        for text in part.texts:
            hidden = [m.span() for m in written_numbers.UNSEEN.finditer(text)]
            found = written_numbers.tokens(text, names=True)
            spans = hidden + [(token.start, token.end) for token in found]
            for place, letter in enumerate(text):
                if letter.isdecimal():
                    assert any(a <= place < b for a, b in spans), text[place:][:40]


def test_entries_are_few_and_name_existing_pages():
    entries = prose_numbers.load(ENTRIES.read_text(encoding="utf-8"))
    assert {entry.page for entry in entries} <= set(map(page_name, NOTEBOOKS))
    assert len(entries) < 250


def cells(path):
    return [c for c in prose_numbers.read(path).cells if c.cell_type == "code"]


@each_notebook
def test_captions_are_literals(path):
    """A caption that is passed in a variable would not be checked."""
    for cell in cells(path):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.keyword) and node.arg == "alt":
                assert isinstance(node.value, ast.Constant | ast.JoinedStr)


@each_notebook
def test_digests_match_outputs_that_nbval_skips(path):
    """tests/execute.py explains what this proves, and what it doesn't."""
    for cell in cells(path):
        skipped = "nbval-ignore-output" in cell.metadata.get("tags", [])
        expected = digest(cell) if skipped else None
        assert cell.metadata.get("printed") == expected, f"make execute: {cell.source}"


def test_execute_stores_digests_of_outputs_that_nbval_skips():
    cell = new_code_cell(outputs=[new_output("stream", text="12 ms\n")])
    sign(cell)
    assert "printed" not in cell.metadata
    cell.metadata["tags"] = ["nbval-ignore-output"]
    sign(cell)
    assert cell.metadata["printed"] == digest(cell)
    cell.outputs[0].text = "13 ms\n"
    assert cell.metadata["printed"] != digest(cell)


# Finding and parsing numbers.


@pytest.mark.parametrize("module", [prose_numbers, written_numbers, plant])
def test_doctests(module):
    assert doctest.testmod(module).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chapters 11 and 14, section 7.2.4", ["11", "14", "7.2.4"]),
        ("$18 e_1^2$ and $10^{-8}$ and 10⁻⁸", ["18", "2", "10^{-8}", "10⁻⁸"]),
        ("61,706 numbers, 3e-2, 1, 234", ["61,706", "3e-2", "1", "234"]),
        ("H \N{MINUS SIGN} 1 is \N{MINUS SIGN}1; 28-5", ["1", "1", "28", "5"]),
        ("a kernel of 3, 3, 98 % or 98%", ["3", "3", "98", "98%"]),
        ("[5 · Pad](05_pad.ipynb) <https://arxiv.org/abs/1412.6980>", ["5"]),
        ('<img width="940" alt="by 7"> LeNet-5, float32', ["7"]),
    ],
)
def test_tokens(text, expected):
    assert [token.text for token in written_numbers.tokens(text)] == expected


def test_calculate_rejects_function_calls():
    with pytest.raises(ValueError, match="not plain arithmetic"):
        written_numbers.calculate("len('abc')")


def test_evidence_proves_numbers_and_their_roundings():
    found = Evidence.of("loss 0.0433, 95%, tensor([-1.4]), 61,706 of float32, 1e-8")
    right = ["0.0433", "0.04", "95%", "0.95", "1.4", "1", "61706", "10^{-8}"]
    assert [number for number in right if not found.proves(number)] == []
    wrong = ["0.05", "96%", "32", "433", "61,700", "60,000", "0", "10^{-7}", "7.2.4"]
    assert [number for number in wrong if found.proves(number)] == []
    assert found.proves("62,000", rounded=True)
    assert not found.proves("61,000", rounded=True)


# Checking a page.

PAGE = NOTEBOOKS[0]


def check(*texts, code="steps = 300", printed="loss 0.0433", entries=()):
    """List the problems in the second section of a notebook."""
    output = new_output("stream", text=printed)
    cells = [
        *[new_markdown_cell(text) for text in ("# Title", "## One")],
        new_code_cell("print(777)"),
        new_markdown_cell("## Two"),
        new_code_cell(code, outputs=[output], metadata={"expect": ["steps < 888"]}),
        *[new_markdown_cell(text) for text in texts],
    ]
    source = nbformat.writes(new_notebook(cells=cells))
    return prose_numbers.problems(PAGE, source, [Entry.of(line) for line in entries])


@pytest.mark.parametrize(
    "text",
    [
        "After 300 steps, fewer than 888, the loss is 0.04.",
        "After nine steps of LeNet-5 in float32.",
        "As chapter 3 says, and chapters 4, 6 and 8 to 10.",
        "**2. Taps.** See exercise 5.3, section 7.2.4, and [14 · More](14.ipynb).",
        "A net of 1998.\n\n## References\n\n- LeCun, 1998: 86, 2278.",
        "## Your turn\n\n**9.9** An image of 123 pixels.\n\n## Try next\n\n456",
        "## Recap\n\nThe first section has 777.",
    ],
)
def test_numbers_with_a_source_are_accepted(text):
    assert check(text) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("After 400 steps.", "400"),
        ("The loss is 0.05.", "0.05"),
        ("The first section has 777.", "777"),
        ("As chapter 99 says.", "99"),
        ("A net of 1998.", "1998"),
        ("In chapter 3, 987,654,321 pixels.", "987,654,321"),
    ],
)
def test_numbers_without_a_source_are_reported(text, number):
    [problem] = check(text)
    assert f"Two: {number} has no source" in problem


def test_named_chapter_is_a_source_for_its_sentence():
    assert check("Chapter 11 counts 61,706 weights.") == []
    [problem] = check("Chapter 11 counts weights. There are 61,706.")
    assert "61,706 has no source" in problem


def test_captions_comments_and_formats_are_not_sources():
    code = '"""500"""\nf(x, alt=f"after 600 {n[7]} epochs")  # 800\nf"{x:.9f} or 300"'
    output = "<Figure: after 600 12 epochs>"
    numbers = "300, 500, 600, 7, 800, 9, 12"
    found = "".join(check(numbers, code=code, printed=output))
    assert [n for n in numbers.split(", ") if f": {n} has no source" not in found] == [
        "300"
    ]
    assert len(check(code=code, printed="")) == 1  # the caption's own 600


def test_suggested_entry_solves_the_problem():
    [problem] = check("Some words around\nthe 1,234 and\nmore words.")
    line = problem.splitlines()[-1].strip()
    assert line == "01 :: around the 1,234 and more :: REASON"
    with pytest.raises(ValueError, match=r"page :: words :: reason"):
        Entry.of(line)
    line = line.replace("REASON", "counted by hand")
    assert check("Some words around\nthe 1,234 and\nmore words.", entries=[line]) == []
    [_, stale] = check("Some words around\nthe 1,235 and\nmore words.", entries=[line])
    assert "delete this line" in stale
    assert line in stale


def test_unneeded_entry_is_reported():
    [problem] = check("After 300 steps.", entries=["01 :: After 300 :: by hand"])
    assert "delete this line" in problem


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("= 28 - 5 + 1: rows", True),
        ("= 28 - 5: rows", False),
        ("= 28 -: rows", False),
        ("= 1 / 0: rows", False),
        ("file LICENSE: the year", False),
        ("chapter 999: the rows", False),
        ("counted by hand", True),
    ],
)
def test_source_of_an_entry_is_checked(reason, expected):
    assert Entry.of(f"01 :: 24 rows :: {reason}").proves("24") is expected


def test_source_of_an_entry_may_be_a_chapter_or_a_file():
    assert Entry.of("12 :: x :: chapter 11: weights").proves("61,706")
    assert Entry.of("index :: x :: file pyproject.toml: Python").proves("3.11")


# Planting.


def test_seed_reproduces_plants():
    assert plant.make_plants(3, 8, 8) == plant.make_plants(3, 8, 8)
    assert plant.make_plants(3, 8, 8) != plant.make_plants(4, 8, 8)
    sizes = [plant.size_of(wrong.place) for wrong in plant.make_plants(0, 0, 20)]
    assert sizes == [size for size in plant.SIZES for _ in range(5)]
    kinds = [wrong.kind for wrong in plant.make_plants(0, 20, 0)]
    assert (kinds.count("output"), kinds.count("tagged")) == (4, 4)
    assert set(kinds) <= set(plant.RUN)


def test_plant_changes_one_digit():
    for wrong in plant.make_plants(5, 10, 12):
        text = plant.text_of(wrong.place)
        pairs = zip(text, plant.with_plant(text, wrong), strict=True)
        [(old, new)] = [(a, b) for a, b in pairs if a != b]
        assert old.isdecimal()
        assert new.isdecimal()


def test_planted_page_differs_in_one_character():
    for wrong in plant.make_plants(6, 5, 8):
        page = wrong.place.page
        before, after = plant.with_plants(page, []), plant.with_plants(page, [wrong])
        assert len(before) == len(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_captions_are_found_in_code():
    code = 'é = show("µ 5", alt=f"after 300 "\n    "epochs {x:.2f}")'
    [part] = plant.captions(code)
    assert code[part.start : part.stop] == 'f"after 300 "\n    "epochs {x:.2f}"'
    text = plant.only_captions(code)
    assert len(text) == len(code)
    assert [token.text for token in written_numbers.tokens(text)] == ["300"]


@pytest.fixture
def page(tmp_path):
    """Write a notebook with a cell whose tolerance is one percentage point."""
    cell = new_code_cell(
        outputs=[new_output("stream", text="accuracy 97.4%, epoch 3\n")],
        metadata={"tolerance": {"absolute": 1}},
    )
    path = tmp_path / "page.ipynb"
    nbformat.write(new_notebook(cells=[new_markdown_cell("## 170"), cell]), path)
    return path


def test_plants_within_and_outside_a_tolerance(page):
    heading, accuracy, epoch = plant.places(page)
    assert [place.kind for place in (heading, accuracy)] == ["prose", "tolerance"]
    within = {wrong.new for wrong in plant.possible("within", accuracy)}
    assert within == {f"97.{digit}%" for digit in "012356789"}
    outside = {wrong.new for wrong in plant.possible("outside", accuracy)}
    assert {"94.4%", "17.4%"} <= outside
    assert not outside & {"96.4%", "98.4%"}
    assert plant.possible("within", epoch) == []
    assert len(plant.possible("outside", epoch)) == 9


def test_only_results_of_experiments_are_planted(tmp_path):
    file = tmp_path / "small.json"
    file.write_text('{"seeds": [0, 1],\n "results": {"3 layers": [0.5, 12]}}')
    found = [plant.text_of(p)[p.start : p.end] for p in plant.places(file)]
    assert found == ["0.5", "12"]


def test_each_page_has_one_plant_per_round():
    plants = plant.make_plants(0, 5, 20)
    parts = list(plant.rounds(plants, "page"))
    assert sum(map(len, parts)) == len(plants)
    assert {wrong for part in parts for wrong in part} == set(plants)
    for part in parts:
        pages = [wrong.place.page for wrong in part]
        assert len(set(pages)) == len(pages)


def test_prose_numbers_finds_plants():
    plants = [p for p in plant.make_plants(0, 0, 40) if plant.size_of(p.place) > "3"]
    assert len(plants) == 20
    assert len(plant.try_reading(plants)) >= 14


@pytest.mark.parametrize(
    ("kind", "found", "succeeds"),
    [
        ("output", 1, True),
        ("output", 0, False),
        ("within", 0, True),
        ("within", 1, False),
        ("prose", 15, True),
        ("prose", 14, False),
    ],
)
def test_report_fails_on_unexpected_results(page, capsys, kind, found, succeeds):
    place = plant.places(page)[0]
    count = 20 if kind == "prose" else 1
    plants = [Plant(kind, place, "170", str(number)) for number in range(count)]
    assert plant.report(plants, dict.fromkeys(plants[:found], "a test")) is succeeds
    expectation = "should pass" if kind == "within" else "should be found"
    assert expectation in capsys.readouterr().out


def test_environment_is_read_from_the_makefile():
    assert (
        plant.makefile_environment().items()
        >= {"OMP_NUM_THREADS": "1", "CONV_PROGRESS": "off"}.items()
    )
