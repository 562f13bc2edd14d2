"""Write the glossary from the key terms at the ends of the chapters.

``make glossary`` runs it; a test compares the committed page with the chapters.
"""

import json
import re
from pathlib import Path

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
INTRODUCTION = """# Glossary

The key terms of all chapters, with the chapter that introduces each.
"""


def key_terms(text: str) -> list[tuple[str, str]]:
    """Find the terms, and the definitions, in the list that follows "Key terms"."""
    _, _, terms = text.partition("**Key terms**\n")
    return re.findall(r"^- \*(.+?)\*: (.+)$", terms, flags=re.M)


def entries(chapter: Path) -> list[tuple[str, str]]:
    """Write one line per key term of a chapter, with the term in lower case."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells)
    link = f"[chapter {int(chapter.name[:2])}]({chapter.name})"
    return [
        (term.lower(), f"- **{term}** ({link}): {definition}")
        for term, definition in key_terms(text)
    ]


def glossary(chapters: list[Path]) -> str:
    """Join the key terms of all chapters in alphabetical order.

    Raises
    ------
    ValueError
        If two chapters define one term.
    """
    lines = sorted(entry for chapter in chapters for entry in entries(chapter))
    terms = [term for term, _ in lines]
    if twice := {term for term in terms if terms.count(term) > 1}:
        raise ValueError(f"terms defined more than once: {', '.join(sorted(twice))}")
    return "\n".join([INTRODUCTION, *(line for _, line in lines), ""])


if __name__ == "__main__":
    page = glossary(sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")))
    (NOTEBOOKS / "glossary.md").write_text(page, encoding="utf-8")
