"""Test the site: pages work, are accessible, and load nothing from other hosts."""

import re

import pytest
from playwright.sync_api import expect

from drive import DRIVERS
from helpers import SCREENSHOTS, SITE, PageMonitor, violations

PAGES = sorted(str(page.relative_to(SITE)) for page in SITE.rglob("*.html"))
WIDTHS = {"phone": 390, "desk": 1280}
READY = "document.querySelectorAll('.conv-mount > script').length === 0"


def test_site_has_pages():
    assert "index.html" in PAGES
    assert len([page for page in PAGES if "notebooks/" in page]) >= 14


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_page_has_no_errors_and_fits(site, open_page, name, scheme):
    page = open_page(WIDTHS["desk"], scheme)
    monitor = PageMonitor(page, site)
    page.goto(site + name)
    page.wait_for_function(READY)
    for device, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 900})
        page_width = page.evaluate("document.documentElement.scrollWidth")
        assert page_width <= width, f"{device}: {page_width} pixels wide"
        file = f"{name.removesuffix('.html').replace('/', '-')}-{device}-{scheme}.png"
        page.screenshot(path=SCREENSHOTS / file, full_page=True)
    assert violations(page) == []
    assert monitor.problems == []


@pytest.mark.parametrize("chapter", DRIVERS)
def test_widgets_work_without_a_kernel(site, open_page, chapter):
    [name] = [page for page in PAGES if page.startswith(f"notebooks/{chapter}_")]
    page = open_page()
    monitor = PageMonitor(page, site)
    page.goto(site + name)
    page.wait_for_function(READY)
    widget = page.locator(".conv-widget").first
    widget.scroll_into_view_if_needed()
    DRIVERS[chapter](widget)
    assert monitor.problems == []


def test_static_image_is_shown_without_javascript(site, browser):
    page = browser.new_context(java_script_enabled=False).new_page()
    page.goto(f"{site}notebooks/01_slide_a_window.html")
    image = page.locator(".conv-mount img")
    expect(image).to_be_visible()
    assert "SlidingWindow, step 1 of 4" in image.get_attribute("alt")
    page.context.close()


def test_diagram_plays_when_visible_and_when_clicked(site, open_page):
    page = open_page()
    monitor = PageMonitor(page, site)
    page.goto(f"{site}notebooks/01_slide_a_window.html")
    diagram = page.locator("img[src*='window_slides.svg']")
    loaded = diagram.get_attribute("src")
    assert "#" not in loaded  # it is below the visible part of the page
    diagram.scroll_into_view_if_needed()
    expect(diagram).to_have_attribute("src", re.compile(r"window_slides\.svg#\d+$"))
    played = diagram.get_attribute("src")
    address = page.url
    diagram.click()
    expect(diagram).not_to_have_attribute("src", played)
    assert page.url == address
    assert monitor.problems == []


def test_search_finds_a_chapter(site, open_page):
    page = open_page()
    monitor = PageMonitor(page, site)
    page.goto(f"{site}search.html?q=Winograd")
    expect(page.locator("#search-results li").first).to_be_visible(timeout=30_000)
    expect(page.locator("#search-results")).to_contain_text("Make it fast")
    assert monitor.problems == []


def test_search_finds_the_definition_of_a_key_term(site, open_page):
    page = open_page()
    page.goto(f"{site}search.html?q=receptive+field")
    results = page.locator("#search-results li a")
    expect(results.first).to_be_visible(timeout=30_000)
    expect(results.filter(has_text=re.compile("^Receptive field$"))).to_have_attribute(
        "href", "notebooks/glossary.html#keyterm-Receptive-field"
    )


def test_theme_can_be_switched_and_is_remembered(site, open_page):
    page = open_page(scheme="light")
    page.goto(f"{site}notebooks/01_slide_a_window.html")

    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert background() == "rgb(255, 255, 255)"
    page.locator("button.theme-switch-button").click()
    page.get_by_role("button", name="Dark").click()
    assert background() != "rgb(255, 255, 255)"
    page.reload()
    assert background() != "rgb(255, 255, 255)"


def test_next_link_leads_through_all_chapters(site, open_page):
    page = open_page()
    page.goto(f"{site}notebooks/01_slide_a_window.html")
    for number in range(2, 18):
        page.locator("a.right-next").click()
        assert f"/notebooks/{number:02}_" in page.url
    page.locator("a.left-prev").click()
    assert "/notebooks/16_" in page.url
