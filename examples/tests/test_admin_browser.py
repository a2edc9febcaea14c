"""A member of staff at work in the admin, in a real browser."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from conftest import SECRET
from examples.tests.pages import complaints_of, photograph
from todo_project.tests.live_server import LiveServer, copy_project, fresh_database, run, serving

expect.set_options(timeout=30_000)
PASSWORD = "correct horse battery staple"
# No test changes what another one looks for, so that their order does not matter.
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
    """Keep the server's files and the session of the member of staff."""
    return tmp_path_factory.mktemp("admin")


@pytest.fixture(scope="module")
def server(chromium: str, folder: Path) -> Iterator[LiveServer]:
    """Serve as a developer does, on http, with a member of staff and some tasks."""
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
        done = run(project, "manage.py", "shell", "--verbosity=0", "-c", SET_UP, **variables)
        assert done.returncode == 0, done.stderr
        (folder / "session").write_text(done.stdout.split()[-1])
        with serving(project, folder / "server.log", **variables) as live:
            yield live


@pytest.fixture(scope="module")
def window(browser: Browser) -> Iterator[Page]:
    """Open one tab for all tests: a new one would start processes and load every style anew."""
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        page = context.new_page()
        page.set_default_timeout(30_000)
        yield page


@pytest.fixture(scope="module")
def all_complaints(window: Page) -> list[str]:
    """Collect what the browser complains of."""
    return complaints_of(window)


@pytest.fixture
def tab(window: Page, all_complaints: list[str]) -> Iterator[Page]:
    """Forget who was signed in; the browser may complain of nothing.

    It leaves a page that becomes a download, and calls that aborted.
    """
    window.context.clear_cookies()
    all_complaints.clear()
    yield window
    window.wait_for_load_state()  # else the next test would hear what this page complains of
    harmless = re.compile(r"net::ERR_ABORTED .*")
    assert [said for said in all_complaints if not harmless.fullmatch(said)] == []


@pytest.fixture
def log_in(tab: Page, server: LiveServer) -> Page:
    """Open the form of the log-in."""
    tab.goto(f"{server.address}/admin")
    return tab


@pytest.fixture
def staff(tab: Page, server: LiveServer, folder: Path) -> Page:
    """Open the list of tasks, signed in."""
    session = (folder / "session").read_text()
    tab.context.add_cookies([{"name": "sessionid", "value": session, "url": server.address}])
    tab.goto(f"{server.address}/admin/tasks/task/")
    return tab


def sign_in(page: Page, password: str) -> None:
    """Fill in the form of the log-in."""
    page.get_by_label("Username").fill("grace")
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()


def search(page: Page, text: str) -> None:
    """Search the list."""
    page.locator("#searchbar").fill(text)
    page.get_by_role("button", name="Search").click()
    page.wait_for_url(re.compile(rf"\?q={re.escape(quote_plus(text))}"))


def titles(page: Page) -> Locator:
    """Find the titles on the page; what is expected of them waits for the page."""
    return page.locator("td.field-title, th.field-title")


def act(page: Page, action: str) -> None:
    """Choose an action for what is selected."""
    page.get_by_label("Action:").select_option(label=action)
    page.get_by_role("button", name="Go", exact=True).click()


def test_the_log_in_looks_like_ours(log_in: Page) -> None:
    """The page must have its styles, and say whose it is."""
    photograph(log_in, "login")
    header = log_in.locator("#header")

    assert log_in.title() == "Log in | Todo back end"
    assert header.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"


def test_a_wrong_password_is_refused(log_in: Page) -> None:
    """The page must say that the password is wrong."""
    sign_in(log_in, "wrong")

    expect(log_in.get_by_text("Please enter the correct username and password")).to_be_visible()
    photograph(log_in, "wrong-password")


def test_staff_sign_in_and_out(log_in: Page) -> None:
    """Signing in must open the tasks, and signing out must end the session."""
    sign_in(log_in, PASSWORD)
    log_in.locator("#content a[href='/admin/tasks/task/']").first.click()
    expect(titles(log_in).first).to_be_visible()
    log_in.get_by_role("button", name="Log out").click()
    log_in.wait_for_url("**/admin/logout/")
    photograph(log_in, "signed-out")
    log_in.goto(log_in.url.replace("/logout/", "/"))

    expect(log_in.get_by_label("Password")).to_be_visible()


def test_staff_see_the_list(staff: Page) -> None:
    """The list must show tasks, owners and filters, newest first."""
    photograph(staff, "list")

    expect(titles(staff).nth(0)).to_have_text("=1+1 is a formula")
    expect(titles(staff).nth(1)).to_have_text("Buy 130 litres of milk")
    expect(staff.locator(".paginator")).to_contain_text(re.compile(r"13[12] tasks"))
    expect(staff.get_by_text("ada@example.com").first).to_be_visible()


def test_staff_turn_the_page(staff: Page) -> None:
    """The second page must go on where the first ends."""
    staff.get_by_role("link", name="2", exact=True).click()
    photograph(staff, "second-page")

    expect(titles(staff).first).to_have_text("Buy 81 litres of milk")


def test_staff_search_and_filter(staff: Page) -> None:
    """An address, words, and a state must narrow the list down."""
    search(staff, "ada@example.com")
    expect(staff.get_by_text("65 results")).to_be_visible()
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


def test_a_form_that_is_open_undoes_nothing(staff: Page, server: LiveServer) -> None:
    """What its owner does to a task meanwhile must stay."""
    staff.get_by_role("link", name="Buy 127 litres of milk").click()
    expect(staff.get_by_label("Completed")).not_to_be_checked()
    [task_id] = re.findall(r"/task/(\d+)/change/", staff.url)
    with server.client(ADA) as owner:
        owner.patch(f"/api/{ADA}/tasks/{task_id}/complete").raise_for_status()
    staff.get_by_label("Title:").fill("Buy half a litre of milk")
    staff.get_by_role("button", name="Save and continue editing").click()

    expect(staff.get_by_text("was changed successfully")).to_be_visible()
    expect(staff.get_by_label("Completed")).to_be_checked()


def test_staff_see_what_is_wrong(staff: Page) -> None:
    """What the API refuses must be refused beside its field."""
    staff.get_by_role("link", name="Add task").first.click()
    staff.get_by_label("Owner:").fill("grace")
    staff.get_by_label("Title:").fill("   ")
    staff.get_by_role("button", name="Save", exact=True).click()

    expect(staff.get_by_text("ensure this value has at least 1 characters")).to_be_visible()
    photograph(staff, "refused")


def test_staff_act_on_a_selection(staff: Page) -> None:
    """The action must apply to the checked tasks, and the page must say to how many."""
    search(staff, '"Buy 11 litres"')
    staff.locator("#action-toggle").check()
    act(staff, "Mark completed")

    expect(staff.get_by_text("1 task was marked completed.")).to_be_visible()
    photograph(staff, "marked")


def test_staff_act_on_all_pages(staff: Page) -> None:
    """The action must be able to apply to the tasks of other pages as well."""
    search(staff, "grace")
    staff.locator("#action-toggle").check()
    staff.get_by_role("button", name=re.compile("Select all 66")).click()
    photograph(staff, "all-selected")
    act(staff, "Mark completed")

    expect(staff.get_by_text("66 tasks were marked completed.")).to_be_visible()


def test_staff_delete_a_selection(staff: Page) -> None:
    """The page must ask before it deletes."""
    search(staff, "cow")
    staff.locator("#action-toggle").check()
    act(staff, "Delete")
    photograph(staff, "delete")
    expect(staff.get_by_text("1 task will be permanently deleted:")).to_be_visible()
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
