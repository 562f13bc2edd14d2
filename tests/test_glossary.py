"""Test the glossary, which docs/glossary.py writes from the chapters' key terms."""

import json
from pathlib import Path

import pytest

from load import load

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
CHAPTERS = sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))
glossary = load("docs/glossary.py").glossary


def chapter(folder: Path, name: str, terms: str) -> Path:
    """Write a chapter with these key terms."""
    cells = [
        {"cell_type": "markdown", "source": ["- *Not a key term*: before the list."]},
        {"cell_type": "markdown", "source": ["## Recap\n\n**Key terms**\n\n", terms]},
        {"cell_type": "markdown", "source": ["- *Not a key term* either."]},
    ]
    path = folder / name
    path.write_text(json.dumps({"cells": cells}))
    return path


def test_page_is_up_to_date():
    """If this fails, run `make glossary`."""
    page = (NOTEBOOKS / "glossary.md").read_text(encoding="utf-8")
    assert page == glossary(CHAPTERS)
    assert (
        "- **Kernel** ([chapter 1](01_slide_a_window.ipynb)): the small array" in page
    )


def test_terms_are_sorted_and_linked(tmp_path):
    one = chapter(tmp_path, "01_a.ipynb", "- *Window*: w.\n- *channel*: c.")
    two = chapter(tmp_path, "02_b.ipynb", "- *Kernel*: k.")
    assert glossary([one, two]).splitlines()[4:] == [
        "- **channel** ([chapter 1](01_a.ipynb)): c.",
        "- **Kernel** ([chapter 2](02_b.ipynb)): k.",
        "- **Window** ([chapter 1](01_a.ipynb)): w.",
    ]


def test_duplicate_definitions_raise(tmp_path):
    chapters = [chapter(tmp_path, f"0{n}_a.ipynb", "- *Kernel*: k.") for n in (1, 2)]
    with pytest.raises(ValueError, match="defined more than once: kernel"):
        glossary(chapters)
