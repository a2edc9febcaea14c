"""``/``, ``/docs`` and ``/redoc`` in a real browser."""

from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from conftest import mint
from examples.tests.better_auth import Deployment
from examples.tests.pages import collect_errors, take_screenshot
from todo_project.tests.live_server import LiveServer, run

expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def developers(deployment: Deployment) -> Iterator[LiveServer]:
    """Serve the API with ``DEBUG``, as the quick start does."""
    with deployment.serving(DEBUG="true") as live:
        yield live


@pytest.fixture
def tab(browser: Browser, documented: LiveServer, developers: LiveServer) -> Iterator[Page]:
    """Open a tab; it must report no error and send no request to another server."""
    with browser.new_context(viewport={"width": 1280, "height": 1000}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        complaints, urls = collect_errors(page), list[str]()
        page.on("request", lambda request: urls.append(request.url))
        yield page
    assert complaints == []
    own = (documented.address, developers.address, "data:")
    assert [url for url in urls if not url.startswith(own)] == []


def operation(page: Page, name: str) -> Locator:
    """Return an operation of Swagger UI, expanded."""
    block = page.locator(f"#operations-tasks-{name}")
    if "is-open" not in (block.get_attribute("class") or ""):
        block.locator(".opblock-summary-control").click()
    return block


def authorize(page: Page, token: str) -> None:
    """Enter a token."""
    page.locator(".auth-wrapper .authorize").click()
    page.locator(".modal-ux input").fill(token)
    take_screenshot(page, "authorize")
    page.locator(".modal-ux .auth-btn-wrapper .authorize").click()
    page.locator(".modal-ux .btn-done").click()


def execute(block: Locator, user_id: str) -> Locator:
    """Send an operation's request; return the status of the response."""
    user_input(block).fill(user_id)
    return send(block)


def user_input(block: Locator) -> Locator:
    """Return the input of an operation's ``user_id``."""
    return block.locator("tr[data-param-name=user_id] input")


def send(block: Locator) -> Locator:
    """Send an operation's request as it is filled in; return the status of the response."""
    block.get_by_role("button", name="Execute").click()
    return block.locator(".live-responses-table .response-col_status").last


def test_docs_shows_every_operation_and_sends_requests(tab: Page, documented: LiveServer) -> None:
    """All nine operations must expand, and requests must work with a token."""
    tab.goto(f"{documented.address}/docs")
    expect(tab.locator(".opblock")).to_have_count(10)
    take_screenshot(tab, "docs")
    for number in range(9):
        block = tab.locator(".opblock").nth(number)
        block.locator(".opblock-summary-control").click()
        expect(block.locator(".response[data-code='405']")).to_be_visible()
        block.locator(".opblock-summary-control").click()
    authorize(tab, mint("ada"))

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


def test_the_first_request_of_a_developer_works(
    tab: Page, developers: LiveServer, deployment: Deployment
) -> None:
    """With DEBUG, the page must name the user of ``make token``, and how to get a token."""
    variables = {**deployment.variables, "DEBUG": "true"}
    issued = run(deployment.project, "manage.py", "issue_token", "demo", **variables)
    tab.goto(f"{developers.address}/")
    tab.get_by_role("link", name="API reference").click()
    tab.locator(".auth-wrapper .authorize").click()
    expect(tab.locator(".modal-ux")).to_contain_text("Here, make token prints one for demo.")
    tab.locator(".modal-ux .btn-done").click()
    authorize(tab, issued.stdout.strip())

    listing = operation(tab, "listTasks")
    expect(send(listing)).to_have_text("200")
    expect(listing.locator(".request-url")).to_contain_text("/api/demo/tasks")
    take_screenshot(tab, "first-request")


def test_only_a_developers_page_names_the_demo_user(tab: Page, documented: LiveServer) -> None:
    """Without DEBUG, the page must show the document as it is."""
    tab.goto(f"{documented.address}/docs")

    expect(user_input(operation(tab, "listTasks"))).to_have_value("user123")
    tab.locator(".auth-wrapper .authorize").click()
    expect(tab.locator(".modal-ux")).not_to_contain_text("make token")


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_root_is_a_page(
    tab: Page, documented: LiveServer, width: int, scheme: Literal["light", "dark"]
) -> None:
    """The page must load its styles, follow the colour scheme, and fit a narrow screen."""
    tab.set_viewport_size({"width": width, "height": 700})
    tab.emulate_media(color_scheme=scheme)
    tab.goto(documented.address)
    take_screenshot(tab, f"root-{scheme}-{width}")

    expect(tab.get_by_role("link")).to_have_count(3)
    assert tab.evaluate("getComputedStyle(document.body).margin") == "0px"
    assert tab.evaluate("getComputedStyle(document.body).colorScheme") == "light dark"
    assert tab.evaluate("document.documentElement.scrollWidth") == width


def test_docs_works_behind_a_prefix(tab: Page, documented: LiveServer) -> None:
    """The page must load its assets and send its requests under a proxy's prefix."""
    prefix = f"{documented.address}/some/prefix/"

    def strip(route: Route) -> None:
        route.continue_(url=route.request.url.replace(prefix, f"{documented.address}/"))

    tab.route(f"{prefix}**", strip)
    tab.goto(f"{prefix}docs/")
    authorize(tab, mint("grace"))

    listing = operation(tab, "listTasks")
    expect(execute(listing, "grace")).to_have_text("200")
    expect(listing.locator(".request-url")).to_contain_text(f"{prefix}api/grace/tasks")


def test_redoc_shows_every_operation(tab: Page, documented: LiveServer) -> None:
    """ReDoc must show every operation, with its styles, and load nothing from other servers."""
    sections = tab.locator("[data-section-id*='/operation/']")
    for path in ("/redoc/", "/redoc"):
        tab.goto(f"{documented.address}{path}")
        expect(sections).to_have_count(10)
    take_screenshot(tab, "redoc")

    invalid = sections.nth(3).get_by_role("button", name="Fields are invalid.")
    invalid.click()
    expect(sections.nth(3).get_by_text("Array of objects").first).to_be_visible()
    invalid.scroll_into_view_if_needed()
    take_screenshot(tab, "redoc-operation")
