"""The root (docs/contract.md, "Six endpoints and a health check")."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext, override_script_prefix
from pytest_django.fixtures import Settings

from conftest import ApiClient
from todo_project.status import root

SERVICE = b'{"message": "Todo back end", "status": "healthy"}'
WITH_DOCS = b'{"message": "Todo back end", "status": "healthy", "docs": "/docs"}'
BROWSERS = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "text/html",
    "TEXT/HTML",
    "text/html;q=0.9, application/json;q=0.8",
    "application/json;q=0.8, text/html;q=0.9",
    "text/html;charset=utf-8",
    "text/html; charset=utf-8; q=0.9, application/json ; q=0.899",
    "text/*",
    "text/html, application/json;q=abc",
]
OTHERS = [
    "*/*",
    "",
    "application/json",
    "application/json, text/plain, */*",
    "application/json, text/html;q=0.9",
    "text/html;q=0.5, */*",
    "text/html;q=0",
    "image/png",
    "text/html, application/json",  # equal
    "text/html;q=0.5, application/*;q=0.500",
    "text/html;q=0, text/*",
    # malformed
    "*/html",
    *(f"text/html;q={quality}" for quality in ("abc", "nan", "-1", "1.1", "0.1234", "")),
    "text/html;q*=unknown''1",
    "text",
    ";q=1,,",
    "text/html" + ",a/b" * root.MAX_ACCEPT_LENGTH,
]


@pytest.mark.django_db
@pytest.mark.parametrize(("is_on", "body"), [(False, SERVICE), (True, WITH_DOCS)])
def test_a_program_gets_json(
    anonymous: ApiClient, settings: Settings, is_on: bool, body: bytes
) -> None:
    """The body must name the documentation only where that exists, and need no query."""
    settings.API_DOCS = is_on

    with CaptureQueriesContext(connection) as captured:
        response = anonymous.get("/")

    assert (response.status_code, response.content, len(captured)) == (200, body, 0)
    assert response["Content-Type"] == "application/json"
    assert "Location" not in response


@pytest.mark.django_db
@pytest.mark.parametrize(("is_on", "links"), [(False, []), (True, ["/docs"])])
def test_a_browser_gets_a_page(
    anonymous: ApiClient, settings: Settings, is_on: bool, links: list[str]
) -> None:
    """The page must link to what the service has for people, and need no query."""
    settings.API_DOCS = is_on

    with CaptureQueriesContext(connection) as captured:
        response = anonymous.send("GET", "/", Accept=BROWSERS[0])

    assert (response.status_code, len(captured)) == (200, 0)
    assert response["Content-Type"] == "text/html; charset=utf-8"
    found = re.findall('<a href="([^"]+)"', response.content.decode())
    assert found == [*links, "/admin/", "/health"]


def test_the_accept_header_decides(anonymous: ApiClient) -> None:
    """Only a client that prefers HTML must get it; a malformed header must be no error."""
    found = {}
    for accept in (*BROWSERS, *OTHERS):
        response = anonymous.send("GET", "/", Accept=accept)
        found[accept] = response.status_code, response["Content-Type"].partition(";")[0]

    assert found == {
        **dict.fromkeys(BROWSERS, (200, "text/html")),
        **dict.fromkeys(OTHERS, (200, "application/json")),
    }


def test_caches_keep_the_page_and_the_json_apart(anonymous: ApiClient) -> None:
    """Both must vary on ``Accept`` as well, and neither may be stored."""
    responses = [anonymous.get("/"), anonymous.send("GET", "/", Accept=BROWSERS[0])]

    assert {each["Vary"] for each in responses} == {"Accept, Origin, Authorization"}
    assert {each["Cache-Control"] for each in responses} == {"no-store"}


def test_the_page_has_security_headers(anonymous: ApiClient) -> None:
    """The page must load only the service's own styles and icon, and must not be framed."""
    response = anonymous.send("GET", "/", Accept=BROWSERS[0])

    assert "default-src 'none'; style-src 'self'" in response["Content-Security-Policy"]
    assert (response["X-Frame-Options"], response["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert response["Referrer-Policy"] == "same-origin"
    assert not re.search(rb"<script|<style|style=|https?:|\son\w+=", response.content)


def test_the_links_are_under_the_prefix(anonymous: ApiClient, settings: Settings) -> None:
    """Behind a proxy, every address on the page must be under ``ROOT_PATH``."""
    settings.API_DOCS = True
    settings.STATIC_URL = "/todo/static/"

    with override_script_prefix("/todo/"):
        response = anonymous.send("GET", "/", Accept=BROWSERS[0])

    found = re.findall('href="([^"]+)"', response.content.decode())
    assert len(found) == 5
    assert all(address.startswith("/todo/") for address in found)


def test_head_has_no_body(anonymous: ApiClient) -> None:
    """HEAD must have the headers of the page, without a body."""
    get, head = (anonymous.send(each, "/", Accept=BROWSERS[0]) for each in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (200, b"")
    assert head["Content-Length"] == str(len(get.content))
