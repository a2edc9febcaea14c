"""Draw the table of requests per second in ``benchmarks/README.md`` as ``benchmarks/requests.svg``.

    python benchmarks/chart.py

GitHub shows the picture in the page. It has a background of its own, because its colours follow
those of the system, and the page's need not.
"""

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGE, PICTURE = FOLDER / "README.md", FOLDER / "requests.svg"
TABLE = re.compile(r"^Requests per second.*?\n\n((?:\|.*\n)+)", re.MULTILINE)
# The columns of the table that are drawn: not the project's own noise, nor its past.
SERVERS = ("project", "peer", "FastAPI", "Fastify", "limit")
COLUMNS = 3
# Pixels: the picture, a workload's box, and in it the names, the longest bar and a line
WIDTH, TOP = 920, 88
BOX_WIDTH, BOX_HEIGHT = 295, 150
NAMES_WIDTH, BAR_WIDTH, LINE = 62, 160, 22
GAP = 8
STYLE = """\
    text { font: 13px system-ui, "Segoe UI", "Noto Sans", Helvetica, Arial, sans-serif }
    text { fill: #1f2328 }
    .title { font-size: 17px; font-weight: 600 }
    .workload { font-weight: 600 }
    .muted, .name { fill: #59636e }
    .name { text-anchor: end }
    .page { fill: #ffffff }
    .bar { fill: #b6bfc9 }
    .limit { fill: #e3e7eb }
    .project { fill: #0969da }
    text.project { font-weight: 600 }
    @media (prefers-color-scheme: dark) {
      text { fill: #f0f6fc }
      .muted, .name { fill: #9198a1 }
      .page { fill: #0d1117 }
      .bar { fill: #59636e }
      .limit { fill: #2f363e }
      .project { fill: #4493f8 }
    }
"""

Row = dict[str, str]


def read_table(page: str) -> list[Row]:
    """Return the rows of the table of requests per second, by column."""
    [table] = TABLE.findall(page)
    head, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()
    )
    return [dict(zip(head, row, strict=True)) for row in rows]


def draw(rows: list[Row]) -> str:
    """Return the picture: a box for each workload, with a scale of its own."""
    height = TOP + -(-len(rows) // COLUMNS) * BOX_HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
            f' width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">',
            '  <title id="title">Requests per second by workload and server</title>',
            f"  <style>\n{STYLE}  </style>",
            f'  <rect class="page" width="{WIDTH}" height="{height}" rx="6"/>',
            _text(20, 30, "Requests per second", "title"),
            _text(20, 52, "More is better. Each workload has its own scale."),
            *(line for number, row in enumerate(rows) for line in _box(number, row)),
            "</svg>\n",
        ]
    )


def _box(number: int, row: Row) -> Iterator[str]:
    x = 20 + NAMES_WIDTH + GAP + number % COLUMNS * BOX_WIDTH
    top = TOP + number // COLUMNS * BOX_HEIGHT
    yield _text(x, top, row["workload"], "workload")
    values = {name: int(row[name].replace(",", "")) for name in SERVERS}
    for line, (name, value) in enumerate(values.items()):
        y = top + GAP + line * LINE
        width = max(1, round(BAR_WIDTH * value / max(values.values())))
        kind = name if name in ("project", "limit") else "bar"
        yield _text(x - GAP, y + 13, name, "name")
        yield f'  <rect class="{kind}" x="{x}" y="{y}" width="{width}" height="17" rx="2"/>'
        yield _text(x + width + GAP, y + 13, row[name], "project" if kind == "project" else "")


def _text(x: int, y: int, text: str, kind: str = "muted") -> str:
    return f'  <text class="{kind}" x="{x}" y="{y}">{escape(text)}</text>'


if __name__ == "__main__":
    PICTURE.write_text(draw(read_table(PAGE.read_text())))
