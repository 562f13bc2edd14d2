"""Install a lock into this Python's environment, with a build of PyTorch.

    python requirements/install.py --torch cpu --jupyterhub 6.1.1

The Makefile, the Dockerfile and binder/postBuild run it. On Linux the lock includes
CUDA, which is 3 GB to download and takes 5 GB on disk. ``--torch cpu`` leaves CUDA out
and takes the same versions of torch and torchvision from PyTorch's index of CPU builds.
``--torch auto`` does the same where Linux has no NVIDIA driver, provided that the index
answers; if it doesn't, the whole lock is installed. ``--hashes`` lets pip install only
files whose SHA-256 is in the given files.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# torch's requirements that only CUDA needs, and the two packages built for a device.
CUDA = re.compile(r"(nvidia-|cuda-)[\w.-]+|triton")
TORCH = re.compile(r"torch|torchvision")
# What a first installation downloads, and what it takes on disk.
SIZES = {"cpu": ("0.6 GB", "2.5 GB"), "cuda": ("3.5 GB", "7 GB")}
# Files that the driver creates on Linux. Under WSL 2, /dev/dxg can belong to any GPU,
# but only NVIDIA's driver for Windows adds a libcuda.
DRIVER = ["proc/driver/nvidia/version", "dev/nvidiactl", "dev/nvidia0"]
WSL_DRIVER = ["dev/dxg", "usr/lib/wsl/lib/libcuda.so.1"]


def has_nvidia_driver(root: Path = Path("/")) -> bool:
    """Return whether this Linux system, or the Windows around WSL, has the driver."""
    return (
        shutil.which("nvidia-smi") is not None
        or any((root / path).exists() for path in DRIVER)
        or all((root / path).exists() for path in WSL_DRIVER)
    )


def answers(index: str, seconds: float) -> bool:
    """Return whether a package index answers one request in time.

    The thread limits the total time: a timeout of urllib's is per address, and it
    doesn't include the name lookup. A firewall that drops packets would take minutes.
    """
    answered = threading.Event()

    def request() -> None:
        page = urllib.request.Request(f"{index}/torch/", method="HEAD")
        with suppress(OSError):
            urllib.request.urlopen(page, timeout=seconds).close()
            answered.set()

    thread = threading.Thread(target=request, daemon=True)
    thread.start()
    thread.join(seconds)
    return answered.is_set()


def installed_build(pins: list[str]) -> str:
    """Return the installed build of the pinned torch: cpu, cuda, or "" if none is."""
    with suppress(PackageNotFoundError):
        release, _, build = version("torch").partition("+")
        if f"torch=={release}" in pins:
            return "cpu" if build == "cpu" else "cuda"
    return ""


def choose_torch(pins: list[str], index: str, hashes: str | None) -> str:
    """Choose cpu or cuda for ``--torch auto``; if cpu isn't available, print why."""
    if sys.platform != "linux" or has_nvidia_driver():
        return "cuda"  # macOS and Windows have no CUDA in the lock
    if build := installed_build(pins):
        return build
    if hashes is not None and not has_cpu_hashes(pins, hashes):
        reason = "the hashes of its files are not known"
    elif not answers(index, seconds=5):
        reason = f"{index} didn't respond"
    else:
        return "cpu"
    print(
        f"PyTorch's smaller build for CPUs isn't available here ({reason}), so the "
        "build with CUDA is installed. It also works without an NVIDIA GPU.",
        flush=True,
    )
    return "cuda"


def announce(torch: str) -> None:
    """Print how much a first installation downloads, because pip works silently."""
    download, disk = SIZES[torch if sys.platform == "linux" else "cpu"]
    print(
        f"Installing the packages of the course: about {download} to download, {disk} "
        "on disk. This takes several minutes, and pip prints nothing until it is done.",
        flush=True,
    )


def split(lock: str) -> tuple[list[str], list[str]]:
    """Split a lock's lines into those needed without CUDA, and torch's own pins."""
    rest, torch = [], []
    for line in lock.splitlines():
        name = line.partition("==")[0]
        if TORCH.fullmatch(name):
            torch.append(line.partition(";")[0].strip())
        elif not CUDA.fullmatch(name):
            rest.append(line)
    return rest, torch


def known_hashes(hashes: str) -> dict[str, str]:
    """Parse a lock with hashes; return pip's options for each pin."""
    known: dict[str, str] = {}
    for block in re.split(r"\n(?=\w)", hashes):
        pin, _, rest = block.partition(" ")
        known[pin] = "".join(f" --hash={h}" for h in re.findall(r"--hash=(\S+)", rest))
    return known


def has_cpu_hashes(pins: list[str], hashes: str) -> bool:
    """Return whether the hashes of the pins' CPU builds are known."""
    known = known_hashes(hashes)
    return all(known.get(f"{pin}+cpu") for pin in pins)


def hashed(lock: str, hashes: str) -> str:
    """Return a lock's pins with the hashes that another lock has for the same pins."""
    known = known_hashes(hashes)
    pins = [line for line in lock.splitlines() if re.match(r"\w", line)]
    return "".join(f"{line}{known[line.partition(' ')[0]]}\n" for line in pins)


def commands(
    torch: str,
    jupyterhub: str,
    lock: Path,
    folder: Path,
    index: str = CPU_INDEX,
    hashes: str | None = None,
) -> list[list[str]]:
    """Write locks for pip into `folder`; return pip's arguments, one list per run."""
    text = lock.read_text(encoding="utf-8")
    parts = [("all", [], text)]
    if torch == "cpu":
        rest, pins = split(text)
        if hashes is not None:  # the hashes are those of the CPU builds
            pins = [f"{pin}+cpu" for pin in pins]
        parts = [
            ("torch", ["--index-url", index], "\n".join(pins)),
            ("rest", [], "\n".join(rest) + "\n"),
        ]
    pip_arguments = []
    for name, options, part in parts:
        file = folder / f"{name}.txt"
        file.write_text(part if hashes is None else hashed(part, hashes), "utf-8")
        pip_arguments.append(["--no-deps", *options, "--requirement", str(file)])
    # JupyterHub isn't in the lock, because the hub determines its version. pip may add
    # its dependencies, but because of the constraint it fails rather than change a
    # locked version.
    if jupyterhub:
        pip_arguments.append(["--constraint", str(lock), f"jupyterhub=={jupyterhub}"])
    return pip_arguments


def main(arguments: list[str] | None = None) -> None:
    """Parse the command line and run pip."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--torch", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--cpu-index", default=CPU_INDEX, help="index of torch's CPU builds"
    )
    parser.add_argument(
        "--jupyterhub", default="", help="version to install; none if empty"
    )
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--dry-run", action="store_true", help="pass --dry-run to pip")
    parser.add_argument("--hashes", type=Path, nargs="+", help="locks with hashes")
    options = parser.parse_args(arguments)
    torch, index, hashes = options.torch, options.cpu_index, None
    _, pins = split(options.lock.read_text(encoding="utf-8"))
    if options.hashes:
        hashes = "\n".join(file.read_text(encoding="utf-8") for file in options.hashes)
        if options.jupyterhub:
            parser.error(
                "--hashes can't be combined with --jupyterhub, because the hashes of "
                "jupyterhub are not known"
            )
        if torch == "cpu" and not has_cpu_hashes(pins, hashes):
            parser.error(
                "--hashes: the hashes of PyTorch's CPU builds are not known. "
                "Use --torch cuda, or omit --hashes"
            )
    if torch == "auto":
        torch = choose_torch(pins, index, hashes)
    elif torch == "cpu" and not installed_build(pins) and not answers(index, 20):
        sys.exit(
            f"{index} can't be reached, and no other index has PyTorch's CPU builds. "
            "Check the network connection, or use --torch cuda."
        )
    if not installed_build(pins):
        announce(torch)
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    pip += ["--dry-run"] * options.dry_run + ["--require-hashes"] * bool(options.hashes)
    with tempfile.TemporaryDirectory() as name:
        for command in commands(
            torch, options.jupyterhub, options.lock, Path(name), index, hashes
        ):
            subprocess.run([*pip, *command], check=True)


if __name__ == "__main__":
    main()
