"""Prepare notebooks for the site: widgets, alternative texts, report links."""

import html
import json
import re
from urllib.parse import urlencode

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def page_source(source: str, repository: str = "") -> str:
    """Convert a notebook before MyST-NB makes a page of it.

    Parameters
    ----------
    source : str
        Notebook, as JSON.
    repository : str
        Name of the repository on GitHub, "owner/name". If it is empty, there are no
        links to report mistakes.

    Returns
    -------
    str
        The same notebook with four changes: a widget is HTML, which ``mount.js``
        replaces by the running widget; a figure has an alternative text and a width; a
        link into ``docs/`` points to the page; below each code cell is a link with
        which a reader reports a mistake.
    """
    notebook = json.loads(source)
    widgets = notebook["metadata"].pop("widgets", {})
    models = widgets.get(STATE, {}).get("state", {})
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            cell["source"] = re.sub(r"\]\(\.\./docs/", "](../", text)
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if VIEW in data and (html_of := widget_html(output, models)):
                output["data"] = {"text/html": html_of}
            elif "image/png" in data:
                add_alternative_text(cell, output)
        if repository and cell["cell_type"] == "code":
            title = "".join(notebook["cells"][0]["source"]).splitlines()[0]
            link = report_link(repository, title.lstrip("# "), "".join(cell["source"]))
            output = {"output_type": "display_data", "data": {"text/html": link}}
            cell["outputs"].append(output | {"metadata": {}})
    return json.dumps(notebook)


def report_link(repository: str, chapter: str, code: str) -> str:
    """Write a link to the issue form for mistakes, filled in for one cell."""
    fields = {
        "template": "mistake.yml",
        "title": f"Mistake in {chapter}",
        "chapter": chapter,
        "cell": "\n".join(code.splitlines()[:5]),
    }
    url = f"https://github.com/{repository}/issues/new?{urlencode(fields)}"
    link = f'<a href="{html.escape(url)}">Report a mistake in this cell</a>'
    return f'<p class="report">{link}</p>'


def widget_html(output: dict, models: dict) -> str | None:
    """Convert a widget's output to HTML.

    Parameters
    ----------
    output : dict
        Output of a cell: the widget's view, its static image and its text.
    models : dict
        The states of the notebook's widgets, by id.

    Returns
    -------
    str or None
        The static image, for browsers without JavaScript, and the widget's traits as
        JSON. None if the notebook doesn't contain the widget's state.
    """
    model = models.get(output["data"][VIEW]["model_id"])
    if model is None:
        return None
    state = model["state"]
    traits = {name: value for name, value in state.items() if name[0] != "_"}
    buffers = {b["path"][0]: b["data"] for b in model.get("buffers", [])}
    data = json.dumps({"traits": traits, "buffers": buffers}, sort_keys=True)
    data = data.replace("<", r"\u003c")  # otherwise a trait could close the script
    return (
        f'<div class="conv-mount" data-module="{html.escape(state["module"])}">'
        f'<script type="application/json">{data}</script>{image_html(output)}</div>'
    )


def image_html(output: dict) -> str:
    """Convert a widget's static image, or its text if it has none, to HTML."""
    png = "".join(output["data"].get("image/png", ""))
    if not png:
        return f"<p>{html.escape(''.join(output['data']['text/plain']))}</p>"
    metadata = output.get("metadata", {}).get("image/png", {})
    sides = [side for side in ("width", "height") if side in metadata]
    size = "".join(f' {side}="{metadata[side]}"' for side in sides)
    alt = html.escape(metadata.get("alt", ""))
    return f'<img alt="{alt}"{size} src="data:image/png;base64,{png.strip()}">'


def add_alternative_text(cell: dict, output: dict) -> None:
    """Copy a figure's alternative text and width to its cell, for MyST-NB."""
    metadata = output.get("metadata", {}).get("image/png", {})
    image = {"alt": metadata.get("alt", "")}
    if "width" in metadata:
        image["width"] = f"{metadata['width']}px"
    cell["metadata"].setdefault("mystnb", {})["image"] = image
