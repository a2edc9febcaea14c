"""``/docs`` and ``/redoc`` in a real browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from conftest import mint
from examples.tests.pages import collect_errors, take_screenshot
from todo_project.tests.live_server import LiveServer

expect.set_options(timeout=30_000)


@pytest.fixture
def tab(browser: Browser, documented: LiveServer) -> Iterator[Page]:
    """Open a tab; it must report no error and send no request to another server."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        complaints, urls = collect_errors(page), list[str]()
        page.on("request", lambda request: urls.append(request.url))
        yield page
    assert complaints == []
    assert [url for url in urls if not url.startswith((documented.address, "data:"))] == []


def operation(page: Page, name: str) -> Locator:
    """Return an operation of Swagger UI, expanded."""
    block = page.locator(f"#operations-tasks-{name}")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    return block


def authorize(page: Page, user_id: str) -> None:
    """Enter a user's token."""
    page.locator(".auth-wrapper .authorize").click()
    page.locator(".modal-ux input").fill(mint(user_id))
    take_screenshot(page, "authorize")
    page.locator(".modal-ux .auth-btn-wrapper .authorize").click()
    page.locator(".modal-ux .btn-done").click()


def execute(block: Locator, user_id: str) -> Locator:
    """Send an operation's request; return the status of the response."""
    block.locator("tr[data-param-name=user_id] input").fill(user_id)
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response-col_status").last


def test_docs_shows_every_operation_and_sends_requests(tab: Page, documented: LiveServer) -> None:
    """All nine operations must expand, and requests must work with a token."""
    tab.goto(f"{documented.address}/docs")
    expect(tab.locator(".opblock")).to_have_count(9)
    take_screenshot(tab, "docs")
    for number in range(9):
        block = tab.locator(".opblock").nth(number)
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".response[data-code='405']")).to_be_visible()
        block.locator(".opblock-summary-control").click()
    authorize(tab, "ada")

    create = operation(tab, "createTask")
    expect(execute(create, "ada")).to_have_text("201")
    take_screenshot(tab, "created")
    listing = operation(tab, "listTasks")
    expect(execute(listing, "ada")).to_have_text("200")
    expect(listing.locator(".live-responses-table .microlight").first).to_contain_text(
        "Buy groceries"
    )
    listing.scroll_into_view_if_needed()
    take_screenshot(tab, "listed")


def test_docs_works_behind_a_prefix(tab: Page, documented: LiveServer) -> None:
    """The page must load its assets and send its requests under a proxy's prefix."""
    prefix = f"{documented.address}/some/prefix/"

    def strip(route: Route) -> None:
        route.continue_(url=route.request.url.replace(prefix, f"{documented.address}/"))

    tab.route(f"{prefix}**", strip)
    tab.goto(f"{prefix}docs/")
    authorize(tab, "grace")

    listing = operation(tab, "listTasks")
    expect(execute(listing, "grace")).to_have_text("200")
    expect(listing.locator(".request-url")).to_contain_text(f"{prefix}api/grace/tasks")


def test_redoc_shows_every_operation(tab: Page, documented: LiveServer) -> None:
    """ReDoc must show every operation, with its styles, and load nothing from other servers."""
    sections = tab.locator("[data-section-id*='/operation/']")
    for path in ("/redoc/", "/redoc"):
        tab.goto(f"{documented.address}{path}")
        expect(sections).to_have_count(9)
    take_screenshot(tab, "redoc")

    invalid = sections.nth(3).get_by_role("button", name="Fields are invalid.")
    invalid.click()
    expect(sections.nth(3).get_by_text("Array of objects").first).to_be_visible()
    invalid.scroll_into_view_if_needed()
    take_screenshot(tab, "redoc-operation")
