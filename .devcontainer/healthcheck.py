"""Exit with status 0 if a Jupyter server responds: the image's HEALTHCHECK.

Under a JupyterHub the port and the path differ, so they are read from the record that
the server writes.
"""

import json
import sys
import urllib.request
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir


def answers(record: Path) -> bool:
    """Return whether the recorded server responds; its version needs no token."""
    server = json.loads(record.read_text(encoding="utf-8"))
    url = f"http://127.0.0.1:{server['port']}{server['base_url']}api"
    try:
        with urllib.request.urlopen(url, timeout=3) as reply:
            return reply.status == 200
    except OSError:  # the record may be from before the container was stopped
        return False


if __name__ == "__main__":
    records = Path(jupyter_runtime_dir()).glob("jpserver-*.json")
    sys.exit(not any(map(answers, records)))
