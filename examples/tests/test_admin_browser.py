"""A member of staff uses the admin in a real browser."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from conftest import SECRET
from examples.tests.pages import collect_errors, take_screenshot
from todo_project.tests.live_server import LiveServer, copy_project, fresh_database, run, serving

expect.set_options(timeout=30_000)
# The number of lines on which the text of an element is shown
LINES = """element => {
    const range = document.createRange();
    range.selectNodeContents(element);
    return range.getClientRects().length;
}"""
# Whether the page is wider than the window, or hides a part of the owner
OVERFLOWS = """[document.documentElement, ...document.querySelectorAll(".form-row")]
    .some(element => element.scrollWidth > element.clientWidth)"""
PASSWORD = "correct horse battery staple"
# No test changes another test's tasks, so the tests can run in any order.
ADA = "Nq3vJ8wXkT5bLz0RmPcY7dHs2GfA9uEi"
SET_UP = """
import os
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from tasks.models import Task

call_command("migrate", verbosity=0)
with connection.cursor() as cursor:
    cursor.execute('CREATE TABLE "user" (id text, name text, email text, "emailVerified" boolean)')
    cursor.execute('INSERT INTO "user" VALUES (%s, %s, %s, true)',
                   [os.environ["ADA"], "Ada Lovelace", "ada@example.com"])
Task.objects.add(user_id="alan", title="Sell a cow")
Task.objects.add(user_id="a" * 255, title="W" * 200)
for number in range(1, 131):
    owner = os.environ["ADA"] if number % 2 else "grace"
    title = f"Buy {number} litres of milk"
    Task.objects.add(user_id=owner, title=title, completed=number % 5 == 0)
Task.objects.add(user_id="grace", title="=1+1 is a formula")
staff = Client()
password = os.environ["PASSWORD"]
staff.force_login(User.objects.create_superuser("grace", "grace@example.com", password))
print(staff.cookies["sessionid"].value)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create a directory for the server's files and the staff session."""
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def server(chromium: str, folder: Path) -> Iterator[LiveServer]:
    """Serve over http, as a developer does, with a member of staff and some tasks."""
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        variables = {
            "DEBUG": "true",
            "BETTER_AUTH_SECRET": SECRET,
            "NEON_DATABASE_URL": database_url,
            "ADA": ADA,
            "PASSWORD": PASSWORD,
            "WEB_CONCURRENCY": "1",
        }
        result = run(project, "manage.py", "shell", "--verbosity=0", "-c", SET_UP, **variables)
        assert result.returncode == 0, result.stderr
        (folder / "session").write_text(result.stdout.split()[-1])
        with serving(project, folder / "server.log", **variables) as live:
            yield live


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """Open one tab for all tests: each new one would start processes and reload every style."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page


@pytest.fixture(scope="module")
def browser_errors(window: Page) -> list[str]:
    """Collect the browser's errors."""
    return collect_errors(window)


@pytest.fixture
def tab(window: Page, browser_errors: list[str]) -> Iterator[Page]:
    """Sign out before the test, and fail the test if the browser reports an error.

    ``net::ERR_ABORTED`` is ignored: the browser reports it if a navigation becomes a download.
    """
    window.context.clear_cookies()
    browser_errors.clear()
    yield window
    window.wait_for_load_state()  # otherwise the next test gets this page's errors
    harmless = re.compile(r"net::ERR_ABORTED .*")
    assert [error for error in browser_errors if not harmless.fullmatch(error)] == []


@pytest.fixture
def login_page(tab: Page, server: LiveServer) -> Page:
    """Open the login form."""
    tab.goto(f"{server.address}/admin")
    return tab


@pytest.fixture
def staff(tab: Page, server: LiveServer, folder: Path) -> Page:
    """Open the list of tasks, signed in as staff."""
    session = (folder / "session").read_text()
    tab.context.add_cookies([{"name": "sessionid", "value": session, "url": server.address}])
    tab.goto(f"{server.address}/admin/tasks/task/")
    return tab


def sign_in(page: Page, password: str) -> None:
    """Fill in and submit the login form."""
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def search(page: Page, text: str) -> None:
    """Search for tasks in the list."""
    page.locator("#searchbar").fill(text)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(re.compile(rf"\?q={re.escape(quote_plus(text))}"))


def titles(page: Page) -> Locator:
    """Locate the titles on the page; expectations on them wait for the page."""
    return page.locator("td.field-title, th.field-title")


def run_action(page: Page, action: str) -> None:
    """Run an action on the selected tasks."""
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


def test_the_login_page_is_styled(login_page: Page) -> None:
    """The page must load its styles and show the site's name."""
    take_screenshot(login_page, "login")
    header = login_page.locator("#header")

    assert login_page.title() == "Log in | Todo back end"
    assert header.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_a_wrong_password_is_rejected(login_page: Page) -> None:
    """The page must ask for the correct user name and password."""
    sign_in(login_page, "wrong")

    expect(login_page.get_by_text("Please enter the correct username and password")).to_be_visible()
    take_screenshot(login_page, "wrong-password")


def test_staff_sign_in_and_out(login_page: Page) -> None:
    """Signing in must give access to the tasks; signing out must end the session."""
    sign_in(login_page, PASSWORD)
    login_page.locator("#content a[href='/admin/tasks/task/']").first.click()
    expect(titles(login_page).first).to_be_visible()
    login_page.get_by_role("button", name="Log out").click()
    login_page.wait_for_url("**/admin/logout/")
    take_screenshot(login_page, "signed-out")
    login_page.goto(login_page.url.replace("/logout/", "/"))

    expect(login_page.get_by_label("Password")).to_be_visible()


def test_staff_see_the_list(staff: Page) -> None:
    """The list must show the tasks and their owners, newest first, and the total."""
    staff.set_viewport_size({"width": 390, "height": 800})
    take_screenshot(staff, "narrow-list")
    staff.set_viewport_size({"width": 1280, "height": 800})
    staff.emulate_media(color_scheme="dark")
    take_screenshot(staff, "dark-list")
    staff.emulate_media(color_scheme="light")
    take_screenshot(staff, "list")

    expect(titles(staff).nth(0)).to_have_text("=1+1 is a formula")
    expect(titles(staff).nth(1)).to_have_text("Buy 130 litres of milk")
    expect(staff.locator(".paginator")).to_contain_text(re.compile(r"13[23] tasks"))
    expect(staff.get_by_text("ada@example.com").first).to_be_visible()


def test_the_columns_fit_the_window(staff: Page) -> None:
    """No column of the list may be hidden, and a time must be on one line."""
    updated_at = staff.locator("td.field-updated_at").first
    results = staff.locator(".results")

    expect(updated_at).to_have_text(re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"))
    assert updated_at.evaluate(LINES) == 1
    assert results.evaluate("e => e.scrollWidth <= e.clientWidth")


@pytest.mark.parametrize("width", [1280, 390])
def test_a_long_text_without_blanks_wraps(staff: Page, width: int) -> None:
    """The longest title and owner must not make any page wider than the others."""
    staff.set_viewport_size({"width": width, "height": 800})
    usual = staff.locator(".results").evaluate("e => e.scrollWidth")
    search(staff, "WWW")
    expect(titles(staff)).to_have_text(["W" * 200])
    take_screenshot(staff, f"long-title-{width}")
    longest = staff.locator(".results").evaluate("e => e.scrollWidth")
    overflows = {"list": longest > usual}
    staff.get_by_role("link", name="W" * 200).click()
    for page in ("change", "history", "delete"):
        if page != "change":
            staff.goto(re.sub(r"[a-z]+/(\?.*)?$", f"{page}/", staff.url))
        staff.wait_for_url(f"**/{page}/**")
        take_screenshot(staff, f"long-title-{page}-{width}")
        overflows[page] = staff.evaluate(OVERFLOWS)
    staff.set_viewport_size({"width": 1280, "height": 800})

    assert overflows == dict.fromkeys(overflows, False)


def test_staff_open_the_second_page(staff: Page) -> None:
    """The second page must continue after the first."""
    staff.get_by_role("link", name="2", exact=True).click()
    take_screenshot(staff, "second-page")

    expect(titles(staff).first).to_have_text("Buy 81 litres of milk")


def test_staff_search_and_filter(staff: Page) -> None:
    """A search by address, a search by words and a filter must each narrow the list."""
    search(staff, "ada@example.com")
    expect(staff.get_by_text("65 results")).to_be_visible()
    search(staff, "milk 13")
    take_screenshot(staff, "search")
    expect(titles(staff)).to_have_text(
        ["Buy 130 litres of milk", "Buy 113 litres of milk", "Buy 13 litres of milk"]
    )
    staff.get_by_role("link", name="Yes", exact=True).click()
    take_screenshot(staff, "filter")
    expect(titles(staff)).to_have_text(["Buy 130 litres of milk"])


def test_staff_edit_a_task(staff: Page) -> None:
    """A change must be saved, and appear in the list and in the history."""
    staff.get_by_role("link", name="Buy 129 litres of milk").click()
    take_screenshot(staff, "form")
    staff.get_by_label("Title:").fill("Buy one litre of milk")
    staff.get_by_label("Completed").check()
    staff.get_by_role("button", name="Save", exact=True).click()

    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    take_screenshot(staff, "saved")
    staff.get_by_role("link", name="Buy one litre of milk").first.click()
    staff.get_by_role("link", name="History").click()
    expect(staff.get_by_text("Changed Title and Completed.")).to_be_visible()
    take_screenshot(staff, "history")


def test_an_open_form_does_not_undo_the_owners_changes(staff: Page, server: LiveServer) -> None:
    """A change that the owner makes while the form is open must be kept."""
    staff.get_by_role("link", name="Buy 127 litres of milk").click()
    expect(staff.get_by_label("Completed")).not_to_be_checked()
    [task_id] = re.findall(r"/task/(\d+)/change/", staff.url)
    with server.client(ADA) as owner:
        owner.patch(f"/api/{ADA}/tasks/{task_id}/complete").raise_for_status()
    staff.get_by_label("Title:").fill("Buy half a litre of milk")
    staff.get_by_role("button", name="Save and continue editing").click()

    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    expect(staff.get_by_label("Completed")).to_be_checked()


def test_an_invalid_field_shows_its_error(staff: Page) -> None:
    """The form must reject what the API rejects, and show the error next to the field."""
    staff.get_by_role("link", name="Add task").first.click()
    staff.get_by_label("Owner:").fill("grace")
    staff.get_by_label("Title:").fill("   ")
    staff.get_by_role("button", name="Save", exact=True).click()

    expect(staff.get_by_text("ensure this value has at least 1 characters")).to_be_visible()
    take_screenshot(staff, "rejected")


def test_an_action_applies_to_the_selection(staff: Page) -> None:
    """The action must change the selected tasks, and the page must show how many."""
    search(staff, '"Buy 11 litres"')
    staff.locator("#action-toggle").check()
    run_action(staff, "Mark completed")

    expect(staff.get_by_text("1 task was marked completed.")).to_be_visible()
    take_screenshot(staff, "marked")


def test_an_action_applies_to_all_pages(staff: Page) -> None:
    """The action must apply to all pages if they are selected."""
    search(staff, "grace")
    staff.locator("#action-toggle").check()
    staff.get_by_role("button", name=re.compile("Select all 66")).click()
    take_screenshot(staff, "all-selected")
    run_action(staff, "Mark completed")

    expect(staff.get_by_text("66 tasks were marked completed.")).to_be_visible()


def test_staff_delete_a_selection(staff: Page) -> None:
    """The page must ask for confirmation before it deletes."""
    search(staff, "cow")
    staff.locator("#action-toggle").check()
    run_action(staff, "Delete")
    take_screenshot(staff, "delete")
    expect(staff.get_by_text("1 task will be permanently deleted:")).to_be_visible()
    staff.get_by_role("button", name="Delete", exact=True).click()

    expect(staff.get_by_text("1 task was deleted.")).to_be_visible()


def test_staff_export(staff: Page) -> None:
    """The file must contain the selection, and nothing that a spreadsheet would execute."""
    search(staff, "formula")
    staff.locator("#action-toggle").check()
    with staff.expect_download() as download:
        run_action(staff, "Export as CSV")

    with Path(download.value.path()).open(newline="") as file:
        [_, row] = csv.reader(file)
    assert download.value.suggested_filename.endswith(".csv")
    assert row[1:3] == ["grace", "'=1+1 is a formula"]
