"""Generates sample tasks and inserts them."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import Random

import factory.random
from django.utils import timezone

from tasks.maintenance.batches import insert_in_batches
from tasks.maintenance.factories import TaskFactory
from tasks.models import Task

# Faker takes 0.3 ms per task, so at most this many texts are generated and then reused.
DECK_SIZE = 2000
EDITED_SHARE = 0.2


def seed_tasks(
    user_ids: Sequence[str],
    tasks_each: int,
    *,
    completed_share: float = 0.3,
    days: int = 90,
    seed: int | None = None,
    on_batch: Callable[[int], object] = lambda count: None,
    on_commit: Callable[[int], object] = lambda count: None,
) -> int:
    """Create sample tasks: all of them or, on an error, none.

    Args:
        user_ids: the distinct ids of the owners.
        tasks_each: the number of tasks per user.
        completed_share: the share of completed tasks, 0 to 1.
        days: creation times are spread evenly, in the order of the ids, over this many days before
            now. Completed tasks and some others have a later ``updated_at``.
        seed: the same number generates the same tasks, with times relative to now; ``None`` is
            random.
        on_batch: called with the number of tasks in each inserted batch.
        on_commit: called with the number of tasks, as by ``insert_in_batches``.

    Returns:
        The number of tasks created.
    """
    random = Random(seed)  # noqa: S311 - not for secrets
    tasks = _tasks(user_ids, tasks_each, completed_share, timedelta(days=days), random)
    return insert_in_batches(tasks, on_batch=on_batch, on_commit=on_commit)


def _tasks(
    user_ids: Sequence[str],
    tasks_each: int,
    completed_share: float,
    span: timedelta,
    random: Random,
) -> Iterator[Task]:
    """Yield tasks, assigned to the users round-robin."""
    total = len(user_ids) * tasks_each
    completed_left = round(total * completed_share)
    texts = _texts(min(total, DECK_SIZE), random)
    now = timezone.now()
    for index, (title, description) in enumerate(islice(texts, total)):
        created_at = now - span * (1 - (index + random.random()) / total)
        # The probability is the share that the remaining tasks still need, so the total is exact.
        completed = random.random() * (total - index) < completed_left
        completed_left -= completed
        is_edited = completed or random.random() < EDITED_SHARE
        yield Task(
            user_id=user_ids[index % len(user_ids)],
            title=title,
            description=description,
            completed=completed,
            created_at=created_at,
            updated_at=_between(created_at, now, random) if is_edited else created_at,
        )


def _texts(size: int, random: Random) -> Iterator[tuple[str, str | None]]:
    """Yield titles and descriptions forever, in rounds that use each of them once."""
    factory.random.reseed_random(random.getrandbits(64))
    deck = [(task.title, task.description) for task in TaskFactory.build_batch(size)]
    while True:
        random.shuffle(deck)
        yield from deck


def _between(start: datetime, end: datetime, random: Random) -> datetime:
    return start + (end - start) * random.random()
