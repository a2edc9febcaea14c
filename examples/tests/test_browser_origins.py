"""Origins are serialised as by ``new URL(…).origin``, which browsers send."""

import json
import subprocess

import pytest

from examples.demo import node_problem
from examples.tests.conftest import require
from todo_project.configuration.origins import origin

URLS = [
    *("https://App.Example.com:443/a", "http://app.example.com:80", "http://localhost:03000"),
    *("https://straße.example", "https://bücher.example", "https://İ.example"),
    *(
        "https://א1.example",
        "https://ａｐｐ。example",
        "https://faß-x--y.example",
        "https://Ⅷ.example",
    ),
    *("https://xn--53h.example", "https://a_b.example", "https://r3---a.example", "https://1.a"),
    *("http://[0:0:0:0:0:0:0:1]:3000", "http://[::ffff:127.0.0.1]", "http://[::ffff:0:0]"),
    *("http://[::127.0.0.1]", "http://[1:0:0:2:0:0:0:3]", "http://[1:2:3:4:0:6:7:8]"),
]


@pytest.mark.node
def test_an_origin_is_that_of_the_url_standard() -> None:
    """A page must get permission under the origin that its browser sends."""
    require(node_problem())
    program = f"console.log(JSON.stringify({json.dumps(URLS)}.map((url) => new URL(url).origin)))"

    printed = subprocess.run(
        ["node", "--eval", program],  # noqa: S607
        capture_output=True,
        check=True,
    ).stdout

    assert [origin("ALLOWED_ORIGINS", url) for url in URLS] == json.loads(printed)
