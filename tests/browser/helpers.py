"""What the browser tests share: folders, and what they look for on a page."""

from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent.parent
SITE = ROOT / "build" / "site"
PICTURES = ROOT / "build" / "screenshots"
TOKEN = "a-token-for-tests"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}


class Watch:
    """Record a page's errors, and its requests to other hosts."""

    def __init__(self, page: Page, home: str) -> None:
        self.home = home
        self.troubles: list[str] = []
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("requestfailed", self.fail)
        page.on("response", self.receive)
        page.on("request", self.ask)

    def hear(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.troubles.append(f"{message.type}: {message.text}")

    def fail(self, request) -> None:
        # JupyterLab inserts an image with its relative address, and then replaces that
        # with an address of its server. If the first is still loading, it is aborted.
        if request.resource_type != "image" or request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url}")

    def receive(self, response) -> None:
        if response.status >= 400:
            self.troubles.append(f"{response.status}: {response.url}")

    def ask(self, request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.troubles.append(f"asked elsewhere: {request.url}")


def violations(page: Page, part: str = "html") -> list[str]:
    """List the serious accessibility problems that axe-core finds."""
    page.add_script_tag(path=AXE)
    found = page.evaluate("part => axe.run(part)", part)["violations"]
    return [
        f"{trouble['id']}: {place['html'][:200]} {place['failureSummary'][:300]}"
        for trouble in found
        if trouble["impact"] in GRAVE
        for place in trouble["nodes"]
    ]
