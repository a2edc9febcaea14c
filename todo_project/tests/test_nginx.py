"""The service behind nginx with the documented configuration, ``examples/nginx.conf``."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import FRONT_END
from todo_project.tests.live_server import LiveServer, deploying
from todo_project.tests.nginx import needs_nginx, proxying

pytestmark = [pytest.mark.live, needs_nginx]

TASKS = "/api/alice/tasks"
# The longest in a link: four bytes of UTF-8 in a search, and six of JSON in a cursor
WORD = "\N{PILE OF POO}" * 200
TITLE = "\x01" * 200
HEADERS = {"Origin": FRONT_END, "X-Request-ID": "x" * 128}


@pytest.fixture(scope="module")
def server(template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Serve a deployment with three tasks that have the longest title and search word."""
    with (
        deploying(tmp_path_factory.mktemp("proxied"), template) as deployed,
        deployed.serving() as live,
        live.client("alice") as client,
    ):
        for _ in range(3):
            created = client.post(TASKS, json={"title": TITLE, "description": WORD})
            assert created.status_code == 201
        yield live


def test_pages_with_the_longest_links_are_forwarded(server: LiveServer, tmp_path: Path) -> None:
    """A walk must reach each task in both directions, however long the links are."""
    query = {"completed": "false", "search": WORD, "ordering": "-title", "limit": "1"}
    with proxying(tmp_path, server.port) as nginx, nginx.client("alice", **HEADERS) as client:
        walk = [client.get(TASKS, params=query)]
        for relation in ("next", "next", "prev", "prev"):
            walk.append(client.get(walk[-1].url.join(walk[-1].links[relation]["url"])))

    assert [response.status_code for response in walk] == [200] * 5
    ids = [task["id"] for response in walk for task in response.json()]
    assert ids == [ids[0], ids[1], ids[2], ids[1], ids[0]]
    assert len({*ids}) == 3
    lengths = [len(response.headers["Link"]) for response in walk]
    assert 8000 < max(lengths) < 9000
    assert walk[1].headers["Access-Control-Allow-Origin"] == FRONT_END
