"""What .github/SECURITY.md promises: nothing unpickled, fetched, or left open.

The rules read files. Only the last tests start something: the server of ``make lab``.
"""

import ast
import http.client
import json
import os
import re
import shlex
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import psutil
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


# No pickle from outside: to read one is to run it

UNPICKLES = re.compile(
    r"(pickle|cPickle|cloudpickle|dill)\.(loads?|Unpickler)|joblib\.load"
    r"|marshal\.loads?|shelve\.open|pandas\.read_pickle|torch\.(hub|jit|package)\.\w+"
    r"|.*\.(recv|(all_gather|gather|scatter|broadcast)_object(_list)?)"
)
# Where it is right, and why.
LEGAL = {
    ("src/conv/exercises/worker.py", "cloudpickle.loads"): (
        "the learner's own function, from the notebook's process, over a pipe that "
        "only these two processes have"
    ),
    ("src/conv/checkpoints.py", "torch.distributed.all_gather_object"): (
        "the states of random generators, between the processes of one torchrun, which "
        "run the same program and already trust each other"
    ),
}
FOLDERS = [".devcontainer", "benchmarks", "docs", "figures", "requirements"]
FOLDERS += ["solutions", "src", "teacher", "tests"]


def dotted(node: ast.expr, names: dict[str, str]) -> str:
    """Write a function's full name, whatever it was imported as."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value, names)}.{node.attr}"
    return names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"


def imported(tree: ast.AST) -> dict[str, str]:
    """Map the names of a file to what they were imported from."""
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {a.asname: a.name for a in node.names if a.asname}
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def keyword(call: ast.Call, name: str) -> object:
    """Give a constant of a call, or something that is no constant."""
    found = {word.arg: word.value for word in call.keywords}.get(name)
    return found.value if isinstance(found, ast.Constant) else found


def unpickling(code: str) -> list[str]:
    """List what runs what a pickle says, called here or handed on to be called."""
    tree = ast.parse(code)
    names, nodes = imported(tree), list(ast.walk(tree))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    safe = {id(call.func) for call in calls if keyword(call, "weights_only") is True}
    found = [
        dotted(call.func, names)
        for call in calls
        if keyword(call, "allow_pickle") not in (None, False)
    ]
    for node in nodes:
        if isinstance(node, ast.Attribute | ast.Name):
            name = dotted(node, names)
            unsafe = name == "torch.load" and id(node) not in safe
            if unsafe or UNPICKLES.fullmatch(name):
                found.append(name)
    return found


def programs() -> Iterator[tuple[str, str]]:
    """Give each program of the course: its place, and its code."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text()
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
        yield f"notebooks/{path.name}", TransformerManager().transform_cell(code)


def test_nothing_is_unpickled_but_what_this_process_wrote():
    code = dict(programs())
    assert len(code) > 80
    found = {(place, name) for place in code for name in unpickling(code[place])}
    assert found == set(LEGAL)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch.load(f)",
        "import torch as t\nt.load(f, weights_only=False)",
        "from torch import load as fetch\nfetch(f, weights_only=flag)",
        "import torch\nlist(map(torch.load, files))",
        "import pickle\nwith open(f, 'rb') as g: pickle.load(g)",
        "from pickle import loads\nloads(b)",
        "import pickle as p\np.Unpickler(f).load()",
        "import numpy as np\nnp.load(f, allow_pickle=True)",
        "import numpy as np\nnp.load(f, allow_pickle=trust)",
        "import joblib\njoblib.load(f)",
        "import torch\ntorch.hub.load('owner/name', 'net')",
        "import torch.distributed as dist\ndist.broadcast_object_list(x)",
    ],
)
def test_the_rule_notices_what_unpickles(code):
    assert unpickling(code)


@pytest.mark.parametrize(
    "code",
    [
        "import torch\ntorch.load(f, weights_only=True)",
        "import json\njson.load(f)",
        "import numpy as np\nnp.load(f)",
        "import numpy as np\nnp.load(f, allow_pickle=False)",
        "import pickle\npickle.dumps(x)",
    ],
)
def test_the_rule_lets_other_reading_be(code):
    assert not unpickling(code)


# No notebook fetches: not its outputs, its widgets, its pictures

HARMLESS = {"text/plain", "image/png", "text/html"}
WIDGET = "application/vnd.jupyter.widget-view+json"
FETCHES = re.compile(
    r"<\s*(script|iframe|frame|object|embed|link|meta|base|form|audio|video|svg)\b"
    r"|\b(src|srcset|href|poster|action|formaction|background)\s*=\s*"
    r"(?![\"']?(data:image/|\#))"
    r"|@import\b|url\(\s*(?![\"']?(data:image/|\#))|javascript:|\son\w+\s*=",
    re.IGNORECASE,
)
CALLS_OUT = re.compile(
    r"\b(fetch|importScripts|sendBeacon|eval|Function)\s*\(|\bimport\s*[(\"'{*\w]"
    r"|\b(XMLHttpRequest|WebSocket|EventSource|Worker|RTCPeerConnection)\b"
    r"|@import\b|url\(\s*(?![\"']?(data:image/|\#))|\.(src|href)\s*="
    r"|\bhttps?://(?!www\.w3\.org/(2000/svg|1998/Math/MathML|1999/xlink)\b)"
)
PICTURE = re.compile(
    r"!\[[^\]]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)"
)
TAGS = re.compile(
    r"<\s*(script|iframe|frame|object|embed|link|meta|base|form|audio|video|style)\b",
    re.IGNORECASE,
)


def outputs(path: Path) -> Iterator[tuple[str, str]]:
    """Give each output of a notebook: its kind, and its text."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield from output.get("data", {}).items()


@each_notebook
def test_outputs_fetch_nothing(path):
    for kind, text in outputs(path):
        assert kind in {*HARMLESS, WIDGET}, kind
        if kind == "text/html":
            assert not FETCHES.search(text), text


@each_notebook
def test_widgets_fetch_nothing(path):
    states = nbformat.read(path, as_version=4).metadata.get("widgets", {}).values()
    for state in (
        model["state"] for all_ in states for model in all_["state"].values()
    ):
        for name, value in state.items():
            text = value if isinstance(value, str) else json.dumps(value)
            assert not CALLS_OUT.search(text), (name, CALLS_OUT.search(text))


def pictures_elsewhere(markdown: str, folder: Path) -> list[str]:
    """List pictures that are neither in the text nor in the repository."""
    targets = [one or other for one, other in PICTURE.findall(markdown)]
    kept = ("data:image/", "attachment:")
    return [t for t in targets if not t.startswith(kept) and not (folder / t).is_file()]


@each_notebook
def test_pictures_in_the_text_are_our_own(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not pictures_elsewhere(cell.source, path.parent)
            assert not TAGS.search(cell.source)


@pytest.mark.parametrize(
    "html",
    [
        "<script src='https://host/a.js'></script>",
        "<script>x()</script>",
        "<img src=//host/a.png>",
        '<img srcset = "https://host/a.png 2x">',
        "<a href='https://host'>x</a>",
        "<iframe srcdoc='x'></iframe>",
        "<style>@import 'https://host/a.css'</style>",
        "<p style='background: url(https://host/a.png)'>",
        "<b onclick='x()'>x</b>",
        "<a href='javascript:x()'>x</a>",
        "<svg><image href='https://host/a.png'/></svg>",
    ],
)
def test_the_rule_notices_html_that_fetches(html):
    assert FETCHES.search(html)


def test_the_rule_lets_plain_html_be():
    html = "<details><summary>In words</summary>a = 3, on = 2</details>"
    assert not FETCHES.search(html)
    assert not FETCHES.search("<img src='data:image/png;base64,aa' alt='x'>")


@pytest.mark.parametrize(
    "code",
    [
        "fetch('https://host')",
        "await import(name)",
        'import * as d3 from "https://host/d3.js"',
        "new WebSocket(w)",
        "image.src = where",
        "@import 'a.css';",
        "a { background: url(//host/a.png) }",
        "const host = 'http://host'",
    ],
)
def test_the_rule_notices_widgets_that_fetch(code):
    assert CALLS_OUT.search(code)
    assert not CALLS_OUT.search(
        "document.createElementNS('http://www.w3.org/2000/svg')"
    )


def test_the_rule_notices_pictures_of_other_hosts(tmp_path):
    (tmp_path / "a.png").touch()
    text = "![a](a.png) ![b](https://host/b.png) <img alt='' src='//host/c.png'>"
    assert pictures_elsewhere(text, tmp_path) == ["https://host/b.png", "//host/c.png"]


# The workflows: whose code they run, and what it may do

PINNED = re.compile(
    r"\s+(- )?uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40})  # v\d+\.\d+\.\d+"
)
MORE_RIGHTS = {("site", "publish"): {"pages": "write", "id-token": "write"}}


def test_actions_are_pinned_to_a_commit():
    commits: dict[str, set[str]] = {}
    for path in WORKFLOWS:
        for line in path.read_text().splitlines():
            if "uses:" in line:
                assert PINNED.fullmatch(line), (path.name, line)
                commits.setdefault(PINNED.fullmatch(line)[2], set()).add(line[-60:])
    assert len(commits) >= 4
    for action, lines in commits.items():
        assert len(lines) == 1, (action, lines)


@each_workflow
def test_workflows_have_few_rights(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == MORE_RIGHTS.get((path.stem, name))
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert not re.search(
        r"pull_request_target|workflow_run|secrets\.", path.read_text()
    )


def test_dependabot_keeps_the_actions_and_waits_a_week():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    kinds = {update["package-ecosystem"]: update for update in config["updates"]}
    assert {"github-actions", "npm"} == set(kinds)
    assert all(update["cooldown"]["default-days"] >= 7 for update in kinds.values())


@each_workflow
def test_workflows_install_by_hash(path):
    """Those that call make, but for `make fresh`: a learner has no hashes."""
    workflow = yaml.safe_load(path.read_text())
    for name, job in workflow["jobs"].items():
        runs = [step.get("run", "") for step in job["steps"]]
        if any(run.startswith("make") for run in runs) and name != "fresh":
            asked = workflow.get("env", {}) | job.get("env", {})
            assert asked.get("HASHES") == "1", name


# The server of `make lab`


def lab_command() -> list[str]:
    """Read the command of ``make lab`` from the Makefile."""
    makefile = (ROOT / "Makefile").read_text().replace("\\\n", "")
    recipe = re.search(r"^lab:.*\n((?:\t.*\n)+)", makefile, flags=re.M)[1]
    words = shlex.split(recipe.replace("$(BIN)", str(Path(sys.executable).parent)))
    return words


ADDRESS = re.compile(r"http://(127\.0\.0\.1):(\d+)/lab/\S*\?token=(\w+)")


def wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError(port)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Start it with nobody's settings; give its process, its port and its token."""
    folder = tmp_path_factory.mktemp("lab")
    own = {"JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "HOME"}
    rest = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    process = subprocess.Popen(
        [*lab_command(), "--no-browser", "--ServerApp.port_retries=1000"],
        cwd=folder,
        env=rest | dict.fromkeys(own, str(folder)),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = next(filter(None, map(ADDRESS.search, process.stderr)))
        wait_for(int(found[2]))  # it says so a little before it listens
        yield process, int(found[2]), found[3]
    finally:
        process.terminate()
        process.communicate()


def ask(port: int, path: str, token: str = "") -> tuple[int, str]:
    """Ask the server; give the status, and where it sends the browser."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers={"Authorization": f"token {token}"})
    reply = connection.getresponse()
    connection.close()
    return reply.status, reply.getheader("Location", "")


def test_make_lab_listens_on_loopback_only(lab):
    process, port, _ = lab
    sockets = psutil.Process(process.pid).net_connections(kind="inet")
    listening = {s.laddr for s in sockets if s.status == psutil.CONN_LISTEN}
    assert ("127.0.0.1", port) in listening
    assert {address for address, _ in listening} == {"127.0.0.1"}


def test_make_lab_asks_for_its_token(lab):
    _, port, token = lab
    assert len(token) >= 48
    for wrong in ("", "a" * len(token)):
        assert ask(port, "/api/contents", wrong)[0] == 403
        status, place = ask(port, "/lab", wrong)
        assert (status, place.partition("?")[0]) == (302, "/login")
    assert ask(port, "/api/contents", token)[0] == 200
    assert ask(port, "/lab", token)[0] == 200


def test_the_check_for_a_network_asks_for_a_reserved_name():
    """Nobody's server should be part of the course's tests."""
    script = (ROOT / "tests" / "no_network.sh").read_text()
    hosts = re.findall(r'getaddrinfo\("([^"]+)"', script)
    assert hosts == ["example.org"]
