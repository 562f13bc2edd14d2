"""Run the README's two commands on a machine on which nothing is installed.

    make fresh
    python3 tests/fresh_machine.py --only lab --folder /tmp/fresh

The files that git tracks are copied from the working tree into an empty home folder.
There an unprivileged user runs ``make lab``, until JupyterLab answers, and then
``make test``. The environment contains only PATH, HOME, LANG and pip's settings. This
script uses only Python's standard library, because nothing else is installed yet.

With bubblewrap (``bwrap``), everything except the home folder and /tmp is read-only,
and other home folders and the repository are hidden. Without it, root runs the commands
as the user ``nobody`` and then looks for files that this user created elsewhere; any
other user just runs the commands.
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
EXCLUDED = ["/tmp", "/var/tmp", "/dev", "/proc", "/sys"]
LIMIT = 4800  # seconds in total; the packages are large for a slow connection
ADDRESS = re.compile(r"(http://127\.0\.0\.1:\d+)/lab/\S*\?token=(\w+)")
# What the two commands may create. Git ignores everything that matches IN_COURSE.
IN_COURSE = r"(.*/)?(__pycache__|\.(venv|pytest_cache|ruff_cache|hypothesis))/"
IN_HOME = {".cache", ".config", ".ipython", ".jupyter", ".local", ".npm", "conv"}


# Inside: run the commands as a learner


def log(text: str) -> None:
    """Print a line unbuffered, in order with the output of the commands."""
    print(f"fresh: {text}", flush=True)


def request(url: str) -> tuple[int, str]:
    """Request a page; return its status and its text."""
    for _ in range(60):
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:  # JupyterLab prints its address before it listens
            time.sleep(1)
    raise TimeoutError(url)


def read_address(process: subprocess.Popen) -> tuple[str, str]:
    """Read the output of ``make lab`` until it contains the address and the token."""
    for line in process.stdout:
        print(line, end="", flush=True)
        if found := ADDRESS.search(line):
            return found[1], found[2]
    raise SystemExit(f"make lab exited with status {process.wait()}")


def check_lab() -> None:
    """Run ``make lab``, open its page and a notebook, and stop it."""
    process = subprocess.Popen(
        ["make", "lab"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        home, token = read_address(process)
        status, page = request(f"{home}/lab/tree/notebooks/index.ipynb?token={token}")
        assert (status, "JupyterLab" in page) == (200, True), status
        index = f"{home}/api/contents/notebooks/index.ipynb"
        status, notebook = request(f"{index}?token={token}")
        assert (status, json.loads(notebook)["type"]) == (200, "notebook")
        assert request(index)[0] == 403, (
            "the server sent a notebook without asking for the token"
        )
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=60)


def check_test() -> None:
    """Run ``make test``."""
    if status := subprocess.run(["make", "test"]).returncode:
        raise SystemExit(f"make test exited with status {status}")


def unexpected_files() -> list[str]:
    """List files that the commands left in unexpected places."""
    status = ["git", "status", "--porcelain", "--ignored"]
    lines = subprocess.check_output(status, text=True).splitlines()
    found = [line for line in lines if not re.fullmatch(f"!! ({IN_COURSE})", line)]
    return found + sorted({path.name for path in Path.home().iterdir()} - IN_HOME)


def writable_folders() -> list[str]:
    """List writable folders outside of the home folder and /tmp."""
    outside = {path for path in Path("/").iterdir() if path.is_dir()}
    outside |= {Path(name) for name in ("/", "/usr/local", "/var/lib")}
    outside -= {Path(name) for name in EXCLUDED}
    return sorted(str(path) for path in outside if os.access(path, os.W_OK))


def inside(parts: list[str]) -> None:
    """Run the commands as a learner, in the folder of the course."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.alarm(LIMIT)
    log(f"uid {os.getuid()}, Python {sys.version.split()[0]}, {sorted(os.environ)}")
    assert os.getuid() != 0, "run this as an unprivileged user, not as root"
    assert not writable_folders(), writable_folders()
    for part in parts:
        begin = time.monotonic()
        {"lab": check_lab, "test": check_test}[part]()
        log(f"make {part} succeeded in {time.monotonic() - begin:.0f} s")
    if found := unexpected_files():
        raise SystemExit(f"unexpected files: {found}")


# Outside: set up the machine


def git(*words: str, folder: Path = ROOT) -> str:
    """Run git, even in a folder that another user owns, as in a container."""
    words = ("-c", "safe.directory=*", *words)
    return subprocess.check_output(["git", *words], cwd=folder, text=True)


def copy_course(course: Path) -> None:
    """Copy the tracked files, including uncommitted changes, into a new repository."""
    for name in git("ls-files", "-z").split("\0"):
        if name and (ROOT / name).exists():
            (course / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, course / name)
    who = ("-c", f"user.name={USER}", "-c", f"user.email={USER}@localhost")
    git("init", "--quiet", folder=course)
    git("add", "--all", folder=course)
    git(*who, "commit", "--quiet", "--message", "The course", folder=course)


def copy_pip_settings(home: Path) -> None:
    """Copy pip's configuration, which may name a mirror."""
    for name in (".config/pip/pip.conf", ".pip/pip.conf"):
        if (Path.home() / name).exists():
            (home / name).parent.mkdir(parents=True)
            shutil.copy(Path.home() / name, home / name)


def environment(home: Path) -> dict[str, str]:
    """Return the learner's complete environment."""
    path = f"{sys.base_prefix}/bin:/usr/local/bin:/usr/bin:/bin"
    pip = {name: value for name, value in os.environ.items() if name[:4] == "PIP_"}
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **pip}


def bubblewrap_command(work: Path) -> list[str]:
    """Return the bwrap command: all but the home folder and /tmp is read-only."""
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


def can_run(words: list[str]) -> bool:
    """Return whether a command can be run on this machine."""
    try:
        return subprocess.run([*words, "true"], timeout=60).returncode == 0
    except OSError:
        return False


def as_nobody(work: Path) -> list[str]:
    """Return a command that runs another one as the unprivileged user ``nobody``."""
    nobody = pwd.getpwnam("nobody")
    owner = f"{nobody.pw_uid}:{nobody.pw_gid}"
    subprocess.run(["chown", "-R", owner, work], check=True)
    ids = [f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}"]
    return ["setpriv", *ids, "--clear-groups", "--no-new-privs"]


def new_files(work: Path, top: Path = Path("/")) -> list[str]:
    """List new files of the user ``nobody`` outside of the home folder and /tmp."""
    skip = [*EXCLUDED, str(work)]
    prune = [word for path in skip for word in ("-path", path, "-prune", "-o")]
    tests = ["-user", "nobody", "-newer", str(work / "begin"), "-print"]
    words = ["find", str(top), *prune, *tests]
    return subprocess.run(words, capture_output=True, text=True).stdout.split()


def run(work: Path, parts: list[str]) -> None:
    """Run the commands with the strictest isolation that is available here."""
    home, words, check = HOME, bubblewrap_command(work), None
    if not can_run(words):
        home, words = work / "home", []
        log("bubblewrap isn't available, so other folders may be writable")
        if os.geteuid() == 0:
            words, check = as_nobody(work), new_files
    script = home / "conv" / "tests" / "fresh_machine.py"
    done = subprocess.run(
        [*words, "python3", script, "--inside", *parts],
        cwd=work / "home" / "conv",
        env=environment(home),
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    if check and (found := check(work)):
        raise SystemExit(f"files outside of the home folder: {found}")


def main() -> None:
    """Set up a machine, or run the commands on it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=["lab", "test"], help="run only this command")
    parser.add_argument("--folder", type=Path, help="use this folder and keep it")
    parser.add_argument("--inside", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.inside is not None:
        return inside(options.inside)
    work = (options.folder or Path(tempfile.mkdtemp(prefix="fresh-"))).resolve()
    try:
        if not (work / "begin").exists():
            (work / "tmp").mkdir(parents=True)
            (work / "begin").touch()
            copy_course(work / "home" / "conv")
            copy_pip_settings(work / "home")
        run(work, [options.only] if options.only else ["lab", "test"])
    finally:
        if not options.folder:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
