"""The recipes in the documentation are copies of the examples, which the other tests run."""

from examples.demo import EXAMPLE, PROJECT
from examples.tests.code_blocks import RECIPES, code_blocks

README = PROJECT / "README.md"
BETTER_AUTH = PROJECT / "docs" / "better-auth.md"
OPERATIONS = PROJECT / "docs" / "operations.md"
PAGES = (README, BETTER_AUTH, RECIPES)


def unindented(code: str) -> str:
    """Remove indentation, which depends on the surrounding code."""
    return "\n".join(line.strip() for line in code.strip().splitlines())


def test_every_recipe_is_in_the_example() -> None:
    """A reader who copies a recipe must get tested code."""
    recipes = [block for page in PAGES for block in code_blocks(page, "ts")]
    example = [unindented(file.read_text()) for file in EXAMPLE.glob("*.ts")]

    assert len(recipes) == 6
    for recipe in recipes:
        assert any(unindented(recipe) in code for code in example), recipe


def test_the_nginx_configuration_is_in_the_example() -> None:
    """A reader who copies the documented configuration must get the tested one."""
    assert code_blocks(OPERATIONS, "nginx") == [(PROJECT / "examples" / "nginx.conf").read_text()]
