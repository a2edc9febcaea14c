"""The code blocks of the documentation, which the tests run or compare with the examples."""

import re
from pathlib import Path

from examples.demo import PROJECT

RECIPES = PROJECT / "docs" / "recipes.md"


def code_blocks(page: Path, language: str) -> list[str]:
    """Return a page's code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> list[str]:
    """Return the commands of a page's console sessions."""
    return re.findall(r"^\$ (.+)$", "".join(code_blocks(page, "console")), re.MULTILINE)
