"""Filling the table with believable tasks."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from random import Random

import factory.random
from django.utils import timezone

from tasks.maintenance.batches import store_in_batches
from tasks.maintenance.factories import TaskFactory
from tasks.models import Task

# Faker takes 0.3 ms for a task: this many are made, and dealt like cards until enough are out.
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
) -> int:
    """Store sample tasks, all of them or, if anything gets in the way, none.

    Args:
        user_ids: whose they are; each id once.
        tasks_each: how many each user gets.
        completed_share: 0 to 1; this share of all tasks is completed.
        days: the tasks were created, evenly and in the order of their ids, over so many days until
            now. A completed one was changed some time after its creation, and so were some others.
        seed: the same number makes the same tasks again, their times counted from now; ``None``
            makes others each time.
        on_batch: called with the number of tasks that were just written.

    Returns:
        How many tasks were stored.

    Source: issue "Staff and operators", ``seed_tasks``.
    """
    random = Random(seed)  # noqa: S311 - nothing secret is made
    made = _tasks(user_ids, tasks_each, completed_share, timedelta(days=days), random)
    return store_in_batches(made, on_batch=on_batch)


def _tasks(
    user_ids: Sequence[str],
    tasks_each: int,
    completed_share: float,
    span: timedelta,
    random: Random,
) -> Iterator[Task]:
    """Make one task after the other, a round over all users and then the next."""
    total = len(user_ids) * tasks_each
    completed_left = round(total * completed_share)
    texts = _texts(min(total, DECK_SIZE), random)
    now = timezone.now()
    for index, (title, description) in enumerate(islice(texts, total)):
        created_at = now - span * (1 - (index + random.random()) / total)
        # As many as are left to complete, out of as many as are left: exactly the share in the end.
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
    """Deal titles and descriptions for ever; none comes twice before the deck is through."""
    factory.random.reseed_random(random.getrandbits(64))
    deck = [(task.title, task.description) for task in TaskFactory.build_batch(size)]
    while True:
        random.shuffle(deck)
        yield from deck


def _between(start: datetime, end: datetime, random: Random) -> datetime:
    return start + (end - start) * random.random()
