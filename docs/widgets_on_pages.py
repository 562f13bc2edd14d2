"""Notebooks as pages: widgets that live without a kernel, figures with their words."""

import html
import json
import re

VIEW = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"


def page_source(source: str) -> str:
    """Change a notebook's text into what becomes its page.

    Parameters
    ----------
    source : str
        The notebook, as its file has it.

    Returns
    -------
    str
        The same notebook. In it, a widget is HTML that ``mount.js`` brings to life; a
        figure has its words and its width; a link into ``docs/`` leads to the page.
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
            if VIEW in data and (html_of := mount(output, models)):
                output["data"] = {"text/html": html_of}
            elif "image/png" in data:
                describe(cell, output)
    return json.dumps(notebook)


def mount(output: dict, models: dict) -> str | None:
    """Write a widget's place on the page, or None if its state was not stored.

    Parameters
    ----------
    output : dict
        A cell's output: the widget's view, its still picture, its words.
    models : dict
        The states of the notebook's widgets, by their ids.

    Returns
    -------
    str or None
        The still picture, for browsers without JavaScript, and beside it the traits
        and the bytes that the widget's module begins with.
    """
    model = models.get(output["data"][VIEW]["model_id"])
    if model is None:
        return None
    state = model["state"]
    traits = {name: value for name, value in state.items() if name[0] != "_"}
    buffers = {b["path"][0]: b["data"] for b in model.get("buffers", [])}
    kept = json.dumps({"traits": traits, "buffers": buffers}, sort_keys=True)
    kept = kept.replace("<", r"\u003c")  # or a trait could close the script
    return (
        f'<div class="conv-mount" data-module="{html.escape(state["module"])}">'
        f'<script type="application/json">{kept}</script>{still(output)}</div>'
    )


def still(output: dict) -> str:
    """Write a widget's still picture as an element of HTML."""
    png = "".join(output["data"].get("image/png", ""))
    if not png:
        return f"<p>{html.escape(''.join(output['data']['text/plain']))}</p>"
    about = output.get("metadata", {}).get("image/png", {})
    sides = "".join(f' {s}="{about[s]}"' for s in ("width", "height") if s in about)
    alt = html.escape(about.get("alt", ""))
    return f'<img alt="{alt}"{sides} src="data:image/png;base64,{png.strip()}">'


def describe(cell: dict, output: dict) -> None:
    """Tell MyST-NB what a figure shows: it reads that of a cell, not of an output."""
    about = output.get("metadata", {}).get("image/png", {})
    image = {"alt": about.get("alt", "")}
    if "width" in about:
        image["width"] = f"{about['width']}px"
    cell["metadata"].setdefault("mystnb", {})["image"] = image
