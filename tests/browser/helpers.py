"""Helpers of the browser tests: folders, and checks of a page."""

from pathlib import Path

from playwright.sync_api import Page

ROOT = Path(__file__).parent.parent.parent
SITE = ROOT / "build" / "site"
SCREENSHOTS = ROOT / "build" / "screenshots"
TOKEN = "a-token-for-tests"
AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
IMPACTS = {"serious", "critical"}


class PageMonitor:
    """Record a page's errors and its requests to other hosts."""

    def __init__(self, page: Page, home: str) -> None:
        self.home = home
        self.problems: list[str] = []
        page.on("console", self.on_console)
        page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        page.on("requestfailed", self.on_request_failed)
        page.on("response", self.on_response)
        page.on("request", self.on_request)

    def on_console(self, message) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def on_request_failed(self, request) -> None:
        # JupyterLab inserts an image with its relative address, and then replaces that
        # by an address of its server. If the first is still loading, it is aborted.
        if request.resource_type != "image" or request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url}")

    def on_response(self, response) -> None:
        if response.status >= 400:
            self.problems.append(f"{response.status}: {response.url}")

    def on_request(self, request) -> None:
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.problems.append(f"request to another host: {request.url}")


def violations(page: Page, part: str = "html") -> list[str]:
    """List the serious accessibility problems that axe-core finds."""
    page.add_script_tag(path=AXE)
    found = page.evaluate("part => axe.run(part)", part)["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found
        if violation["impact"] in IMPACTS
        for node in violation["nodes"]
    ]
