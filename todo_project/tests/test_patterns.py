"""Regular expressions: the time of each is linear in the length of its input."""

import ast
import re
import time
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import pytest

from todo_project.configuration.environment import BASE_DIR

LENGTH = 20_000
# CPU time for LENGTH characters. The slowest expression takes 0.01; one whose time is quadratic
# takes at least 0.2.
MAX_SECONDS = 0.1
# Each is repeated, after each of the beginnings.
PIECES = (
    *("a", "A", "0", "é", " ", "\n", "/", "?", ".", ",", ":", ";", "=", "-", "_", "@", "%", "+"),
    *(
        "'",
        '"',
        "`",
        "(",
        "[",
        "<",
        "\\",
        "!",
        "/?",
        "a/",
        "/ ",
        "?/",
        "://",
        "://a:",
        "://:",
        "a:",
    ),
    *("eyJ", "eyJ.", "authorization", "authorization:", "bearer", "bearer ", "Bearer'", "cookie:"),
    *("token=", "token=,", "secret ", '"a', "(?P<a>", "<a:b>", "^", "/?\\Z", "a.", "a-", "1d", "T"),
    *("AA_", "}}"),
)
BEGINNINGS = (
    *("", "x", "/", '"', "://a:", "token=", "cookie:", "authorization:", "eyJ", "http://", "{{"),
)
FILES = [
    path
    for app in ("authn", "tasks", "todo_project")
    for path in (BASE_DIR / app).rglob("*.py")
    if not {"tests", "migrations"} & {*path.parts}
]
SOURCE = "".join(path.read_text() for path in FILES)


def methods(pattern: re.Pattern[Any], name: str) -> Iterator[Any]:
    """Yield the bound methods of a pattern that the product calls on it, or on its dictionary."""
    called = set(re.findall(rf"\b{name}\.(\w+)\(", SOURCE))
    for method in {each for each in called if hasattr(pattern, each)} or {"sub"}:
        bound = getattr(pattern, method)
        yield partial(bound, "") if method == "sub" else bound


def found() -> dict[str, tuple[re.Pattern[Any], str]]:
    """Return the patterns of all modules, and the name of each in its module."""
    patterns = {}
    for path in FILES:
        module = ".".join(path.relative_to(BASE_DIR).with_suffix("").parts)
        if "re.compile(" not in path.read_text():
            continue
        for name, value in vars(import_module(module)).items():
            members = value if isinstance(value, list | tuple | dict) else [value]
            for number, member in enumerate(members):
                if isinstance(member, re.Pattern):
                    patterns[f"{module}.{name}.{number}"] = member, name
    return patterns


PATTERNS = found()


def seconds(search: Any, text: str | bytes) -> float:
    """Return the CPU time of a search, undisturbed by other processes."""
    times: list[float] = []
    while not times or (times[-1] > MAX_SECONDS and len(times) < 3):
        started = time.thread_time()
        search(text)
        times.append(time.thread_time() - started)
    return min(times)


@pytest.mark.parametrize("name", PATTERNS)
def test_a_long_text_takes_no_longer_than_its_length(name: str) -> None:
    """No client may choose a text that occupies the interpreter for everybody."""
    pattern, variable = PATTERNS[name]
    slowest = (0.0, "")
    for search in methods(pattern, variable):
        for text in (first + piece * LENGTH for first in BEGINNINGS for piece in PIECES):
            cut = text[:LENGTH] + "!"
            taken = seconds(search, cut if isinstance(pattern.pattern, str) else cut.encode())
            slowest = max(slowest, (taken, cut[:20]))

    assert slowest < (MAX_SECONDS, "")


def test_every_expression_is_tested() -> None:
    """Each must be compiled by its module, where ``found`` finds it, and not in a function."""
    functions = [
        node
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.Lambda)
    ]

    assert len(functions) > 500
    assert [ast.unparse(each) for each in functions if "re.compile(" in ast.unparse(each)] == []
    assert re.findall(r"\bre\.(?!compile|escape|Match|Pattern|[A-Z]+\b)\w+", SOURCE) == []


def test_a_quadratic_expression_is_noticed() -> None:
    """The limit must tell a quadratic time from a linear one."""
    assert seconds(re.compile(r"/[^?]*\?").search, "/" * LENGTH) > MAX_SECONDS
