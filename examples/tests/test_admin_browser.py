"""A member of staff at work, in a real browser (issue "Staff and operators", the admin)."""

import csv
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from conftest import SECRET
from todo_project.tests.live_server import LiveServer, copy_project, fresh_database, run, serving

expect.set_options(timeout=15_000)
PASSWORD = "correct horse battery staple"
FILL = """
from django.db import connection
from tasks.models import Task
with connection.cursor() as cursor:
    cursor.execute('CREATE TABLE "user" (id text, name text, email text, "emailVerified" boolean)')
    cursor.execute('INSERT INTO "user" VALUES (%s, %s, %s, true)',
                   ["Nq3vJ8wXkT5bLz0RmPcY7dHs2GfA9uEi", "Ada Lovelace", "ada@example.com"])
for number in range(1, 131):
    owner = "Nq3vJ8wXkT5bLz0RmPcY7dHs2GfA9uEi" if number % 3 else "grace"
    Task.objects.add(user_id=owner, title=f"Buy {number} litres of milk", completed=number % 5 == 0)
Task.objects.add(user_id="grace", title="=1+1 is a formula")
"""


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve as a developer does, on http, with a member of staff and some tasks."""
    folder: Path = tmp_path_factory.mktemp("admin")
    project = copy_project(folder / "project")
    with fresh_database(folder) as database_url:
        variables = {
            "DEBUG": "true",
            "BETTER_AUTH_SECRET": SECRET,
            "NEON_DATABASE_URL": database_url,
            "DJANGO_SUPERUSER_USERNAME": "grace",
            "DJANGO_SUPERUSER_EMAIL": "grace@example.com",
            "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
            "WEB_CONCURRENCY": "1",
        }
        for arguments in (
            ("migrate", "--verbosity=0"),
            ("createsuperuser", "--noinput"),
            ("shell", "--verbosity=0", "-c", FILL),
        ):
            done = run(project, "manage.py", *arguments, **variables)
            assert done.returncode == 0, done.stderr
        with serving(project, folder / "server.log", **variables) as live:
            yield live


@pytest.fixture
def tab(browser: Browser, server: LiveServer) -> Iterator[Page]:
    """Open the admin; the browser may complain of nothing.

    It leaves a page that becomes a download, and calls that aborted.
    """
    complaints: list[str] = []
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    page.set_default_timeout(15_000)
    page.goto(f"{server.address}/admin")
    yield page
    page.context.close()
    harmless = re.compile(r"net::ERR_ABORTED .*")
    assert [said for said in complaints if not harmless.fullmatch(said)] == []


@pytest.fixture
def staff(tab: Page) -> Page:
    """Sign in, and open the list of tasks."""
    sign_in(tab)
    tab.locator("#content a[href='/admin/tasks/task/']").first.click()
    return tab


def sign_in(page: Page) -> None:
    """Fill the form of the log-in in."""
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def photograph(page: Page, name: str) -> None:
    """Keep a picture where somebody wants to look at it: ``SCREENSHOTS`` names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder) / f"{name}.png")


def search(page: Page, text: str) -> None:
    """Search the list."""
    page.locator("#searchbar").fill(text)
    page.get_by_role("button", name="Search").click()


def titles(page: Page) -> Locator:
    """Find the titles on the page; what is expected of them waits for the page."""
    return page.locator("td.field-title, th.field-title")


def act(page: Page, action: str) -> None:
    """Choose an action for what is selected."""
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


def test_the_log_in_looks_like_ours(tab: Page) -> None:
    """The page must have its styles, and say whose it is."""
    photograph(tab, "login")
    header = tab.locator("#header")

    assert tab.title() == "Log in | Todo back end"
    assert header.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_a_wrong_password_is_told(tab: Page) -> None:
    """Who mistypes must be told so."""
    tab.get_by_label("Username").fill("grace")
    tab.get_by_label("Password").fill("wrong")
    tab.get_by_role("button", name="Log in").click()

    expect(tab.get_by_text("Please enter the correct username and password")).to_be_visible()
    photograph(tab, "wrong-password")


def test_staff_see_the_list(staff: Page) -> None:
    """The list must show tasks, owners and filters, newest first."""
    photograph(staff, "list")

    expect(titles(staff).nth(0)).to_have_text("=1+1 is a formula")
    expect(titles(staff).nth(1)).to_have_text("Buy 130 litres of milk")
    expect(staff.locator(".paginator")).to_contain_text("131 tasks")
    expect(staff.get_by_text("ada@example.com").first).to_be_visible()


def test_staff_turn_the_page(staff: Page) -> None:
    """The second page must go on where the first ends."""
    staff.get_by_role("link", name="2", exact=True).click()
    photograph(staff, "second-page")

    expect(titles(staff).first).to_have_text("Buy 81 litres of milk")


def test_staff_search_and_filter(staff: Page) -> None:
    """An address, words, and a state must narrow the list down."""
    search(staff, "ada@example.com")
    expect(staff.get_by_text("87 results")).to_be_visible()
    search(staff, "milk 13")
    photograph(staff, "search")
    expect(titles(staff)).to_have_text(
        ["Buy 130 litres of milk", "Buy 113 litres of milk", "Buy 13 litres of milk"]
    )
    staff.get_by_role("link", name="Yes", exact=True).click()
    photograph(staff, "filter")
    expect(titles(staff)).to_have_text(["Buy 130 litres of milk"])


def test_staff_edit_a_task(staff: Page) -> None:
    """A change must be saved, and be seen in the list and in the history."""
    staff.get_by_role("link", name="Buy 129 litres of milk").click()
    photograph(staff, "form")
    staff.get_by_label("Title:").fill("Buy one litre of milk")
    staff.get_by_label("Completed").check()
    staff.get_by_role("button", name="Save", exact=True).click()

    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    photograph(staff, "saved")
    staff.get_by_role("link", name="Buy one litre of milk").first.click()
    staff.get_by_role("link", name="History").click()
    expect(staff.get_by_text("Changed Title and Completed.")).to_be_visible()
    photograph(staff, "history")


def test_a_form_that_is_open_undoes_nothing(staff: Page) -> None:
    """What its owner does to a task meanwhile must stay; a second tab stands for the owner."""
    staff.get_by_role("link", name="Buy 128 litres of milk").click()
    owner = staff.context.new_page()
    owner.goto(staff.url)
    owner.get_by_label("Completed").check()
    owner.get_by_role("button", name="Save", exact=True).click()
    owner.close()
    expect(staff.get_by_label("Completed")).not_to_be_checked()
    staff.get_by_label("Title:").fill("Buy half a litre of milk")
    staff.get_by_role("button", name="Save and continue editing").click()

    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    expect(staff.get_by_label("Completed")).to_be_checked()


def test_staff_are_told_what_is_wrong(staff: Page) -> None:
    """What the API refuses must be refused beside its field."""
    staff.get_by_role("link", name="Add task").first.click()
    staff.get_by_label("Owner:").fill("grace")
    staff.get_by_label("Title:").fill("   ")
    staff.get_by_role("button", name="Save", exact=True).click()

    expect(staff.get_by_text("ensure this value has at least 1 characters")).to_be_visible()
    photograph(staff, "refused")


def test_staff_act_on_a_selection(staff: Page) -> None:
    """Boxes must be acted on, and the number be told."""
    search(staff, '"Buy 12 litres"')
    staff.locator("#action-toggle").check()
    act(staff, "Mark completed")

    expect(staff.get_by_text("1 task was marked completed.")).to_be_visible()
    photograph(staff, "marked")


def test_staff_act_on_all_pages(staff: Page) -> None:
    """What is on other pages must be selectable as well."""
    staff.locator("#action-toggle").check()
    staff.get_by_role("button", name=re.compile("Select all 131")).click()
    photograph(staff, "all-selected")
    act(staff, "Mark completed")

    expect(staff.get_by_text("131 tasks were marked completed.")).to_be_visible()


def test_staff_delete_a_selection(staff: Page) -> None:
    """Deleting must be asked about first."""
    search(staff, '"Buy 11 litres"')
    staff.locator("#action-toggle").check()
    act(staff, "Delete")
    photograph(staff, "delete")
    expect(staff.get_by_text("1 task is deleted for good:")).to_be_visible()
    staff.get_by_role("button", name="Delete", exact=True).click()

    expect(staff.get_by_text("1 task was deleted.")).to_be_visible()


def test_staff_export(staff: Page) -> None:
    """The file must hold what was selected, with nothing in it that a spreadsheet would run."""
    search(staff, "formula")
    staff.locator("#action-toggle").check()
    with staff.expect_download() as download:
        act(staff, "Export as CSV")

    with Path(download.value.path()).open(newline="") as file:
        [_, row] = csv.reader(file)
    assert download.value.suggested_filename.endswith(".csv")
    assert row[1:3] == ["grace", "'=1+1 is a formula"]


def test_staff_sign_out(staff: Page) -> None:
    """Signing out must end the session."""
    staff.get_by_role("button", name="Log out").click()
    photograph(staff, "signed-out")
    staff.goto(staff.url.replace("/logout/", "/"))

    expect(staff.get_by_label("Password")).to_be_visible()
