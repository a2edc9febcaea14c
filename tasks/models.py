"""The task, the queries over it, and the keys of creates that may be sent twice."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.models import F, Value
from django.db.models.functions import Greatest, Length
from django.db.models.lookups import LessThanOrEqual
from django.db.models.sql import UpdateQuery
from django.utils import timezone

MAX_TASK_ID = 2**63 - 1
USER_ID_MAX_LENGTH = 255
TITLE_MAX_LENGTH = 200
DESCRIPTION_MAX_LENGTH = 1000
IDEMPOTENCY_KEY_MAX_LENGTH = 255
IDEMPOTENCY_KEY_LIFETIME = timedelta(hours=24)  # at least; ``cleanup_tasks`` ends it


class TaskRow(NamedTuple):
    """A stored task, in the order in which clients see it. What is read is never saved back."""

    id: int
    user_id: str
    title: str
    description: str | None
    completed: bool
    created_at: datetime
    updated_at: datetime


class TaskQuerySet(models.QuerySet["Task"]):
    """Chains of conditions, and the writes: each of them one statement that commits by itself."""

    def owned_by(self, user_id: str) -> Self:
        """Keep the tasks of one user.

        Source: FR-013, SC-002.
        """
        return self.filter(user_id=user_id)

    def unchanged_since(self, task: TaskRow) -> Self:
        """Keep the task where it is still the same in every column, whoever may change it."""
        return self.filter(**task._asdict())

    def rows(self) -> Iterator[TaskRow]:
        """Read the tasks without making a model of each."""
        return map(TaskRow._make, self.values_list(*TaskRow._fields))

    def row(self) -> TaskRow | None:
        """Read the one task that is left, or ``None`` where there is none."""
        return next(self.rows(), None)

    def add(self, **values: Any) -> TaskRow:
        """Insert a task, created and updated at the same moment.

        Args:
            values: ``user_id``, ``title`` and optionally ``description`` and ``completed``.

        Source: contract.md "A task"; FR-009 to FR-011.
        """
        now = timezone.now()
        task = self.create(created_at=now, updated_at=now, **values)
        return TaskRow(*(getattr(task, name) for name in TaskRow._fields))

    def change(self, **values: Any) -> TaskRow | None:
        """Write these fields of the one task that is left, and no others.

        One ``UPDATE … RETURNING``, so that two writers cannot undo each other. ``updated_at`` moves
        strictly forward even where the clock, read before the row is locked, has fallen behind.

        Args:
            values: new values or expressions (``completed=~F("completed")``) by field name.

        Returns:
            The task as it is now, or ``None`` where there is none.

        Source: contract.md "Concurrency" and "A task".
        """
        query: UpdateQuery = self.query.chain(UpdateQuery)  # type: ignore[assignment]  # stubs
        query.add_update_values(
            {
                **values,
                "updated_at": Greatest(
                    Value(timezone.now(), output_field=models.DateTimeField()),
                    F("updated_at") + timedelta(microseconds=1),
                ),
            }
        )
        try:
            statement, parameters = query.get_compiler(self.db).as_sql()
        except EmptyResultSet:  # a condition that nothing can meet, such as queryset.none()
            return None
        # what a SELECT of them would read, by the same names and converted the same way
        selected = self.values_list(*TaskRow._fields).query.get_compiler(self.db)
        selected.setup_query()
        columns = ", ".join(selected.compile(column)[0] for column, _, _ in selected.select)
        with connections[self.db].cursor() as cursor:
            cursor.execute(f"{statement} RETURNING {columns}", parameters)
            changed = cursor.fetchall()
        converters = selected.get_converters([column for column, _, _ in selected.select])
        return next(map(TaskRow._make, selected.apply_converters(changed, converters)), None)

    def remove(self) -> bool:
        """Delete the one task that is left, and tell whether there was one.

        ``delete()`` wraps its statement in a transaction of its own, two round trips more; nothing
        refers to a task, so there is nothing for it to collect.

        Source: contract.md "Concurrency".
        """
        return bool(self._raw_delete(self.db))


class Task(models.Model):
    """Something that somebody wants to get done.

    Invariants: the owner and ``created_at`` never change; ``updated_at`` moves strictly forward
    with every change; the texts are kept exactly as they were sent.

    Table and columns are those of the plan's FastAPI back end, whose database this one shares.

    Source: contract.md "A task"; FR-007 to FR-012.
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

    Source: contract.md "What goes beyond the plan", safe retries.
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
