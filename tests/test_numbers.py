"""Each number in prose and captions has a source; outputs nbval skips are as executed.

When a test here fails after a change that you want, see ``tests/ledger.py``.
"""

import ast
import doctest
import random
import re

import nbformat
import pytest

import ledger
import plant
from execute import digest, sign
from ledger import NOTEBOOKS, PAGES, Entry, Passage

each_page = pytest.mark.parametrize("path", NOTEBOOKS + PAGES, ids=ledger.page_id)
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=ledger.page_id)
HERE = NOTEBOOKS[0]  # where a source is a sum, any page will do


@each_page
def test_every_number_has_its_source(path):
    command = f"{path.relative_to(ledger.ROOT)}: python tests/ledger.py"
    assert "\n".join(ledger.problems(path)) == "", command


@each_page
def test_no_digit_is_missed(path):
    for passage in ledger.passages(path):
        hidden = [range(*m.span()) for m in ledger.UNSEEN.finditer(passage.text)]
        parts = [range(t.start, t.end) for t in ledger.tokens(passage.text)] + hidden
        for place, letter in enumerate(passage.text):
            if letter.isnumeric():
                assert any(place in part for part in parts), passage.text[place:][:40]


@each_notebook
def test_captions_are_written_where_the_ledger_finds_them(path):
    """A caption that came through a variable would not be in the ledger."""
    for cell in ledger.cells(ledger.page_name(path)).values():
        if cell.cell_type == "code":
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.keyword) and node.arg == "alt":
                    assert isinstance(node.value, ast.Constant | ast.JoinedStr)


def test_every_ledger_has_its_page():
    files = [ledger.ledger_file(path) for path in NOTEBOOKS + PAGES]
    assert sorted(ledger.FOLDER.iterdir()) == sorted(files)


@each_notebook
def test_outputs_that_nbval_skips_are_as_executed(path):
    """tests/execute.py says what this proves, and what it doesn't."""
    for cell in ledger.cells(ledger.page_name(path)).values():
        skipped = "nbval-ignore-output" in cell.metadata.get("tags", [])
        expected = digest(cell) if skipped else None
        assert cell.metadata.get("printed") == expected, f"make execute: {cell.source}"


def test_the_ledgers_examples():
    assert doctest.testmod(ledger).failed == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chapters 11 and 14, section 7.2.4", ["11", "14", "7.2.4"]),
        ("$18 e_1^2$ and $10^{-8}$", ["18", "e_1", "2", "10^{-8}"]),
        ("61,706 numbers, 3e-2, 1, 234", ["61,706", "3e-2", "1", "234"]),
        ("H \N{MINUS SIGN} 1 is \N{MINUS SIGN}1; 28-5", ["1", "-1", "28", "5"]),
        ("a kernel of 3, 3, 98 % or 98%", ["3", "3", "98", "98%"]),
        ("[5 · Pad](05_pad.ipynb) <https://arxiv.org/abs/1412.6980>", ["5"]),
        ('<img width="940" alt="by 7">', ["7"]),
    ],
)
def test_finds_numbers(text, expected):
    assert [token.text for token in ledger.tokens(text)] == expected


@pytest.mark.parametrize(
    ("token", "source", "answer"),
    [
        ("24", "= 28 - 5 + 1", True),
        ("25", "= 28 - 5 + 1", False),
        ("0.64", "= 0.8 ** 2", True),
        ("1,100", "=~ 1086", True),
        ("1,100", "= 1086", False),
        ("33%", "= 1 / 3", True),
        ("10^{-2}", "= 1 / 100", True),
        ("10^{-2}", "= 1 / 99", False),
        ("3e-2", "= 0.034", True),
        ("3e-2", "= 0.036", False),
        ("4", "name", True),
        ("4", "? name", False),
        ("4", "", False),
        ("4", "= 2 +", False),
        ("4", "= 4 / 0", False),
        ("4", "file nowhere", False),
        ("4", "out nowhere", False),
        ("4", "cite https://nowhere.example", False),
        ("3.11", "file pyproject.toml", True),
    ],
)
def test_a_source_holds_or_not(token, source, answer):
    assert ledger.holds(token, source, HERE) is answer


def test_calculates_plain_numbers_only():
    with pytest.raises(ValueError, match="not plain arithmetic"):
        ledger.calculate("len('abc')")


def test_a_number_in_an_output_is_whole():
    found = ledger.Evidence.of("loss 0.0433, 95%, tensor([-1.4]), 1,086 of float32")
    assert all(map(found.has, ["0.0433", "0.95", "95", "-1.4", "1.4", "1086"]))
    assert not any(map(found.has, ["0.04", "433", "5", "108", "32", "float64"]))
    assert all(map(found.rounds_to, ["0.04", "1,100", "1"]))
    assert not any(map(found.rounds_to, ["0.05", "1,200"]))


def test_captions_and_comments_prove_nothing():
    code = 'f(-7, x, alt="after 300 "\n  "epochs")  # 400'
    found = ledger.Evidence.of(ledger.code_words(code + '\nf"{x:.2f} of 9"'))
    assert found.values == {-7, 7, 9}
    output = nbformat.v4.new_output("stream", text="after 300 epochs")
    cell = nbformat.v4.new_code_cell(code, outputs=[output])
    assert ledger.computed(cell) == ""
    cell.source = "f(7)  # 400"
    assert ledger.computed(cell) == "after 300 epochs"


def test_names_a_number_that_moved():
    passage = Passage("919d2647", "Chapter 3 has 9 weights.")
    entries = [Entry("3", "name"), Entry("8", "= 3 * 3")]
    [problem] = ledger.passage_problems(passage, entries, HERE)
    assert "['8']" in problem
    assert "has «9» weights" in problem


def test_an_update_keeps_what_holds():
    key = ledger.passages(HERE)[0].key
    passage = Passage(key, "Chapter 3 has 9 weights, 987654321 in all.")
    entries = [Entry("3", "name"), Entry("9", "= 3 * 4")]
    _, *lines = ledger.updated(passage, entries, HERE)
    sources = [re.split(r"\s{2,}", line.partition(" | ")[0].strip()) for line in lines]
    assert sources == [["3", "name"], ["9", "? = 3 * 4"], ["987654321 ?"]]


def test_a_renamed_section_keeps_its_sources(monkeypatch):
    page = ledger.ROOT / "README.md"
    ours, lost = [Entry("3", "name")], [Entry("4", "= 2 + 2")]
    old = {ledger.passages(page)[0].key: ours, "Begin": lost}
    monkeypatch.setattr(ledger, "load", lambda path: old)
    assert ledger.old_entries(ledger.passages(page)[0].key, page) == ours
    assert ledger.old_entries("Start", page) == lost


def test_executing_signs_what_nbval_skips():
    output = nbformat.v4.new_output("stream", text="12 ms\n")
    cell = nbformat.v4.new_code_cell(outputs=[output])
    sign(cell)
    assert "printed" not in cell.metadata
    cell.metadata["tags"] = ["nbval-ignore-output"]
    sign(cell)
    assert cell.metadata["printed"] == digest(cell)
    cell.outputs[0].text = "13 ms\n"
    assert cell.metadata["printed"] != digest(cell)


def test_the_same_seed_plants_the_same_numbers():
    assert plant.make_plants(3, 8) == plant.make_plants(3, 8)
    assert plant.make_plants(3, 8) != plant.make_plants(4, 8)
    kinds = [wrong.place.kind for wrong in plant.make_plants(0, 20)]
    assert {kind: kinds.count(kind) for kind in plant.KINDS} == dict.fromkeys(
        plant.KINDS, 5
    )


def test_a_plant_changes_one_digit():
    for wrong in plant.make_plants(5, 12):
        text = plant.text_of(wrong.place)
        pairs = zip(text, plant.planted(text, wrong), strict=True)
        [(old, new)] = [(a, b) for a, b in pairs if a != b]
        assert old.isdecimal()
        assert new.isdecimal()


def test_changes_any_digit_of_a_number():
    rng = random.Random(0)
    changed = {plant.change("1.5", rng) for _ in range(500)}
    assert len(changed) == 18
    assert "1.5" not in changed


def test_a_planted_page_differs_in_that_number():
    for wrong in plant.make_plants(6, 8):
        page = wrong.place.page
        before, after = plant.with_plants(page, []), plant.with_plants(page, [wrong])
        assert len(before) == len(after)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_finds_captions_in_code():
    code = 'é = show("µ", alt="after 300 "\n    "epochs")'
    [part] = plant.captions(code)
    assert code[part.start : part.stop] == '"after 300 "\n    "epochs"'


def test_plants_go_to_each_page_once_a_round():
    plants = plant.make_plants(0, 20)
    parts = list(plant.rounds(plants))
    assert sum(map(len, parts)) == len(plants)
    assert {wrong for part in parts for wrong in part} == set(plants)
    for part in parts:
        pages = [wrong.place.page for wrong in part]
        assert len(set(pages)) == len(pages)


def test_reads_the_makefiles_environment():
    assert (
        plant.pinned().items()
        >= {"OMP_NUM_THREADS": "1", "CONV_PROGRESS": "off"}.items()
    )
