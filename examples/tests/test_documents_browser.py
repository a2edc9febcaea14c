"""``/docs`` and ``/redoc`` in a real browser (issue "Documents, logs, metrics, deployment")."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from conftest import mint
from todo_project.tests.live_server import LiveServer

expect.set_options(timeout=30_000)


@pytest.fixture
def tab(browser: Browser, documented: LiveServer) -> Iterator[Page]:
    """Open a tab that may complain of nothing, and that reaches no other server."""
    complaints: list[str] = []
    page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    page.on("request", lambda request: _note_stranger(complaints, request.url, documented))
    page.set_default_timeout(30_000)
    yield page
    page.context.close()
    assert complaints == []


def _note_stranger(complaints: list[str], url: str, documented: LiveServer) -> None:
    if not url.startswith((documented.address, "data:")):
        complaints.append(f"a request to elsewhere: {url}")


def photograph(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it: ``SCREENSHOTS`` names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png")


def operation(page: Page, name: str) -> Locator:
    """Find an operation of Swagger UI, opened."""
    block = page.locator(f"#operations-tasks-{name}")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    return block


def authorize(page: Page, user_id: str) -> None:
    """Give the page a user's token."""
    page.locator(".auth-wrapper .authorize").click()
    page.locator(".modal-ux input").fill(mint(user_id))
    photograph(page, "authorize")
    page.locator(".modal-ux .auth-btn-wrapper .authorize").click()
    page.locator(".modal-ux .btn-done").click()


def execute(block: Locator, user_id: str, task_id: str = "") -> Locator:
    """Send the request of an operation; return the status of its answer."""
    block.locator("tr[data-param-name=user_id] input").fill(user_id)
    if task_id:
        block.locator("tr[data-param-name=task_id] input").fill(task_id)
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response-col_status").last


def test_docs_sends_requests_with_a_token(tab: Page, documented: LiveServer) -> None:
    """Who authorizes on the page must be able to try every kind of request there."""
    tab.goto(f"{documented.address}/docs")
    authorize(tab, "ada")

    create = operation(tab, "createTask")
    expect(execute(create, "ada")).to_have_text("201")
    photograph(tab, "created")
    listing = operation(tab, "listTasks")
    expect(execute(listing, "ada")).to_have_text("200")
    expect(listing.locator(".live-responses-table .microlight").first).to_contain_text(
        "Buy groceries"
    )
    listing.scroll_into_view_if_needed()
    photograph(tab, "listed")


def test_docs_shows_every_operation(tab: Page, documented: LiveServer) -> None:
    """Each of the nine must open, with its answers."""
    tab.goto(f"{documented.address}/docs")
    expect(tab.locator(".opblock")).to_have_count(9)
    photograph(tab, "docs")

    for number in range(9):
        block = tab.locator(".opblock").nth(number)
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".response[data-code='405']")).to_be_visible()
    tab.locator("#operations-tasks-updateTask").scroll_into_view_if_needed()
    photograph(tab, "operation")


def test_docs_works_behind_a_prefix(tab: Page, documented: LiveServer) -> None:
    """What a proxy serves under a path of its own must find its parts and send requests there."""
    prefix = f"{documented.address}/some/prefix/"

    def strip(route: Route) -> None:
        route.continue_(url=route.request.url.replace(prefix, f"{documented.address}/"))

    tab.route(f"{prefix}**", strip)
    tab.goto(f"{prefix}docs/")
    authorize(tab, "grace")

    listing = operation(tab, "listTasks")
    expect(execute(listing, "grace")).to_have_text("200")
    expect(listing.locator(".request-url")).to_contain_text(f"{prefix}api/grace/tasks")


@pytest.mark.parametrize("path", ["/redoc", "/redoc/"])
def test_redoc_shows_every_operation(tab: Page, documented: LiveServer, path: str) -> None:
    """ReDoc must have its styles, every operation, and nothing from elsewhere."""
    tab.goto(f"{documented.address}{path}")
    sections = tab.locator("[data-section-id*='/operation/']")
    expect(sections).to_have_count(9)
    photograph(tab, "redoc")

    refusal = sections.nth(3).get_by_role("button", name="Fields are refused.")
    refusal.click()
    expect(sections.nth(3).get_by_text("Array of objects").first).to_be_visible()
    refusal.scroll_into_view_if_needed()
    photograph(tab, "redoc-operation")
