"""The pictures in the pages show what the tables and the code say."""

import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

from todo_project.configuration.environment import BASE_DIR
from todo_project.postgresql.connection_pool import API_CONNECTIONS, STAFF_CONNECTIONS

CHART = runpy.run_path(str(BASE_DIR / "benchmarks" / "chart.py"))
ARCHITECTURE = BASE_DIR / "docs" / "architecture.svg"
TEXT = "{http://www.w3.org/2000/svg}text"


def texts(picture: Path, kind: str) -> list[str]:
    """Return the texts of a class in a picture."""
    tree = ElementTree.parse(picture)  # noqa: S314 - our own file
    return [str(text.text) for text in tree.iter(TEXT) if text.get("class") == kind]


def test_the_chart_is_that_of_the_table() -> None:
    """After a change of the table, ``make bench`` or ``benchmarks/chart.py`` must draw it again."""
    rows = CHART["read_table"](CHART["PAGE"].read_text())

    assert CHART["PICTURE"].read_text() == CHART["draw"](rows)
    assert texts(CHART["PICTURE"], "project") == [row["project"] for row in rows]
    assert texts(CHART["PICTURE"], "workload") == [row["workload"] for row in rows]


def test_the_longest_bar_is_that_of_the_highest_value() -> None:
    """The bars of a workload must be in the proportion of its values."""
    row = {"workload": "a < b", "project": "1,000", "peer": "1", "FastAPI": "500", "Fastify": "0"}

    picture = CHART["draw"]([{**row, "limit": "250"}])

    widths = [
        line.split('width="')[1].split('"')[0] for line in picture.splitlines() if "rx=" in line
    ]
    assert [int(width) * 1000 // CHART["BAR_WIDTH"] for width in widths[1:]] == [
        *(1000, 6, 500, 6, 250)
    ]
    assert "a &lt; b" in picture


def test_the_architecture_is_that_of_the_code() -> None:
    """A module's name in the picture must not outlive the module, nor a figure its constant."""
    named = texts(ARCHITECTURE, "file")

    assert len(named) == 8
    assert [name for name in named if not (BASE_DIR / name).is_file()] == []
    assert (
        f"Lanes: {API_CONNECTIONS} requests of the API, {STAFF_CONNECTIONS} of the admin at a time"
        in texts(ARCHITECTURE, "name")
    )


@pytest.mark.parametrize("picture", [CHART["PICTURE"], ARCHITECTURE], ids=lambda each: each.name)
def test_a_picture_is_legible_in_the_dark(picture: Path) -> None:
    """It must have a background of its own, and colours for both schemes."""
    content = picture.read_text()

    assert "prefers-color-scheme: dark" in content
    assert content.count('<rect class="page"') == 1
