"""Follow ``Link`` headers from page to page, as a client does."""

import re
from typing import Any
from urllib.parse import urljoin

from conftest import ApiClient

TASKS = "/api/alice/tasks"
LINK = re.compile(r'<(?P<target>[^>]*)>; rel="(?P<relation>next|prev)"')


def links(response: Any) -> dict[str, str]:
    """Return a page's link targets by relation, resolved against the page's path (RFC 3986)."""
    header = response.headers.get("Link", "")
    found = list(LINK.finditer(header))
    assert header == ", ".join(match[0] for match in found), header
    path = response.request["PATH_INFO"]
    return {match["relation"]: urljoin(path, match["target"]) for match in found}


def pages(client: ApiClient, url: str, relation: str = "next") -> list[list[Any]]:
    """Follow a relation to the end of the list and return every page."""
    read: list[list[Any]] = []
    while url:
        response = client.send("GET", url)
        assert response.status_code == 200, response.content
        read.append(response.json())
        url = links(response).get(relation, "")
    return read


def ids(response: Any) -> list[int]:
    """Return the ids of the tasks on a page."""
    assert response.status_code == 200, response.content
    return [task["id"] for task in response.json()]
