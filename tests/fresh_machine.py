"""Run the README's two commands on a machine that has never seen the course.

    make fresh
    python3 tests/fresh_machine.py --only lab --folder /tmp/fresh

The files that git tracks are copied from the working tree into an empty home. There a
user without rights runs ``make lab``, until JupyterLab answers, and ``make test``. The
environment contains only PATH, HOME, LANG and pip's settings. This script uses only
Python's standard library, because nothing else is installed yet.

With bubblewrap (``bwrap``) everything except the home and /tmp is read-only, and other
homes and the repository are hidden. Without it, root becomes ``nobody`` for the run and
looks for that user's new files afterwards; any other user just runs the commands.
"""

import argparse
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
USER, UID = "learner", 1000
HOME = Path("/home") / USER
SPARED = ["/tmp", "/var/tmp", "/dev", "/proc", "/sys"]
LIMIT = 4800  # seconds in total; the packages are large for a slow connection
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/lab/\S*\?token=(\w+)")
# What the two commands may leave behind. Git ignores all of the first.
IN_COURSE = r"(.*/)?(__pycache__|\.(venv|pytest_cache|ruff_cache|hypothesis))/"
IN_HOME = {".cache", ".config", ".ipython", ".jupyter", ".local", ".npm", "conv"}


# Inside: the learner


def say(text: str) -> None:
    """Print a line at once, between those of the commands."""
    print(f"fresh: {text}", flush=True)


def answer(url: str) -> tuple[int, str]:
    """Ask for a page; return the status, and the page."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:  # JupyterLab prints its address, then listens
            time.sleep(1)
    raise TimeoutError(url)


def address(process: subprocess.Popen) -> tuple[str, str]:
    """Read what ``make lab`` prints, up to its address and its token."""
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := ADDRESS.search(line):
            return found[1], found[2]
    raise SystemExit(f"make lab ended with {process.wait()}")


def lab() -> None:
    """Run ``make lab`` as the README has it; open its page, a notebook, and stop it."""
    process = subprocess.Popen(
        ["make", "lab"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        home, token = address(process)
        status, page = answer(f"{home}/lab/tree/notebooks/index.ipynb?token={token}")
        assert (status, "JupyterLab" in page) == (200, True), status
        index = f"{home}/api/contents/notebooks/index.ipynb"
        status, notebook = answer(f"{index}?token={token}")
        assert (status, json.loads(notebook)["type"]) == (200, "notebook")
        assert answer(index)[0] == 403, "a notebook without the token"
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def test() -> None:
    """Run ``make test`` as the README has it."""
    if status := subprocess.run(["make", "test"]).returncode:
        raise SystemExit(f"make test ended with {status}")


def litter() -> list[str]:
    """List what the commands left where a learner doesn't expect it."""
    status = ["git", "status", "--porcelain", "--ignored"]
    lines = subprocess.check_output(status, text=True).splitlines()
    found = [line for line in lines if not re.fullmatch(f"!! ({IN_COURSE})", line)]
    return found + sorted({path.name for path in Path.home().iterdir()} - IN_HOME)


def writable() -> list[str]:
    """List folders outside of home and /tmp in which a file could be made."""
    outside = {path for path in Path("/").iterdir() if path.is_dir()}
    outside |= {Path(name) for name in ("/", "/usr/local", "/var/lib")}
    outside -= {Path(name) for name in SPARED}
    return sorted(str(path) for path in outside if os.access(path, os.W_OK))


def inside(parts: list[str]) -> None:
    """Do what a learner does, in the folder of the course."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(LIMIT)
    say(f"uid {os.getuid()}, Python {sys.version.split()[0]}, {sorted(os.environ)}")
    assert os.getuid() != 0, "root could do more than a learner"
    assert not writable(), writable()
    for part in parts:
        begin = time.monotonic()
        {"lab": lab, "test": test}[part]()
        say(f"make {part} works; {time.monotonic() - begin:.0f} s")
    if found := litter():
        raise SystemExit(f"left behind: {found}")


# Outside: who sets the machine up


def git(*words: str, folder: Path = ROOT) -> str:
    """Run git, even in a folder of somebody else's, as a container's is."""
    words = ("-c", "safe.directory=*", *words)
    return subprocess.check_output(["git", *words], cwd=folder, text=True)


def copy_course(course: Path) -> None:
    """Copy what git tracks, with the changes not yet committed, as a repository."""
    for name in git("ls-files", "-z").split("\0"):
        if name and (ROOT / name).exists():
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, course / name)
    who = ("-c", f"user.name={USER}", "-c", f"user.email={USER}@localhost")
    git("init", "--quiet", folder=course)
    git("add", "--all", folder=course)
    git(*who, "commit", "--quiet", "--message", "The course", folder=course)


def copy_pip_settings(home: Path) -> None:
    """Keep a mirror that pip was told of."""
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        if (Path.home() / name).exists():
            (home / name).parent.mkdir(parents=True)
            shutil.copy(Path.home() / name, home / name)


def environment(home: Path) -> dict[str, str]:
    """Give the learner's whole environment."""
    path = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    pip = {name: value for name, value in os.environ.items() if name[:4] == "PIP_"}
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **pip}


def bubble(work: Path) -> list[str]:
    """Build bwrap's command: a root that can't be written, but for home and /tmp."""
    (work / "passwd").write_text(f"{USER}:x:{UID}:{UID}::{HOME}:/bin/sh\n")
    words = ["bwrap", "--die-with-parent", "--unshare-user", "--unshare-pid"]
    words += ["--uid", str(UID), "--gid", str(UID), "--ro-bind", "/", "/"]
    words += ["--dev", "/dev", "--proc", "/proc"]
    words += ["--ro-bind", str(work / "passwd"), "/etc/passwd"]
    candidates = {Path("/root"), Path("/home"), Path.home(), ROOT}
    hidden = sorted(str(path) for path in candidates if path.is_dir())
    words += [word for folder in hidden for word in ("--tmpfs", folder)]
    words += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    words += ["--bind", str(work / "home"), str(HOME)]
    words += [word for folder in hidden for word in ("--remount-ro", folder)]
    for folder in ("/tmp", "/var/tmp"):
        words += ["--bind", str(work / "tmp"), folder]
    return [*words, "--chdir", str(HOME / "conv")]


def works(words: list[str]) -> bool:
    """Say whether a command can be run here."""
    try:
        return subprocess.run([*words, "true"], timeout=60).returncode == 0
    except OSError:
        return False


def other_user(work: Path) -> list[str]:
    """Become nobody, a user without rights who is everywhere."""
    nobody = pwd.getpwnam("nobody")
    owner = f"{nobody.pw_uid}:{nobody.pw_gid}"
    subprocess.run(["chown", "-R", owner, work], check=True)
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}"]
    return ["setpriv", *ids, "--clear-groups", "--no-new-privs"]


def new_files(work: Path, top: Path = Path("/")) -> list[str]:
    """List nobody's files that are new, and neither at home nor in /tmp."""
    skip = [*SPARED, str(work)]
    prune = [word for path in skip for word in ("-path", path, "-prune", "-o")]
    test = ["-user", "nobody", "-newer", str(work / "begin"), "-print"]
    words = ["find", str(top), *prune, *test]
    return subprocess.run(words, capture_output=True, text=True).stdout.split()


def run(work: Path, parts: list[str]) -> None:
    """Choose the strictest machine that can be had here, and run the learner on it."""
    home, words, check = HOME, bubble(work), None
    if not works(words):
        home, words = work / "home", []
        say("no bubblewrap here: everything but other users' files can be written")
        if os.geteuid() == 0:
            words, check = other_user(work), new_files
    script = home / "conv" / "tests" / "fresh_machine.py"
    done = subprocess.run(
        [*words, "python3", script, "--inside", *parts],
        cwd=work / "home" / "conv",
        env=environment(home),
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    if check and (found := check(work)):
        raise SystemExit(f"written outside: {found}")


def main() -> None:
    """Set up a machine, or be the learner on it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=["lab", "test"], help="one of the two")
    parser.add_argument("--folder", type=Path, help="use this folder, and keep it")
    parser.add_argument("--inside", nargs="*", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside is not None:
        return inside(asked.inside)
    work = (asked.folder or Path(tempfile.mkdtemp(prefix="fresh-"))).resolve()
    try:
        if not (work / "begin").exists():
            (work / "tmp").mkdir(parents=True)
            (work / "begin").touch()
            copy_course(work / "home" / "conv")
            copy_pip_settings(work / "home")
        run(work, [asked.only] if asked.only else ["lab", "test"])
    finally:
        if not asked.folder:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
