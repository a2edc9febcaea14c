import factory.random

from tasks.models import DESCRIPTION_MAX_LENGTH, TITLE_MAX_LENGTH, Task
from tasks.tests.factories import TaskFactory


def made_with(seed: int) -> list[tuple[str, str | None, bool]]:
    """Make tasks, without storing them, after seeding."""
    factory.random.reseed_random(seed)
    tasks: list[Task] = TaskFactory.build_batch(200)
    return [(task.title, task.description, task.completed) for task in tasks]


def test_the_same_seed_makes_the_same_tasks() -> None:
    """Sample tasks must be reproducible."""
    assert made_with(7) == made_with(7)


def test_another_seed_makes_other_tasks() -> None:
    """A seed must be what decides."""
    assert made_with(7) != made_with(8)


def test_every_text_fits_its_column() -> None:
    """Sample tasks must keep to the lengths that clients keep to (FR-007, FR-008)."""
    made = made_with(7)

    assert all(0 < len(title.strip()) <= TITLE_MAX_LENGTH for title, _, _ in made)
    assert all(len(description or "") <= DESCRIPTION_MAX_LENGTH for _, description, _ in made)
