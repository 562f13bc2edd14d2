"""Install requirements.txt into this Python's environment, with the torch asked for.

    python binder/install.py --torch cpu --jupyterhub 6.1.1

The Makefile, the Dockerfile and binder/postBuild run it. On Linux the lock brings CUDA,
some 6 GB; ``--torch cpu`` leaves that out and takes the same versions of torch and
torchvision from PyTorch's own index of builds for a CPU. ``--hashes FILE`` lets pip
take only files whose SHA-256 is in that file; PyTorch's own index has other files.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LOCK = Path(__file__).parent.parent / "requirements.txt"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# torch's requirements that only CUDA needs, and the two packages built for a device.
CUDA = re.compile(r"(nvidia-|cuda-)[\w.-]+|triton")
TORCH = re.compile(r"torch|torchvision")


def split(lock: str) -> tuple[list[str], list[str]]:
    """Split a lock's lines: those that stay for a CPU, and torch's own pins."""
    rest, torch = [], []
    for line in lock.splitlines():
        name = line.partition("==")[0]
        if TORCH.fullmatch(name):
            torch.append(line.partition(";")[0].strip())
        elif not CUDA.fullmatch(name):
            rest.append(line)
    return rest, torch


def hashed(lock: str, hashes: str) -> str:
    """Write a lock's pins with the hashes that another lock has for the same pins."""
    known: dict[str, str] = {}
    for block in re.split(r"\n(?=\w)", hashes):
        pin, _, rest = block.partition(" ")
        known[pin] = "".join(f" --hash={h}" for h in re.findall(r"--hash=(\S+)", rest))
    pins = [line for line in lock.splitlines() if re.match(r"\w", line)]
    return "".join(f"{line}{known[line.partition(' ')[0]]}\n" for line in pins)


def commands(torch: str, jupyterhub: str, lock: Path, folder: Path) -> list[list[str]]:
    """Write a lock for pip into `folder`; return pip's arguments, one list a run."""
    if torch == "cpu":
        rest, pins = split(lock.read_text(encoding="utf-8"))
        cpu = folder / "requirements-cpu.txt"
        cpu.write_text("\n".join(rest) + "\n", encoding="utf-8")
        todo = [
            ["--no-deps", "--index-url", CPU_INDEX, *pins],
            ["--no-deps", "--requirement", str(cpu)],
        ]
    else:
        todo = [["--no-deps", "--requirement", str(lock)]]
    # Not in the lock: its version is the hub's business. What it needs may come along,
    # but the constraint makes pip give up rather than move a version of the lock.
    if jupyterhub:
        todo.append(["--constraint", str(lock), f"jupyterhub=={jupyterhub}"])
    return todo


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, run pip."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--torch", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--jupyterhub", default="", help="a version; empty: none")
    parser.add_argument("--lock", type=Path, default=LOCK)
    parser.add_argument("--dry-run", action="store_true", help="only let pip look")
    parser.add_argument("--hashes", type=Path, help="a lock with all pins' hashes")
    asked = parser.parse_args(arguments)
    if asked.hashes and (asked.torch == "cpu" or asked.jupyterhub):
        parser.error("--hashes: only with --torch cuda, and without --jupyterhub")
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    if asked.dry_run:
        pip.append("--dry-run")
    with tempfile.TemporaryDirectory() as name:
        folder, lock = Path(name), asked.lock
        if asked.hashes:
            pip.append("--require-hashes")
            lock = folder / "requirements-hashed.txt"
            lock.write_text(hashed(asked.lock.read_text(), asked.hashes.read_text()))
        for command in commands(asked.torch, asked.jupyterhub, lock, folder):
            subprocess.run([*pip, *command], check=True)


if __name__ == "__main__":
    main()
