"""Run nbval over notebooks as ``make notebooks`` does, and list the cells that fail."""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

NBVAL = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=300"]
NBVAL += ["-n", "auto", "--dist", "loadfile", "--quiet", "-p", "no:cacheprovider"]


@dataclass
class Outcome:
    """The result of one run of nbval.

    Attributes
    ----------
    cells : int
        How many cells were run.
    failed : dict of str to str
        nbval's message for each failed cell, by notebook and cell.
    seconds : float
        The time that pytest took.
    """

    cells: int
    failed: dict[str, str]
    seconds: float


def rerun(paths: list[str], environment: dict[str, str]) -> Outcome:
    """Run nbval in a changed environment.

    Parameters
    ----------
    paths : list of str
        Notebooks, or folders of notebooks.
    environment : dict of str to str
        Environment variables to set in addition to the current ones.

    Raises
    ------
    RuntimeError
        If pytest itself failed, so that there is no outcome.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", *paths, *NBVAL]
        run = subprocess.run(
            [*command, f"--junitxml={report}"],
            env=os.environ | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode not in (0, 1) or not report.exists():
            raise RuntimeError(f"pytest failed to run:\n{run.stdout}\n{run.stderr}")
        outcome = read(report)
    if bool(outcome.failed) != bool(run.returncode) or not outcome.cells:
        raise RuntimeError(
            f"pytest's report contradicts its exit status:\n{run.stdout}"
        )
    return outcome


def read(report: Path) -> Outcome:
    """Read the report that pytest wrote."""
    suite = ET.parse(report).getroot().find("testsuite")
    failed = {}
    for case in suite.iter("testcase"):
        for problem in [*case.findall("failure"), *case.findall("error")]:
            name = f"{case.get('classname')} {case.get('name')}"
            failed[name] = (problem.text or problem.get("message", "")).strip()
    cells = int(suite.get("tests"))
    return Outcome(cells, failed, float(suite.get("time")))
