"""The README's recipes are the examples' own text, which the other tests run."""

import re

from examples.demo import EXAMPLE, PROJECT


def unindented(code: str) -> str:
    """Take the indentation away, which depends on what stands around."""
    return "\n".join(line.strip() for line in code.strip().splitlines())


def test_every_recipe_is_in_the_example() -> None:
    """Whoever copies one must get what was tested."""
    readme = (PROJECT / "README.md").read_text()
    [section] = re.findall(r"^## Wiring Better Auth$.*?^## ", readme, re.DOTALL | re.MULTILINE)
    recipes = re.findall(r"^```ts\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    example = [unindented(file.read_text()) for file in EXAMPLE.glob("*.ts")]

    assert len(recipes) == 4
    for recipe in recipes:
        assert any(unindented(recipe) in code for code in example), recipe


def test_the_proxys_configuration_is_the_examples() -> None:
    """Whoever copies it must get what was tested."""
    page = (PROJECT / "docs" / "operations.md").read_text()

    assert re.findall(r"^```nginx\n(.*?)^```$", page, re.DOTALL | re.MULTILINE) == [
        (PROJECT / "examples" / "nginx.conf").read_text()
    ]
