"""The task and its queries, and the idempotency keys of created tasks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db import models
from django.db.models import Case, Expression, F, When
from django.db.models.functions import Greatest, Length
from django.db.models.lookups import LessThanOrEqual
from django.utils import timezone

from authn.tokens import USER_ID_MAX_LENGTH
from tasks.statements import (
    InUTC,
    Parameter,
    Statement,
    delete,
    insert,
    parameter,
    select,
    update,
)

MAX_TASK_ID = 2**63 - 1
TITLE_MAX_LENGTH = 200
DESCRIPTION_MAX_LENGTH = 1000
IDEMPOTENCY_KEY_MAX_LENGTH = 255

TICK = timedelta(microseconds=1)
FIRST_DATETIME = datetime.min.replace(tzinfo=UTC)
LAST_DATETIME = datetime.max.replace(tzinfo=UTC)
# An adopted table may hold times beyond these two, which are read as the nearest of them.
BEYOND = {FIRST_DATETIME: "__lte", LAST_DATETIME: "__gte"}


class TaskRow(NamedTuple):
    """A stored task, read without a model instance; its fields are in the order of the API's keys.

    Datetimes are naive UTC; ``values()`` makes them aware.
    """

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime

    def values(self) -> dict[str, Any]:
        """Return the values by field name, with aware datetimes."""
        return {
            name: value.replace(tzinfo=UTC) if isinstance(value, datetime) else value
            for name, value in self._asdict().items()
        }


def next_updated_at(now: Expression) -> Expression:
    """Return the next ``updated_at``: ``now``, or one tick after the last one if that is later.

    ``updated_at`` moves strictly forward, even if the clock was read before the row was locked.
    Nothing follows the last time that can be shown, or one after it: there it restarts at ``now``.

    Source: docs/contract.md, "A task"; docs/adoption.md, "Times that cannot be shown".
    """
    later = Greatest(now, F("updated_at") + TICK, output_field=models.DateTimeField())
    return Case(
        When(updated_at__lt=LAST_DATETIME, then=later),
        default=now,
        output_field=models.DateTimeField(),
    )


class TaskQuerySet(models.QuerySet["Task"]):
    """Filters, and single-statement reads and writes that autocommit."""

    def owned_by(self, user_id: str) -> Self:
        """Keep only one user's tasks.

        Source: FR-013, SC-002.
        """
        return self.filter(user_id=user_id)

    def completed_before(self, time: datetime) -> Self:
        """Keep only the completed tasks whose last change was before ``time``."""
        return self.filter(completed=True, updated_at__lt=time)

    def unchanged_since(self, task: TaskRow) -> Self:
        """Keep only the given task, provided that no column has changed since it was read."""
        values = task.values()
        return self.filter(
            **{f"{name}{BEYOND.get(value, '')}": value for name, value in values.items()}
        )

    def compile_select(self) -> Statement:
        """Compile the ``SELECT`` of these tasks, with the columns of ``TaskRow``."""
        return select(self, COLUMNS)

    def compile_insert(self) -> Statement:
        """Compile the ``INSERT`` of a task, with the columns of ``TaskRow``.

        Its parameters are the editable fields, and ``now`` for both times.

        Source: docs/contract.md, "A task"; FR-009 to FR-011.
        """
        fields = [field for field in Task._meta.concrete_fields if not field.primary_key]
        values = {each.name: Parameter(each.name if each.editable else "now") for each in fields}
        return insert(self, values, COLUMNS)

    def compile_update(self, **values: Any) -> Statement:
        """Compile an ``UPDATE`` of the named fields and ``updated_at``, with a parameter ``now``.

        Args:
            values: values or expressions, such as ``completed=~F("completed")``, by field name.

        Source: docs/contract.md, "Concurrency" and "A task".
        """
        return update(self, {**values, "updated_at": next_updated_at(parameter("now"))}, COLUMNS)

    def compile_delete(self) -> Statement:
        """Compile the ``DELETE`` of these tasks, which returns their ids.

        Source: docs/contract.md, "Concurrency".
        """
        return delete(self)

    def rows(self) -> Iterator[TaskRow]:
        """Read the tasks."""
        return map(TaskRow._make, self.compile_select().run())

    def row(self) -> TaskRow | None:
        """Return the first task, or ``None`` if there is none."""
        return next(self.rows(), None)

    def add(self, **values: Any) -> TaskRow:
        """Insert a task.

        Args:
            values: ``user_id``, ``title``, and optionally the other editable fields.
        """
        optional = [each for each in Task._meta.concrete_fields if each.has_default() or each.null]
        values = {each.name: each.get_default() for each in optional} | values
        [row] = self.compile_insert().run(now=timezone.now(), **values)
        return TaskRow._make(row)

    def change(self, **values: Any) -> TaskRow | None:
        """Update the named fields of a single task; return it, or ``None`` if there is none."""
        rows = self.compile_update(**values).run(now=timezone.now())
        return TaskRow._make(rows[0]) if rows else None


class Task(models.Model):
    """A user's task.

    Invariants: the owner and ``created_at`` never change; ``updated_at`` moves strictly forward
    with every change; texts are stored exactly as sent.

    The table and its columns have the same names as in the plan's FastAPI back end.

    Source: docs/contract.md, "A task"; FR-007 to FR-012.
    """

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=USER_ID_MAX_LENGTH)
    title = models.CharField(max_length=TITLE_MAX_LENGTH)
    description = models.CharField(  # noqa: DJ001 - null and "" differ
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
        # SQLite ignores the length of a varchar.
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


# The columns of TaskRow, which the statements select and return
COLUMNS = [
    InUTC(field.name) if isinstance(field, models.DateTimeField) else field.name
    for field in Task._meta.concrete_fields
]


class IdempotencyKeyQuerySet(models.QuerySet["IdempotencyKey"]):
    """Filters for idempotency keys."""

    def created_before(self, time: datetime) -> Self:
        """Keep only the keys that were created before ``time``."""
        return self.filter(created_at__lt=time)


class IdempotencyKey(models.Model):
    """The ``Idempotency-Key`` of a ``POST`` that created a task.

    Invariants: a user's key identifies one body and one task; the row is committed together with
    its task. It outlives a deleted task, so that a late retry does not create the task again.

    Source: docs/contract.md, "Extensions", safe retries.
    """

    id = models.BigAutoField(primary_key=True)
    user_id = models.CharField(max_length=USER_ID_MAX_LENGTH)
    key = models.CharField(max_length=IDEMPOTENCY_KEY_MAX_LENGTH)
    body_digest = models.CharField(max_length=64)  # SHA-256, hexadecimal
    task_id = models.BigIntegerField()  # no foreign key: the task may have been deleted
    created_at = models.DateTimeField()

    objects = IdempotencyKeyQuerySet.as_manager()

    class Meta:
        db_table = "task_idempotency_key"
        constraints = (
            # Keys are unique per user, so one of two concurrent INSERTs of the same key fails.
            models.UniqueConstraint(fields=["user_id", "key"], name="task_idempotency_key_unique"),
        )

    def __str__(self) -> str:
        return self.key
