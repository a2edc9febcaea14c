"""The task, the queries over it, and the keys of creates that may be sent twice."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import Expression, F, Value
from django.db.models.functions import Greatest, Least, Length
from django.db.models.lookups import LessThanOrEqual

from tasks.statements import (
    InUTC,
    Parameter,
    Statement,
    aware,
    delete,
    insert,
    parameter,
    select,
    update,
)

MAX_TASK_ID = 2**63 - 1
USER_ID_MAX_LENGTH = 255
TITLE_MAX_LENGTH = 200
DESCRIPTION_MAX_LENGTH = 1000
IDEMPOTENCY_KEY_MAX_LENGTH = 255
IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)  # at least; ``cleanup_tasks`` ends it


class TaskRow(NamedTuple):
    """A stored task, in the order in which clients see it. What is read is never saved back.

    The moments are in UTC and have no time zone: ``aware`` gives it to them.
    """

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


TICK = timedelta(microseconds=1)
# One tick before the last moment that Python knows: a row beyond it could not be read any more.
LAST_MOMENT = datetime.max.replace(tzinfo=UTC) - TICK


def later_than(now: Expression) -> Expression:
    """Make the next ``updated_at``: ``now``, or a tick after the last one if that is later.

    It moves strictly forward even where the clock, read before the row is locked, has fallen
    behind.

    Source: docs/contract.md, "A task".
    """
    last = Least(F("updated_at"), Value(LAST_MOMENT, output_field=models.DateTimeField()))
    return Greatest(now, last + TICK, output_field=models.DateTimeField())


COLUMNS = [InUTC(name) if name.endswith("_at") else name for name in TaskRow._fields]


class TaskQuerySet(models.QuerySet["Task"]):
    """Chains of conditions, and statements: each of them one, which commits by itself."""

    def owned_by(self, user_id: str) -> Self:
        """Keep the tasks of one user.

        Source: FR-013, SC-002.
        """
        return self.filter(user_id=user_id)

    def completed_before(self, moment: datetime) -> Self:
        """Keep the completed tasks whose last change is older than a moment."""
        return self.filter(completed=True, updated_at__lt=moment)

    def unchanged_since(self, task: TaskRow) -> Self:
        """Keep the task where it is still the same in every column, whoever may change it."""
        moments = {name: aware(getattr(task, name)) for name in ("created_at", "updated_at")}
        return self.filter(**{**task._asdict(), **moments})

    def reading(self) -> Statement:
        """Compile what reads these tasks, as the columns of ``TaskRow``."""
        return select(self, COLUMNS)

    def adding(self) -> Statement:
        """Compile what inserts a task, created and updated ``now``, and returns it.

        Source: docs/contract.md, "A task"; FR-009 to FR-011.
        """
        now = Parameter("now")
        given = {name: Parameter(name) for name in ("user_id", "title", "description", "completed")}
        return insert(self, {**given, "created_at": now, "updated_at": now}, COLUMNS)

    def changing(self, **values: Any) -> Statement:
        """Compile what writes these fields of a task ``now``, and no others, and returns it.

        Args:
            values: values or expressions (``completed=~F("completed")``) by field name.

        Source: docs/contract.md, "Concurrency" and "A task".
        """
        return update(self, {**values, "updated_at": later_than(parameter("now"))}, COLUMNS)

    def removing(self) -> Statement:
        """Compile what deletes a task, and returns its id.

        Source: docs/contract.md, "Concurrency".
        """
        return delete(self)

    def rows(self) -> Iterator[TaskRow]:
        """Read the tasks."""
        return map(TaskRow._make, self.reading().run())

    def row(self) -> TaskRow | None:
        """Read the one task that is left, or ``None`` where there is none."""
        return next(self.rows(), None)

    def add(self, **values: Any) -> TaskRow:
        """Insert a task.

        Args:
            values: ``user_id``, ``title`` and optionally ``description`` and ``completed``.
        """
        return added(self.adding(), **values)

    def change(self, **values: Any) -> TaskRow | None:
        """Write these fields of the one task that is left; return it, or ``None``."""
        changing = self.changing(**values)
        rows = changing.run(now=changing.now())
        return TaskRow._make(rows[0]) if rows else None

    def remove(self) -> bool:
        """Delete the one task that is left, and tell whether there was one."""
        return bool(self.removing().run())


def added(
    adding: Statement,
    *,
    user_id: str,
    title: str,
    description: str | None = None,
    completed: bool = False,
) -> TaskRow:
    """Run what ``adding`` has compiled, and return the task."""
    [row] = adding.run(
        user_id=user_id,
        title=title,
        description=description,
        completed=completed,
        now=adding.now(),
    )
    return TaskRow._make(row)


class Task(models.Model):
    """Something that somebody wants to get done.

    Invariants: the owner and ``created_at`` never change; ``updated_at`` moves strictly forward
    with every change; the texts are kept exactly as they were sent.

    Table and columns are those of the plan's FastAPI back end, whose database this one shares.

    Source: docs/contract.md, "A task"; FR-007 to FR-012.
    """

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=USER_ID_MAX_LENGTH)
    title = models.CharField(max_length=TITLE_MAX_LENGTH)
    description = models.CharField(  # noqa: DJ001 - null and "" are two different answers
        max_length=DESCRIPTION_MAX_LENGTH, null=True, blank=True
    )
    completed = models.BooleanField(default=False)
    created_at = models.DateTimeField(editable=False)
    updated_at = models.DateTimeField(editable=False)

    objects = TaskQuerySet.as_manager()

    class Meta:
        db_table = "task"
        indexes = (
            # FR-018: GET …/tasks, "this user's tasks, by id"
            models.Index(fields=["user_id", "id"], name="ix_task_user_id_id"),
        )
        # SQLite does not look at the length of a varchar.
        constraints = tuple(
            models.CheckConstraint(
                condition=LessThanOrEqual(Length(name), length), name=f"task_{name}_length"
            )
            for name, length in (
                ("user_id", USER_ID_MAX_LENGTH),
                ("title", TITLE_MAX_LENGTH),
                ("description", DESCRIPTION_MAX_LENGTH),
            )
        )

    def __str__(self) -> str:
        return self.title


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Chains of conditions."""

    def created_before(self, moment: datetime) -> Self:
        """Keep the keys that are older than a moment."""
        return self.filter(created_at__lt=moment)


class IdempotencyKey(models.Model):
    """The key of a create that was answered, and what it stands for.

    Invariants: a user's key stands for one body and one task, for good; the row commits together
    with its task. It outlives the task, so that a late retry does not bring that back.

    Source: docs/contract.md, "What goes beyond the plan", safe retries.
    """

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=USER_ID_MAX_LENGTH)
    key = models.CharField(max_length=IDEMPOTENCY_KEY_MAX_LENGTH)
    body_digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    task_id = models.BigIntegerField()  # no foreign key: it may be gone
    created_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        db_table = "task_idempotency_key"
        constraints = (
            # POST with Idempotency-Key: "this user's key", and only one of two at the same moment
            models.UniqueConstraint(fields=["user_id", "key"], name="task_idempotency_key_unique"),
        )

    def __str__(self) -> str:
        return self.key
