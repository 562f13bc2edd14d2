"""Test which PyTorch ``requirements/install.py`` installs, and from which index.

The indexes are served locally, with empty wheels.
"""

import os
import socket
import subprocess
import sys
import time
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distributions
from pathlib import Path
from threading import Thread
from zipfile import ZipFile

import pytest

from load import load

install = load("requirements/install.py")

LOCK = """\
nvidia-fake==1.0 ; sys_platform != 'none'
plain==1.0
    # via conv
torch==9.9
torchvision==9.8 ; python_version > '3'
"""
WHOLE_LOCK = {
    "nvidia-fake": "1.0",
    "plain": "1.0",
    "torch": "9.9",
    "torchvision": "9.8",
}
CPU_ONLY = {"plain": "1.0", "torch": "9.9+cpu", "torchvision": "9.8+cpu"}
ANNOUNCEMENT = (
    "Installing the packages of the course: about {} to download, {} on disk. This "
    "takes several minutes, and pip prints nothing until it is done.\n"
)
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="CUDA is for Linux")


def make_wheel(index: Path, name: str, version: str) -> None:
    """Add an empty package to an index."""
    stem = f"{name.replace('-', '_')}-{version}"
    files = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": "",
    }
    (index / name).mkdir(parents=True, exist_ok=True)
    with ZipFile(index / name / f"{stem}-py3-none-any.whl", "w") as wheel:
        for file, text in files.items():
            wheel.writestr(f"{stem}.dist-info/{file}", text)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve folders, which pip can read as a package index, without logging."""

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def indexes(tmp_path_factory):
    """Serve two indexes; return their folder and their address."""
    folder = tmp_path_factory.mktemp("indexes")
    for name, version in WHOLE_LOCK.items():
        make_wheel(folder / "default", name, version)
    for name in ("torch", "torchvision"):
        make_wheel(folder / "cpu", name, CPU_ONLY[name])
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def machine(indexes, tmp_path, monkeypatch):
    """Make pip install into an empty folder, from the local default index only."""
    for name in list(os.environ):
        if name.startswith("PIP_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    settings = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": f"{indexes[1]}/default",
        "PIP_TARGET": str(tmp_path / "installed"),
        "PIP_NO_CACHE_DIR": "1",
        "PIP_RETRIES": "0",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(install, "has_nvidia_driver", lambda: False)
    (tmp_path / "lock.txt").write_text(LOCK)
    return tmp_path


def run(machine: Path, index: str, *options: str) -> dict[str, str]:
    """Run the installer; return the versions that it installed."""
    lock = str(machine / "lock.txt")
    install.main(["--lock", lock, "--cpu-index", index, *options])
    found = distributions(path=[str(machine / "installed")])
    return {package.name: package.version for package in found}


def unreachable_index() -> str:
    """Return the address of an index that refuses connections."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}/cpu"


# Which build


@on_linux
def test_auto_without_a_driver_installs_the_cpu_builds(machine, indexes, capsys):
    assert run(machine, f"{indexes[1]}/cpu") == CPU_ONLY
    assert capsys.readouterr().out == ANNOUNCEMENT.format("0.6 GB", "2.5 GB")


def test_cpu_installs_the_cpu_builds(machine, indexes):
    assert run(machine, f"{indexes[1]}/cpu", "--torch", "cpu") == CPU_ONLY


def test_cuda_installs_the_whole_lock(machine, indexes):
    assert run(machine, f"{indexes[1]}/cpu", "--torch", "cuda") == WHOLE_LOCK


def test_auto_with_a_driver_installs_the_whole_lock(machine, indexes, monkeypatch):
    monkeypatch.setattr(install, "has_nvidia_driver", lambda: True)
    assert run(machine, f"{indexes[1]}/cpu") == WHOLE_LOCK


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_auto_installs_the_whole_lock_on_macos_and_windows(system, monkeypatch):
    monkeypatch.setattr(install.sys, "platform", system)
    monkeypatch.setattr(install, "has_nvidia_driver", lambda: False)
    assert install.choose_torch(["torch==9.9"], unreachable_index(), None) == "cuda"


@on_linux
def test_auto_installs_the_whole_lock_if_the_cpu_index_is_unreachable(machine, capsys):
    index = unreachable_index()
    assert run(machine, index) == WHOLE_LOCK
    assert capsys.readouterr().out == (
        f"PyTorch's smaller build for CPUs isn't available here ({index} didn't "
        "respond), so the build with CUDA is installed. It also works without an "
        f"NVIDIA GPU.\n{ANNOUNCEMENT.format('3.5 GB', '7 GB')}"
    )


def test_cpu_fails_if_the_cpu_index_is_unreachable(machine):
    index = unreachable_index()
    with pytest.raises(SystemExit, match=rf"^{index} can't be reached"):
        run(machine, index, "--torch", "cpu")
    assert not (machine / "installed").exists()


@on_linux
@pytest.mark.parametrize(("found", "build"), [("9.9+cpu", "cpu"), ("9.9", "cuda")])
def test_auto_keeps_the_installed_build(found, build, machine, monkeypatch):
    monkeypatch.setattr(install, "version", lambda name: found)
    assert install.choose_torch(["torch==9.9"], unreachable_index(), None) == build
    assert install.installed_build(["torch==9.8"]) == ""


# The index


def test_reachable_index_is_detected(indexes):
    assert install.answers(f"{indexes[1]}/cpu", 5)
    assert not install.answers(f"{indexes[1]}/nothing", 5)


def test_index_that_does_not_respond_times_out_quickly():
    """A firewall that drops packets behaves like this."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begin = time.monotonic()
        assert not install.answers(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.5)
        assert time.monotonic() - begin < 3


def test_slow_name_lookup_times_out_quickly(monkeypatch):
    def look_up(*_: object, **__: object) -> None:
        time.sleep(5)
        raise OSError

    monkeypatch.setattr(install.urllib.request, "urlopen", look_up)
    begin = time.monotonic()
    assert not install.answers("http://localhost", 0.2)
    assert time.monotonic() - begin < 3


# The hashes


def hashes(index: Path, packages: dict[str, str]) -> str:
    """Return a lock with the hashes of an index's files."""
    lines = []
    for name, version in packages.items():
        [file] = (index / name).iterdir()
        digest = sha256(file.read_bytes()).hexdigest()
        lines.append(f"{name}=={version} \\\n    --hash=sha256:{digest}\n")
    return "".join(lines)


def hash_options(machine: Path, folder: Path, *, cpu: bool) -> list[str]:
    """Write the locks with hashes; return the options that name them."""
    files = {"hashed.txt": hashes(folder / "default", WHOLE_LOCK)}
    if cpu:
        builds = {name: CPU_ONLY[name] for name in ("torch", "torchvision")}
        files["hashed-cpu.txt"] = hashes(folder / "cpu", builds)
    for name, text in files.items():
        (machine / name).write_text(text)
    return ["--hashes", *(str(machine / name) for name in files)]


@on_linux
def test_auto_installs_the_cpu_builds_if_their_hashes_are_known(machine, indexes):
    folder, address = indexes
    options = hash_options(machine, folder, cpu=True)
    assert run(machine, f"{address}/cpu", *options) == CPU_ONLY


def test_cpu_build_with_a_wrong_hash_is_rejected(machine, indexes):
    folder, address = indexes
    options = hash_options(machine, folder, cpu=True)
    file = machine / "hashed-cpu.txt"
    file.write_text(hashes(folder / "default", WHOLE_LOCK).replace("9.9", "9.9+cpu"))
    file.write_text(file.read_text().replace("9.8", "9.8+cpu"))
    with pytest.raises(subprocess.CalledProcessError):
        run(machine, f"{address}/cpu", "--torch", "cpu", *options)


@on_linux
def test_auto_without_hashes_of_the_cpu_builds_installs_the_whole_lock(
    machine, indexes, capsys
):
    folder, address = indexes
    options = hash_options(machine, folder, cpu=False)
    assert run(machine, f"{address}/cpu", *options) == WHOLE_LOCK
    assert capsys.readouterr().out == (
        "PyTorch's smaller build for CPUs isn't available here (the hashes of its "
        "files are not known), so the build with CUDA is installed. It also works "
        f"without an NVIDIA GPU.\n{ANNOUNCEMENT.format('3.5 GB', '7 GB')}"
    )


def test_cpu_without_hashes_of_the_cpu_builds_fails(machine, indexes, capsys):
    folder, address = indexes
    options = hash_options(machine, folder, cpu=False)
    with pytest.raises(SystemExit, match="2"):
        run(machine, f"{address}/cpu", "--torch", "cpu", *options)
    assert "the hashes of PyTorch's CPU builds are not known" in capsys.readouterr().err
    assert not (machine / "installed").exists()


# The driver


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ([], False),
        (["proc/driver/nvidia/version"], True),
        (["dev/nvidiactl"], True),
        (["dev/nvidia0"], True),
        (["dev/dxg"], False),  # WSL 2 on a computer with another GPU
        (["usr/lib/wsl/lib/libcuda.so.1"], False),
        (["dev/dxg", "usr/lib/wsl/lib/libcuda.so.1"], True),
    ],
)
def test_driver_is_detected_by_its_files(files, found, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert install.has_nvidia_driver(tmp_path) is found


def test_driver_is_detected_by_its_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    program = tmp_path / ("nvidia-smi.exe" if os.name == "nt" else "nvidia-smi")
    program.touch(mode=0o755)
    assert install.has_nvidia_driver(tmp_path)


def test_make_lock_uses_the_same_index():
    makefile = (Path(install.__file__).parent.parent / "Makefile").read_text()
    assert f"CPU_INDEX := {install.CPU_INDEX}\n" in makefile
    assert "TORCH ?= auto\n" in makefile
