"""Test the promises of .github/SECURITY.md on pickles, requests, workflows and servers.

Most tests only read files. The last ones start the server of ``make lab``.
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


# No pickles from outside, because reading a pickle can run code

UNPICKLES = re.compile(
    r"(pickle|cPickle|cloudpickle|dill)\.(loads?|Unpickler)|joblib\.load"
    r"|marshal\.loads?|shelve\.open|pandas\.read_pickle|torch\.(hub|jit|package)\.\w+"
    r"|.*\.(recv|(all_gather|gather|scatter|broadcast)_object(_list)?)"
)
# Accepted exceptions, with reasons.
ALLOWED = {
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
    """Return a function's full name, independent of its name in the file."""
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
    """Return the value of a keyword argument if it is a constant, or else its node."""
    found = {word.arg: word.value for word in call.keywords}.get(name)
    return found.value if isinstance(found, ast.Constant) else found


def unpickling(code: str) -> list[str]:
    """List the functions in code that unpickle data, whether called or passed on."""
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
    """Yield the path and the code of each program of the course."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "node_modules" not in path.parts:
                yield path.relative_to(ROOT).as_posix(), path.read_text()
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        code = "\n\n".join(cell.source for cell in cells if cell.cell_type == "code")
        yield f"notebooks/{path.name}", TransformerManager().transform_cell(code)


def test_only_trusted_data_are_unpickled():
    code = dict(programs())
    assert len(code) > 80
    found = {(place, name) for place in code for name in unpickling(code[place])}
    assert found == set(ALLOWED)


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
def test_unpickling_is_detected(code):
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
def test_safe_loading_is_allowed(code):
    assert not unpickling(code)


# Notebooks load nothing: neither their outputs nor their widgets and images

ALLOWED_TYPES = {"text/plain", "image/png", "text/html"}
WIDGET = "application/vnd.jupyter.widget-view+json"
LOADS_RESOURCES = re.compile(
    r"<\s*(script|iframe|frame|object|embed|link|meta|base|form|audio|video|svg)\b"
    r"|\b(src|srcset|href|poster|action|formaction|background)\s*=\s*"
    r"(?![\"']?(data:image/|\#))"
    r"|@import\b|url\(\s*(?![\"']?(data:image/|\#))|javascript:|\son\w+\s*=",
    re.IGNORECASE,
)
SENDS_REQUESTS = re.compile(
    r"\b(fetch|importScripts|sendBeacon|eval|Function)\s*\(|\bimport\s*[(\"'{*\w]"
    r"|\b(XMLHttpRequest|WebSocket|EventSource|Worker|RTCPeerConnection)\b"
    r"|@import\b|url\(\s*(?![\"']?(data:image/|\#))|\.(src|href)\s*="
    r"|\bhttps?://(?!www\.w3\.org/(2000/svg|1998/Math/MathML|1999/xlink)\b)"
)
IMAGE = re.compile(
    r"!\[[^\]]*\]\(\s*<?([^)\s>]+)|<img\b[^>]*?\bsrc\s*=\s*[\"']?([^\"'\s>]+)"
)
FORBIDDEN_TAGS = re.compile(
    r"<\s*(script|iframe|frame|object|embed|link|meta|base|form|audio|video|style)\b",
    re.IGNORECASE,
)


def outputs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the MIME type and the text of each output of a notebook."""
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            yield from output.get("data", {}).items()


@each_notebook
def test_outputs_load_nothing(path):
    for kind, text in outputs(path):
        assert kind in {*ALLOWED_TYPES, WIDGET}, kind
        if kind == "text/html":
            assert not LOADS_RESOURCES.search(text), text


@each_notebook
def test_widgets_load_nothing(path):
    states = nbformat.read(path, as_version=4).metadata.get("widgets", {}).values()
    for state in (
        model["state"] for all_ in states for model in all_["state"].values()
    ):
        for name, value in state.items():
            text = value if isinstance(value, str) else json.dumps(value)
            assert not SENDS_REQUESTS.search(text), (name, SENDS_REQUESTS.search(text))


def external_images(markdown: str, folder: Path) -> list[str]:
    """List images that are neither embedded nor in the repository."""
    targets = [one or other for one, other in IMAGE.findall(markdown)]
    embedded = ("data:image/", "attachment:")
    return [
        t for t in targets if not t.startswith(embedded) and not (folder / t).is_file()
    ]


@each_notebook
def test_images_in_the_text_are_in_the_repository(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            assert not external_images(cell.source, path.parent)
            assert not FORBIDDEN_TAGS.search(cell.source)


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
def test_html_that_loads_resources_is_detected(html):
    assert LOADS_RESOURCES.search(html)


def test_plain_html_is_allowed():
    html = "<details><summary>In words</summary>a = 3, on = 2</details>"
    assert not LOADS_RESOURCES.search(html)
    assert not LOADS_RESOURCES.search("<img src='data:image/png;base64,aa' alt='x'>")


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
def test_widgets_that_load_resources_are_detected(code):
    assert SENDS_REQUESTS.search(code)
    assert not SENDS_REQUESTS.search(
        "document.createElementNS('http://www.w3.org/2000/svg')"
    )


def test_images_of_other_hosts_are_detected(tmp_path):
    (tmp_path / "a.png").touch()
    text = "![a](a.png) ![b](https://host/b.png) <img alt='' src='//host/c.png'>"
    assert external_images(text, tmp_path) == ["https://host/b.png", "//host/c.png"]


# The workflows: the code that they run, and its permissions

PINNED = re.compile(
    r"\s+(- )?uses: ([\w.-]+/[\w./-]+)@([0-9a-f]{40})  # v\d+\.\d+\.\d+"
)
EXTRA_PERMISSIONS = {("site", "publish"): {"pages": "write", "id-token": "write"}}


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
def test_workflows_have_minimal_permissions(path):
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert job.get("permissions") == EXTRA_PERMISSIONS.get((path.stem, name))
        for step in job["steps"]:
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] is False
    assert not re.search(
        r"pull_request_target|workflow_run|secrets\.", path.read_text()
    )


def test_dependabot_updates_actions_after_a_week():
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    kinds = {update["package-ecosystem"]: update for update in config["updates"]}
    assert {"github-actions", "npm"} == set(kinds)
    assert all(update["cooldown"]["default-days"] >= 7 for update in kinds.values())


@each_workflow
def test_workflows_install_with_hashes(path):
    """Except for `make fresh`, which installs as a learner does, without hashes."""
    workflow = yaml.safe_load(path.read_text())
    for name, job in workflow["jobs"].items():
        runs = [step.get("run", "") for step in job["steps"]]
        if any(run.startswith("make") for run in runs) and name != "fresh":
            environment = workflow.get("env", {}) | job.get("env", {})
            assert environment.get("HASHES") == "1", name


# The server of `make lab`


def lab_command() -> list[str]:
    """Return the command of ``make lab`` in the Makefile."""
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
    """Start JupyterLab without user settings; return its process, port and token."""
    folder = tmp_path_factory.mktemp("lab")
    folders = {"JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR", "HOME"}
    rest = {k: v for k, v in os.environ.items() if not k.startswith("JUPYTER")}
    process = subprocess.Popen(
        [*lab_command(), "--no-browser", "--ServerApp.port_retries=1000"],
        cwd=folder,
        env=rest | dict.fromkeys(folders, str(folder)),
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        found = next(filter(None, map(ADDRESS.search, process.stderr)))
        wait_for(int(found[2]))  # it prints the address before it listens
        yield process, int(found[2]), found[3]
    finally:
        process.terminate()
        process.communicate()


def request(port: int, path: str, token: str = "") -> tuple[int, str]:
    """Send a request to the server; return the status and the target of a redirect."""
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


def test_make_lab_requires_its_token(lab):
    _, port, token = lab
    assert len(token) >= 48
    for wrong in ("", "a" * len(token)):
        assert request(port, "/api/contents", wrong)[0] == 403
        status, place = request(port, "/lab", wrong)
        assert (status, place.partition("?")[0]) == (302, "/login")
    assert request(port, "/api/contents", token)[0] == 200
    assert request(port, "/lab", token)[0] == 200


def test_network_check_looks_up_a_reserved_name():
    """The course's tests must not contact a real server."""
    script = (ROOT / "tests" / "no_network.sh").read_text()
    hosts = re.findall(r'getaddrinfo\("([^"]+)"', script)
    assert hosts == ["example.org"]
