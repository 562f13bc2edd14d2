"""Test the files for Docker, dev containers and Binder.

No container is built here. The tests read the files, run their scripts in a temporary
folder, and compare them with each other, the lock and pyproject.toml.
"""

import json
import os
import re
import shlex
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from load import load

ROOT = Path(__file__).parent.parent
BINDER = ROOT / "binder"
CONTAINER = ROOT / ".devcontainer"
LOCK = (ROOT / "requirements.txt").read_text()
DEVCONTAINER = json.loads((CONTAINER / "devcontainer.json").read_text())


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Parse a Dockerfile into pairs: an instruction's name and its arguments."""
    lines = dockerfile.read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\s*\\\n\s*", " ", text).splitlines()
    return [tuple(line.split(None, 1)) for line in joined if line.strip()]


DOCKERFILE = instructions(CONTAINER / "Dockerfile")
IGNORE = CONTAINER / "Dockerfile.dockerignore"
ARGS = dict(rest.split("=", 1) for name, rest in DOCKERFILE if name == "ARG")


def arguments_of(name: str) -> list[str]:
    return [rest for found, rest in DOCKERFILE if found == name]


install = load("requirements/install.py")


# One Python version, one lock


def test_all_environments_use_the_same_python():
    [image] = arguments_of("FROM")
    docker = re.match(r"python:(\d+\.\d+)", image)[1]
    runtime = (BINDER / "runtime.txt").read_text().strip()
    conda = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert runtime == f"python-{docker}"
    assert f"python={docker}" in conda
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert SpecifierSet(project["requires-python"]).contains(docker)


def test_base_image_is_pinned():
    [image] = arguments_of("FROM")
    exact = r"python:\d+\.\d+\.\d+-slim-[a-z]+(@sha256:[0-9a-f]{64})?"
    assert re.fullmatch(exact, image), image


def test_devcontainer_builds_the_dockerfile():
    build = DEVCONTAINER["build"]
    assert CONTAINER / build["dockerfile"] == CONTAINER / "Dockerfile"
    assert (CONTAINER / build["context"]).resolve() == ROOT.resolve()
    assert set(build["args"]) <= set(ARGS)


def test_binder_has_no_other_configuration():
    # repo2docker would use these files instead of runtime.txt, or in addition to it.
    for file in ("Dockerfile", "environment.yml", "requirements.txt", "Pipfile"):
        assert not (BINDER / file).exists(), file


# The lock without CUDA


def read_lock() -> dict[str, set[str]]:
    """Parse the lock: return the names that require each requirement."""
    required_by: dict[str, set[str]] = {}
    for line in LOCK.splitlines():
        if line[:1].isalnum():
            names = required_by.setdefault(line, set())
        elif line.startswith(" "):
            words = line.strip(" #").removeprefix("via").split()
            names.update(words[:1])
    return required_by


def test_split_removes_exactly_the_packages_that_only_cuda_needs():
    """Find CUDA's packages independently: torch requires them, and only on Linux."""
    required_by = read_lock()
    cuda: set[str] = set()
    while True:
        names = {Requirement(line).name for line in cuda} | {"torch"}
        linux = {line for line in required_by if "sys_platform == 'linux'" in line}
        more = {line for line in linux if required_by[line] <= names}
        if more == cuda:
            break
        cuda = more
    assert len(cuda) > 10
    rest, torch = install.split(LOCK)
    pins = [
        line for line in required_by if line.startswith(("torch==", "torchvision=="))
    ]
    assert torch == pins
    assert [line for line in rest if line[:1].isalnum()] == [
        line for line in required_by if line not in cuda and line not in pins
    ]


def test_split_compares_whole_names():
    lock = "torch==2 ; x == 'y'\ntorchmetrics==1\ntritonclient==3\nnvidia-nccl==4\n"
    rest = ["torchmetrics==1", "tritonclient==3"]
    assert install.split(lock) == (rest, ["torch==2"])


def test_pip_can_read_the_lock_without_cuda(tmp_path):
    [_, [*_, file]] = install.commands("cpu", "", ROOT / "requirements.txt", tmp_path)
    lines = [line.partition(" #")[0] for line in Path(file).read_text().splitlines()]
    found = [Requirement(line) for line in lines if line[:1].isalnum()]
    assert {"numpy", "jupyterlab"} < {requirement.name for requirement in found}


@pytest.mark.parametrize("torch", ["cpu", "cuda"])
def test_pip_never_resolves_dependencies_of_the_lock(torch, tmp_path):
    lock = ROOT / "requirements.txt"
    *locked, hub = install.commands(torch, "6.1.1", lock, tmp_path)
    assert all(command[0] == "--no-deps" for command in locked)
    assert hub == ["--constraint", str(lock), "jupyterhub==6.1.1"]
    assert install.commands(torch, "", lock, tmp_path) == locked


def test_only_cpu_builds_come_from_pytorchs_index(tmp_path):
    lock = ROOT / "requirements.txt"
    index, rest = install.commands("cpu", "", lock, tmp_path)
    assert index[1:3] == ["--index-url", "https://download.pytorch.org/whl/cpu"]
    pins = Path(index[-1]).read_text().splitlines()
    assert [pin.partition("==")[0] for pin in pins] == ["torch", "torchvision"]
    assert "--index-url" not in rest
    [[no_deps, requirement, file]] = install.commands("cuda", "", lock, tmp_path)
    assert [no_deps, requirement] == ["--no-deps", "--requirement"]
    assert Path(file).read_text() == LOCK


def test_all_environments_use_the_install_script():
    runs = [
        run
        for run in arguments_of("RUN")
        if "pip install" in run or "install.py" in run
    ]
    post_build = (BINDER / "postBuild").read_text()
    for text in (*runs, post_build):
        for words in re.findall(r"pip install (.*)", text):
            assert "--no-deps" in words, words
    assert any("requirements/install.py" in run for run in runs)
    assert ARGS["TORCH"] == "cpu"
    assert re.fullmatch(r"\d+\.\d+\.\d+", ARGS["JUPYTERHUB_VERSION"])
    hub = f"--jupyterhub {ARGS['JUPYTERHUB_VERSION']}"
    assert f"requirements/install.py --torch cpu {hub}\n" in post_build


# An unprivileged user, and a server with a token


def test_container_does_not_run_as_root():
    assert arguments_of("USER")[-1] == "${NB_UID}"
    assert (ARGS["NB_USER"], ARGS["NB_UID"]) == ("jovyan", "1000")
    assert DEVCONTAINER["remoteUser"] == ARGS["NB_USER"]
    names = [name for name, _ in DOCKERFILE]
    user = len(names) - names[::-1].index("USER")
    assert {"ENTRYPOINT", "CMD"} <= set(names[user:])


def test_server_requires_a_token():
    [command] = [json.loads(command) for command in arguments_of("CMD")]
    assert command[:2] == ["jupyter", "lab"]
    files = [*BINDER.iterdir(), *CONTAINER.iterdir()]
    off = r"(\.|JUPYTER_)(token|password|identity_provider)|allow_unauth|allow-root"
    for file in files:
        if file.is_file():
            assert not re.search(off, file.read_text(), flags=re.I), file


def test_server_listens_on_the_exposed_port():
    [command] = [json.loads(command) for command in arguments_of("CMD")]
    [port] = arguments_of("EXPOSE")
    assert f"--port={port}" in command
    assert "--ip=0.0.0.0" in command
    assert DEVCONTAINER["forwardPorts"] == [int(port)]
    assert set(DEVCONTAINER["portsAttributes"]) == {port}


def test_server_opens_the_same_notebook_as_make_lab():
    [command] = [json.loads(command) for command in arguments_of("CMD")]
    [page] = [word for word in command if word.startswith("--LabApp.default_url=")]
    assert page in (ROOT / "Makefile").read_text()
    assert (ROOT / page.removeprefix("--LabApp.default_url=/lab/tree/")).is_file()


# Files that exist, and scripts that run


def test_copied_files_exist_and_are_not_ignored():
    ignored = IGNORE.read_text().splitlines()
    sources = [
        source
        for rest in arguments_of("COPY")
        for source in shlex.split(rest)[:-1]
        if not source.startswith("--")
    ]
    assert "." in sources
    for source in sources:
        assert (ROOT / source).exists(), source
    needed = ["pyproject.toml", "README.md", "LICENSE", "src", "notebooks", "solutions"]
    for path in [*sources, *needed, ".devcontainer"]:
        assert path not in ignored, path
        assert f"**/{path}" not in ignored, path


def test_docker_finds_the_ignore_file():
    """BuildKit first looks for <Dockerfile>.dockerignore, then in the root folder."""
    assert IGNORE.is_file()
    assert not (ROOT / ".dockerignore").exists()


def test_docker_ignores_what_git_ignores():
    git = (ROOT / ".gitignore").read_text().split()
    docker = IGNORE.read_text().splitlines()
    for pattern in git:
        assert f"**/{pattern.rstrip('/')}" in docker, pattern


def test_scripts_of_the_image_exist():
    course = "/opt/conv/course/"
    words = re.findall(rf"{course}([\w./-]+)", "\n".join(r for _, r in DOCKERFILE))
    assert sorted(words) == [
        ".devcontainer/entrypoint.sh",
        ".devcontainer/healthcheck.py",
    ]
    for word in words:
        assert (ROOT / word).is_file()


SCRIPTS = ["binder/postBuild", "binder/start"]
SCRIPTS += [".devcontainer/entrypoint.sh", ".devcontainer/post_create.sh"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_scripts_are_executable_and_have_no_syntax_errors(path):
    script = ROOT / path
    assert stat.S_IMODE(script.stat().st_mode) & 0o111 == 0o111
    shell = script.read_text().splitlines()[0].removeprefix("#!")
    subprocess.run([shell, "-n", script], check=True)


def run(command: list, **environment: str) -> list[str]:
    done = subprocess.run(
        command,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_entrypoint_copies_the_course_only_once(tmp_path):
    notebooks = tmp_path / "course" / "notebooks"
    notebooks.mkdir(parents=True)
    (notebooks / "index.ipynb").write_text("as published")
    (tmp_path / "home").mkdir()
    folders = {"COURSE": str(tmp_path / "course"), "HOME": str(tmp_path / "home")}
    entrypoint = CONTAINER / "entrypoint.sh"
    work = 'pwd; cat notebooks/index.ipynb; printf "%s" "$1" > notebooks/index.ipynb'
    first = run([entrypoint, "sh", "-c", work, "-", "a learner's"], **folders)
    assert first == [str(tmp_path / "home" / "conv"), "as published"]
    second = run([entrypoint, "cat", "notebooks/index.ipynb"], **folders)
    assert second == ["a learner's"]
    assert (notebooks / "index.ipynb").read_text() == "as published"


def course_with(program: str, folder: Path) -> Path:
    """Create a course with a program in its environment that prints its arguments."""
    (folder / "binder").mkdir()
    start = folder / "binder" / "start"
    start.write_bytes((BINDER / "start").read_bytes())
    start.chmod(0o755)
    path = folder / ".venv" / "bin" / program
    path.parent.mkdir(parents=True)
    path.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    path.chmod(0o755)
    return start


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (["jupyter", "notebook", "--port=1", "a b"], ["lab", "--port=1", "a b"]),
        (["jupyter", "server", "list"], ["server", "list"]),
    ],
)
def test_binder_starts_the_jupyterlab_of_the_course(command, expected, tmp_path):
    start = course_with("jupyter", tmp_path)
    assert run([start, *command]) == expected


@pytest.mark.skipif(sys.prefix == sys.base_prefix, reason="not a virtual environment")
def test_devcontainer_uses_the_packages_of_the_image(tmp_path):
    script = CONTAINER / "post_create.sh"
    assert DEVCONTAINER["postCreateCommand"] == "sh .devcontainer/post_create.sh"
    subprocess.run(
        ["sh", script],
        cwd=tmp_path,
        env={**os.environ, "VIRTUAL_ENV": sys.prefix},
        check=True,
    )
    python = tmp_path / ".venv" / "bin" / "python"
    code = "import numpy, sys; print(sys.prefix)"
    assert run([python, "-c", code]) == [str(tmp_path / ".venv")]
    assert not (tmp_path / ".venv" / "ready").is_symlink()


def test_devcontainer_imports_conv_from_the_workspace():
    environment = DEVCONTAINER["containerEnv"]
    assert environment["PYTHONPATH"] == "${containerWorkspaceFolder}/src"
    settings = DEVCONTAINER["customizations"]["vscode"]["settings"]
    python = settings["python.defaultInterpreterPath"]
    [image] = [words for words in arguments_of("ENV") if "VIRTUAL_ENV" in words]
    assert f"VIRTUAL_ENV={python.removesuffix('/bin/python')} " in image


def test_image_has_the_programs_that_make_needs():
    [apt] = [words for words in arguments_of("RUN") if "apt-get" in words]
    assert {"git", "make", "g++"} < set(apt.split())
    assert "rm -rf /var/lib/apt/lists/*" in apt


def test_healthcheck_fails_without_a_server(tmp_path):
    (tmp_path / "jpserver-1.json").write_text('{"port": 9, "base_url": "/"}')
    done = subprocess.run(
        [sys.executable, CONTAINER / "healthcheck.py"],
        env={**os.environ, "JUPYTER_RUNTIME_DIR": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 1
