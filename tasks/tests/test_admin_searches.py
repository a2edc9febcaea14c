"""The limit of a search in the admin (docs/admin.md, "Tasks")."""

from urllib.parse import quote_plus

import pytest
from django.test import Client

from tasks.tests.factories import TaskFactory, rows
from todo_project.staff.pages import CONTENT_SECURITY_POLICY, MAX_SEARCH_LENGTH
from todo_project.tests.staff import superuser_client

LIST = "/admin/tasks/task/"
LISTS = [LIST, "/admin/auth/user/", "/admin/auth/group/"]
# as many different words as fit
LONGEST = " ".join(map(chr, range(0x4E00, 0x4E00 + MAX_SEARCH_LENGTH // 2 + 1)))
TOO_LONG = ["x" * (MAX_SEARCH_LENGTH + 1), " ".join(map(str, range(1200)))]


@pytest.fixture
def staff(db: None) -> Client:
    """Return a client signed in as a superuser."""
    return superuser_client()


@pytest.mark.parametrize("path", LISTS)
def test_a_search_of_the_maximum_length_works(staff: Client, path: str) -> None:
    """However many words it has, the database must be able to run it."""
    response = staff.get(path, {"q": LONGEST})

    assert (len(LONGEST), response.status_code) == (MAX_SEARCH_LENGTH, 200)
    assert response.context["cl"].result_count == 0


@pytest.mark.parametrize("path", LISTS)
def test_blanks_around_a_search_do_not_count(staff: Client, path: str) -> None:
    """They are removed before the list is searched."""
    blanks = " " * (MAX_SEARCH_LENGTH + 1)

    texts = (blanks, f"{blanks}nothing{blanks}")
    found = [staff.get(path, {"q": text}).context["cl"].result_list for text in texts]

    assert [list(each) for each in found] == [list(staff.get(path).context["cl"].result_list), []]


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", f"{LIST}add/"])
def test_a_page_that_searches_nothing_ignores_the_parameter(staff: Client, path: str) -> None:
    """Only a list may refuse a search."""
    client = Client() if path == "/admin/login/" else staff

    assert client.get(path, {"q": TOO_LONG}).status_code == 200


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", TOO_LONG, ids=["characters", "words"])
def test_a_longer_search_is_refused(staff: Client, path: str, text: str) -> None:
    """The page must state the limit and lead back to the list; it must not be an outage."""
    response = staff.get(path, {"q": text})

    assert response.status_code == 400
    assert b"A search may have 255 characters." in response.content
    assert f'<a href="{path}">'.encode() in response.content
    assert response["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("action", ["mark_completed", "delete_selected"])
@pytest.mark.parametrize("text", TOO_LONG, ids=["characters", "words"])
def test_an_action_on_a_longer_search_changes_nothing(
    staff: Client, action: str, text: str
) -> None:
    """The action must not apply to all tasks instead."""
    TaskFactory.create(title=text[:10])
    before = rows()

    sent = {"action": action, "_selected_action": "1", "select_across": "1", "post": "yes"}
    response = staff.post(f"{LIST}?q={quote_plus(text)}", sent)

    assert (response.status_code, rows()) == (400, before)
