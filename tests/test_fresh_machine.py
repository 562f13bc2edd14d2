"""Test the checks of ``make fresh``. It checks its isolation itself."""

from pathlib import Path

import pytest

import fresh_machine


@pytest.fixture
def work(tmp_path):
    (tmp_path / "tmp").mkdir()
    (tmp_path / "begin").touch()
    course = tmp_path / "home" / "conv"
    (course / "tests").mkdir(parents=True)
    script = Path(fresh_machine.__file__)
    (course / "tests" / script.name).write_text(script.read_text())
    (course / ".gitignore").write_text("build/\n.venv/\n__pycache__/\n")
    for words in (["init", "--quiet"], ["add", "."]):
        fresh_machine.git(*words, folder=course)
    who = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    fresh_machine.git(*who, "commit", "--quiet", "-m", "a", folder=course)
    return tmp_path


def test_environment_has_only_pip_settings(work, monkeypatch):
    monkeypatch.setenv("PIP_TIMEOUT", "9")
    monkeypatch.setenv("VIRTUAL_ENV", "/x")
    found = fresh_machine.environment(work)
    assert {name for name in found if name[:4] != "PIP_"} == {"PATH", "HOME", "LANG"}
    assert found["PIP_TIMEOUT"] == "9"


def test_unexpected_files_are_reported(work, monkeypatch):
    course = work / "home" / "conv"
    monkeypatch.chdir(course)
    monkeypatch.setenv("HOME", str(work / "home"))
    (course / ".venv").mkdir()
    (course / ".venv" / "ready").touch()
    (course / "tests" / "__pycache__").mkdir()
    (course / "tests" / "__pycache__" / "a.pyc").touch()
    assert fresh_machine.unexpected_files() == []
    (course / "build").mkdir()
    (course / "build" / "a").touch()
    (course / "b.txt").touch()
    (course / ".gitignore").write_text("build/\n.venv/\n__pycache__/\n# \n")
    (work / "home" / ".odd").touch()
    found = {" M .gitignore", "?? b.txt", "!! build/", ".odd"}
    assert set(fresh_machine.unexpected_files()) == found


def test_address_is_read_from_the_output_of_jupyterlab():
    line = (
        "[I ServerApp] http://127.0.0.1:8889/lab/tree/notebooks/index.ipynb?token=a1\n"
    )
    found = fresh_machine.ADDRESS.search(line)
    assert found.groups() == ("http://127.0.0.1:8889", "a1")
    assert not fresh_machine.ADDRESS.search(line.replace("127.0.0.1", "0.0.0.0"))
