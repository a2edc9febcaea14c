"""The endpoints in the README match the contract, the code and the OpenAPI document."""

import re

from django.urls import get_resolver, resolve
from pytest_django.fixtures import Settings

from conftest import ApiClient
from tasks.tests.endpoints import ENDPOINTS
from todo_project.configuration.environment import BASE_DIR

README = (BASE_DIR / "README.md").read_text()
CONTRACT = (BASE_DIR / "docs" / "contract.md").read_text()
# The document also lists statuses that any endpoint can return.
ANYWHERE = {"400", "404", "405", "429", "500", "503"}


def statuses(page: str) -> dict[str, set[str]]:
    """Return the statuses of each endpoint in a page's table."""
    rows = re.findall(r"^\| `(\w+ /api/\S+)` \| .*? \| (.*\d{3}.*) \|$", page, re.MULTILINE)
    return {endpoint: set(re.findall(r"\d{3}", cells)) for endpoint, cells in rows}


def test_the_readme_lists_the_endpoints_of_the_contract_and_the_code() -> None:
    """The README must list exactly the code's endpoints, with the statuses in the contract."""
    called = {repr(row).format(user="{user_id}", task="{task_id}") for row in ENDPOINTS}

    assert statuses(README).keys() == called
    assert statuses(README) == statuses(CONTRACT)


def test_the_readme_has_the_statuses_of_the_openapi_document(
    anonymous: ApiClient, settings: Settings
) -> None:
    """The README must list exactly the documented statuses, apart from those in ``ANYWHERE``."""
    settings.API_DOCS = True

    document = anonymous.send("GET", "/openapi.json").json()

    assert {
        f"{method.upper()} {path}": operation["responses"].keys() - ANYWHERE
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if path.startswith("/api/") and "responses" in operation
    } == {endpoint: found - ANYWHERE for endpoint, found in statuses(README).items()}


def test_the_readme_lists_the_routes_without_a_token() -> None:
    """The README must list exactly the routes that need no token, except admin and static files."""
    table = README.split("These paths need no token:")[1].partition("## ")[0]
    paths = set(re.findall(r"`(?:GET )?(/\S*)`", table))
    routes = {pattern.name for pattern in get_resolver().url_patterns if hasattr(pattern, "name")}

    assert "/metrics" in paths  # a route only with METRICS
    assert {resolve(path).url_name for path in paths - {"/metrics"}} == (
        routes - {"tasks", "task", "task-complete", "admin", "static"}
    )
