"""Test the project's files: environment, locks, README, workflows and package."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import check_gpu
import conv
from load import load

install = load("requirements/install.py")

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def locked(file: str = "requirements.txt") -> dict[str, list[Requirement]]:
    """Parse a lock: return, by name, one requirement per platform."""
    lines = (ROOT / file).read_text().replace("\\\n", "").splitlines()
    requirements: dict[str, list[Requirement]] = {}
    for line in lines:
        if line and not line.lstrip().startswith("#"):
            requirement = Requirement(line.partition(" --hash")[0])
            requirements.setdefault(canonicalize_name(requirement.name), []).append(
                requirement
            )
    return requirements


LOCKS = {
    "requirements.txt": ["dev"],
    "requirements/teacher.txt": ["dev", "teacher"],
    "requirements/site.txt": ["dev", "site"],
    "requirements/audit.txt": ["dev", "audit"],
}
HASHED = "requirements/hashed.txt"
HASHED_CPU = (
    "requirements/hashed-cpu.txt"  # exists if `make lock` could reach PyTorch's index
)
each_lock = pytest.mark.parametrize("file", LOCKS)


def requirements_of(extras: list[str]) -> list[Requirement]:
    project = PROJECT["project"]
    groups = [project["optional-dependencies"][extra] for extra in extras]
    texts = [text for group in [project["dependencies"], *groups] for text in group]
    return [Requirement(text) for text in texts]


@each_lock
def test_locks_pin_exact_versions(file):
    for requirements in locked(file).values():
        for requirement in requirements:
            assert re.fullmatch(r"==[\w.]+", str(requirement.specifier)), requirement


@each_lock
def test_other_locks_extend_the_learners_lock(file):
    more, less = locked(file), locked()
    pins = {name: [str(r.specifier) for r in rs] for name, rs in more.items()}
    assert all(
        pins[name] == [str(r.specifier) for r in rs] for name, rs in less.items()
    )


def pins(file: str) -> set[tuple[str, str]]:
    """Return the pairs of names and versions in a lock."""
    lock = locked(file)
    return {(name, str(r.specifier)) for name in lock for r in lock[name]}


def test_hashes_are_of_the_locked_versions():
    assert pins(HASHED) == set().union(*map(pins, LOCKS))
    for file in ROOT.glob(HASHED_CPU):  # `make lock` writes it if it can
        _, torch = install.split((ROOT / "requirements.txt").read_text())
        assert install.has_cpu_hashes(torch, file.read_text())
        assert len(pins(HASHED_CPU)) == len(torch)


@each_lock
def test_every_pin_has_hashes(file):
    lock = (ROOT / file).read_text()
    lines = install.hashed(lock, (ROOT / HASHED).read_text()).splitlines()
    assert len(lines) == sum(len(found) for found in locked(file).values())
    for line in lines:
        assert re.search(r"( --hash=sha256:[0-9a-f]{64})+$", line), line
        assert line.partition(" --hash")[0] in lock.splitlines()


def test_pin_without_a_hash_raises():
    hashes = "a==1 \\\n    --hash=sha256:1\nb==2 ; x \\\n    --hash=sha256:2\n"
    assert install.hashed("b==2 ; y\n    # via a\n", hashes) == (
        "b==2 ; y --hash=sha256:2\n"
    )
    with pytest.raises(KeyError, match="b==3"):
        install.hashed("b==3\n", hashes)


def test_jupyterhub_cannot_be_installed_with_hashes(capsys):
    with pytest.raises(SystemExit, match="2"):
        install.main(["--jupyterhub", "6", "--hashes", str(ROOT / HASHED)])
    assert "the hashes of jupyterhub are not known" in capsys.readouterr().err


# The root folder


def test_root_folder_is_small():
    """At most 21 tracked entries, so that newcomers find the course."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    entries = {name.partition("/")[0] for name in listed.stdout.splitlines()}
    assert {"README.md", "LICENSE", "Makefile", "notebooks", "src"} < entries
    assert len(entries) <= 21, sorted(entries)


def test_pip_requires_hashes(monkeypatch):
    calls = []

    def record(command: list[str], check: bool) -> None:
        calls.append((command, Path(command[-1]).read_text()))

    monkeypatch.setattr(install.subprocess, "run", record)
    install.main(["--torch", "cuda", "--hashes", str(ROOT / HASHED)])
    [(command, lock)] = calls
    assert {"--require-hashes", "--no-deps"} < set(command)
    assert lock.count("--hash") > 1000


def test_every_extra_is_locked():
    assert {extra for extras in LOCKS.values() for extra in extras} == set(
        PROJECT["project"]["optional-dependencies"]
    )


@each_lock
def test_lock_satisfies_pyproject(file):
    lock = locked(file)
    for required in requirements_of(LOCKS[file]):
        for pinned in lock[canonicalize_name(required.name)]:
            version = str(pinned.specifier).removeprefix("==")
            assert required.specifier.contains(version), (required, pinned)


def test_installed_versions_match_the_lock():
    """A CPU build of torch comes without CUDA's packages."""
    for name, requirements in locked().items():
        if torch.version.cuda is None and install.CUDA.fullmatch(name):
            continue
        for requirement in requirements:
            if requirement.marker is None or requirement.marker.evaluate():
                pin = str(requirement.specifier).removeprefix("==")
                # The version of torch may be 2.x+cu130.
                found = version(name).partition("+")[0]
                assert found == pin, name


def test_conda_environment_installs_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment["name"] == "conv"
    *conda, pip = environment["dependencies"]
    assert "pip" in conda
    assert pip == {"pip": ["-r requirements.txt", "-e ."]}
    [python] = [spec for spec in conda if spec.startswith("python=")]
    release = python.removeprefix("python=")
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    assert supported.contains(release)
    for name, requirements in locked().items():
        markers = [requirement.marker for requirement in requirements]
        here = {"python_version": release, "python_full_version": f"{release}.0"}
        chosen = [m for m in markers if m is None or m.evaluate(here)]
        assert len(chosen) <= 1, name


COMMANDS = {"site": "make site", "weekly": "make fresh"}  # others run make test


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_the_readmes_commands(path):
    workflow = yaml.safe_load(path.read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    command = COMMANDS.get(path.stem, "make test")
    lines = [
        line.split() for step in steps for line in step.get("run", "").splitlines()
    ]
    assert command.split() in [line[:2] for line in lines]


def test_there_are_workflows():
    assert [path.stem for path in WORKFLOWS] == ["ci", "gpu", "site", "weekly"]


MAKEFILE = (ROOT / "Makefile").read_text().replace("\\\n", "")
TARGETS = re.findall(r"^([a-z-]+):.*## ", MAKEFILE, flags=re.M)
ROW = re.compile(r"^\| `make ([a-z-]+)` \| .* \| (.*) \|$", re.M)


def targets_run_by(*files: str) -> set[str]:
    """List the make targets that files run, with their prerequisites."""
    text = "\n".join((ROOT / file).read_text() for file in files)
    lines = re.findall(r"^(?:\s*(?:- )?(?:run: )?)make (.*)", text, flags=re.M)
    found = {word for line in lines for word in line.split() if word in TARGETS}
    if "$TARGET" in text:
        found |= set(re.findall(r"^ +- ([a-z-]+)$", text, flags=re.M)) & set(TARGETS)
    rules = dict(re.findall(r"^([a-z-]+):(.*?)##", MAKEFILE, flags=re.M))
    while more := {w for target in found for w in rules[target].split()} & (
        set(TARGETS) - found
    ):
        found |= more
    return found


def test_every_command_is_run_regularly():
    """docs/authors.md states who runs each command, so that none breaks unnoticed."""
    rows = dict(ROW.findall((ROOT / "docs" / "authors.md").read_text()))
    assert set(rows) == set(TARGETS)
    always = targets_run_by(".ci/run")
    weekly = targets_run_by(".github/workflows/weekly.yml")
    fresh = (ROOT / "tests" / "fresh_machine.py").read_text()
    for target, runner in rows.items():
        if runner.startswith("tests: "):
            assert (ROOT / runner.removeprefix("tests: ").strip("`")).exists()
        elif runner == "weekly, by `make fresh`":
            assert f"make {target}" in fresh
        else:
            assert runner.partition(";")[0] in {"every change", "weekly"}, target
            assert target in (always if runner == "every change" else weekly), target


def test_help_lists_every_command():
    listed = subprocess.run(
        ["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert re.findall(r"^  make ([a-z-]+) +\w", listed, flags=re.M) == TARGETS


def test_files_that_the_readme_links_exist():
    readme = (ROOT / "README.md").read_text()
    links = re.findall(r"(?:\]\(|src=\")([^)\s\"]+)[)\"]", readme)
    local = [link for link in links if not link.startswith("https://")]
    assert local
    for link in local:
        assert (ROOT / link).exists(), link


def test_importing_conv_loads_few_packages():
    code = (
        "import torch, matplotlib.pyplot, sys; before = set(sys.modules); import conv; "
        "print(*(set(sys.modules) - before))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in run.stdout.split()}
    assert "conv" in loaded
    assert not loaded & {"d2l", "torchvision", "sklearn", "skimage", "scipy", "pandas"}
    assert not loaded & {"IPython", "ipywidgets", "notebook"}


def test_every_public_name_is_documented():
    for name in conv.__all__:
        text = getattr(conv, name).__doc__
        assert text, name
        assert not text.startswith(f"{name}("), (
            "this is the default docstring of a dataclass"
        )


def test_gpu_check_detects_a_run_on_the_cpu(monkeypatch):
    monkeypatch.setenv("CONV_DEVICE", "cpu")
    index = ROOT / "notebooks" / "index.ipynb"
    assert check_gpu.accelerator_bytes(index) == 0
    monkeypatch.setattr(check_gpu, "QUESTION", "print(12)")  # as a GPU would answer
    assert check_gpu.accelerator_bytes(index) == 12
