"""Fixtures for a browser, JupyterLab and the site: ``make test-browser``."""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from helpers import ROOT, SCREENSHOTS, SITE, TOKEN

CHROMIUM = os.environ.get("CONV_CHROMIUM") or shutil.which("chromium")
# Otherwise Chromium would look for updates.
NO_UPDATES = ["--disable-background-networking", "--disable-component-update"]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start the Chromium that CONV_CHROMIUM names, the system's, or Playwright's."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    # Chromium's sandbox doesn't work for root.
    sandbox = [] if os.geteuid() else ["--no-sandbox"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*NO_UPDATES, *sandbox]
        )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser):
    """Open pages with a given size and color scheme; close them after the test."""
    contexts = []

    def open_(width: int = 1280, scheme: str = "light", height: int = 900) -> Page:
        size = {"width": width, "height": height}
        contexts.append(browser.new_context(viewport=size, color_scheme=scheme))
        return contexts[-1].new_page()

    yield open_
    for context in contexts:
        context.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(address: str, process: subprocess.Popen, seconds: int = 120) -> None:
    for _ in range(seconds * 2):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, "the server has exited"
            time.sleep(0.5)
    raise TimeoutError(address)


@contextmanager
def started_lab(folder: Path) -> Iterator[str]:
    """Run ``make lab`` on a copy of the notebooks; yield its address."""
    port, config = free_port(), folder / "config"
    shutil.copytree(ROOT / "notebooks", folder / "course" / "notebooks")
    config.mkdir()
    settings = {
        "ServerApp": {
            "open_browser": False,
            "port": port,
            "port_retries": 0,
            "root_dir": str(folder / "course"),
        },
        "IdentityProvider": {"token": TOKEN},
    }
    (config / "jupyter_server_config.json").write_text(json.dumps(settings))
    variables = {
        "JUPYTER_CONFIG_DIR": config,
        "JUPYTERLAB_SETTINGS_DIR": folder / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": folder / "workspaces",
        "CONV_PROGRESS": "off",
        "CONV_DEVICE": "cpu",
    }
    home = f"http://127.0.0.1:{port}/"
    with (folder / "lab.log").open("w") as log:
        process = subprocess.Popen(
            ["make", "lab"],
            cwd=ROOT,
            env=os.environ | {name: str(value) for name, value in variables.items()},
            start_new_session=True,
            stderr=log,
        )
        try:
            wait_for(f"{home}api/status?token={TOKEN}", process)
            yield home
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            process.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """Return the address of JupyterLab and the folder of its notebooks."""
    folder = tmp_path_factory.mktemp("lab")
    with started_lab(folder) as home:
        yield home, folder / "course" / "notebooks"


class SiteHandler(SimpleHTTPRequestHandler):
    """Serve the site below /conv/, as GitHub does, so that absolute links fail."""

    def translate_path(self, path: str) -> str:
        if not path.startswith("/conv/"):
            return str(SITE / "does-not-exist")
        return super().translate_path(path.removeprefix("/conv"))

    def log_message(self, *_: object) -> None:
        """Do nothing."""


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Serve the site that ``make site`` has built; yield its address."""
    handler = partial(SiteHandler, directory=SITE)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/conv/"
        server.shutdown()
