"""The Markdown pages: their links, headings and line widths, and the citations in the code."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from todo_project.configuration.environment import BASE_DIR

DOCS = BASE_DIR / "docs"
OWN_PAGES = sorted(
    [
        *(
            BASE_DIR / name
            for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
        ),
        *DOCS.rglob("*.md"),
    ]
)
PAGES = [*OWN_PAGES, BASE_DIR / "benchmarks/README.md", *BASE_DIR.glob("examples/*/README.md")]
FOLDERS = ("authn", "tasks", "todo_project", "benchmarks", "examples", "faults", "hostile")
SOURCES = [
    *BASE_DIR.glob("*.py"),
    *(
        path
        for folder in FOLDERS
        for path in (BASE_DIR / folder).rglob("*.py")
        if "node_modules" not in path.parts
    ),
]
MAX_COLUMNS = 120
MAX_README_LINES = 150

FENCE = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
CODE_SPAN = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
SCHEME = re.compile(r"[a-z]+:")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join((*FOLDERS, 'docs'))})/[\w./-]*\.[a-z]+")
PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")
CITATION = re.compile(r'(docs/[\w/-]+\.md), ("[^"]+"(?:(?:,| and|, and) "[^"]+")*)')
ISSUE_TITLE = re.compile(r'\bissues? "')


def prose(page: Path) -> str:
    """Return the text of a page without its code blocks."""
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """Return the fragments of a page's headings, as GitHub generates them."""
    seen: Counter[str] = Counter()
    found = set()
    for heading in HEADING.findall(prose(page)):
        slug = re.sub(r"[^\w -]", "", re.sub(LINK, "", heading).lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return found


def links(page: Path) -> Iterator[tuple[str, Path, str]]:
    """Yield each relative link of a page, its target file and its fragment."""
    for link in LINK.findall(CODE_SPAN.sub("", prose(page))):
        if not SCHEME.match(link):
            path, _, fragment = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            yield link, target / "README.md" if target.is_dir() else target, fragment


def dead_links(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere."""
    return [
        link
        for link, target, fragment in links(page)
        if not target.is_file() or (fragment and fragment not in anchors(target))
    ]


def flattened(source: str) -> str:
    """Join the lines of Python code, so that a wrapped citation matches."""
    return re.sub(r"\s+(?:# )?", " ", source)


def wrong_citations(source: str, root: Path) -> list[str]:
    """Return the pages and headings of ``docs/`` that a Python file cites but that do not exist."""
    text = flattened(source)
    missing = [page for page in PAGE.findall(text) if not (root / page).is_file()]
    return missing + [
        heading
        for page, headings in CITATION.findall(text)
        for heading in re.findall(r'"([^"]+)"', headings)
        if page not in missing and heading not in HEADING.findall(prose(root / page))
    ]


def relative(path: Path) -> str:
    """Return the path of a file relative to the project's folder, as the pages write it."""
    return str(path.relative_to(BASE_DIR))


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_no_link_is_dead(page: Path) -> None:
    """A relative link must lead to a file, and its fragment to a heading of that file."""
    assert dead_links(page) == []


@pytest.mark.parametrize("page", OWN_PAGES, ids=relative)
def test_no_line_is_wider_than_120_columns(page: Path) -> None:
    """A page must be readable as plain text."""
    lines = page.read_text().splitlines()

    assert [number for number, line in enumerate(lines, 1) if len(line) > MAX_COLUMNS] == []


def test_the_readme_is_short() -> None:
    """The README must link to the pages, not replace them."""
    assert len((BASE_DIR / "README.md").read_text().splitlines()) <= MAX_README_LINES


@pytest.mark.parametrize("index", [DOCS / "README.md", DOCS / "decisions/README.md"], ids=relative)
def test_an_index_links_to_every_page(index: Path) -> None:
    """An index must link to every page in its folder, and to the index of every subfolder."""
    linked = {target for _, target, _ in links(index)}
    folders = {page.parent / "README.md" for page in index.parent.glob("*/*.md")}

    assert {*index.parent.glob("*.md"), *folders} - {index} - linked == set()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page.name != "CHANGELOG.md"], ids=relative
)
def test_every_file_that_a_page_mentions_exists(page: Path) -> None:
    """A path in a page must not outlive its file."""
    named = [path for span in CODE_SPAN.findall(prose(page)) for path in PATH.findall(span)]

    assert [path for path in named if not (BASE_DIR / path).exists()] == []


def test_every_page_and_heading_that_the_code_cites_exists() -> None:
    """A citation must not outlive its page or its heading."""
    found = {relative(file): wrong_citations(file.read_text(), BASE_DIR) for file in SOURCES}

    assert {file: wrong for file, wrong in found.items() if wrong} == {}


def test_no_source_is_the_title_of_an_issue() -> None:
    """No code may cite an issue by its title: readers of the repository cannot open the issues."""
    citing = [file for file in SOURCES if ISSUE_TITLE.search(flattened(file.read_text()))]

    assert [relative(file) for file in citing] == []


def test_a_wrong_link_or_citation_is_detected(tmp_path: Path) -> None:
    """The checks above must detect each kind of error, and nothing else."""
    page = tmp_path / "docs" / "page.md"
    page.parent.mkdir()
    page.write_text(
        "# Page\n## A `name`, twice\n## A name twice\n```sh\n# No heading [no](link)\n```\n"
        "[1](page.md#a-name-twice) [2](#a-name-twice-1) [3](https://example.com/) `[4](code)`\n"
        "[5](#no-heading-nolink) [6](absent.md) [7](../docs#page) [8](page.md#A)\n"
    )
    cited = "docs" + "/page.md"
    good = f'"""Do.\n\n    Source: {cited}, "Page" and\n    # "A name twice".\n"""'
    bad = f'{cited}, "Page", "Other"; {cited.replace("page", "absent")}, "Page"'

    assert dead_links(page) == ["#no-heading-nolink", "absent.md", "../docs#page", "page.md#A"]
    assert wrong_citations(good, tmp_path) == []
    assert wrong_citations(bad, tmp_path) == ["docs" + "/absent.md", "Other"]
    assert ISSUE_TITLE.search(flattened('Source: the issue\n    # "A title"'))


def test_the_changelog_follows_keep_a_changelog() -> None:
    """The first section must be ``[Unreleased]``, and every other a version with its date."""
    sections = re.findall(r"^## (.+)$", (BASE_DIR / "CHANGELOG.md").read_text(), re.MULTILINE)
    release = re.compile(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d")

    assert sections[0] == "[Unreleased]"
    assert all(map(release.fullmatch, sections[1:]))
