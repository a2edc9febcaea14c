"""Statements that are compiled once, compared with those of plain querysets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from authn.principals import Principal
from tasks.models import Task, TaskQuerySet, TaskRow
from tasks.statements import Statement
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows
from tasks.views import ACTIONS, TaskViewSet, compiled

ids = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=255)
# An action, and the fields that it updates
CALLS: list[tuple[str, ...]] = [
    ("list",),
    ("retrieve",),
    ("update",),
    ("update", "title", "description", "completed"),
    ("destroy",),
    ("complete",),
]


def statement(action: str, *fields: str) -> Statement:
    """Return the compiled statement of an action, as the view does."""
    return compiled(TaskViewSet, TaskViewSet.get_queryset, action, *fields)


def test_every_action_is_in_the_table() -> None:
    """``CALLS`` must cover every action except ``create``, which reads no task."""
    assert {action for action, *_ in CALLS} | {"create"} == ACTIONS.keys()


@pytest.mark.django_db
def test_a_compiled_statement_is_the_plain_one_with_parameters() -> None:
    """A statement must have an owner parameter and differ from the plain one only in parameters."""

    def outcome(call: tuple[str, ...]) -> Any:
        action, *fields = call
        tasks = Task.objects.owned_by("alice")
        plain = ACTIONS[action](tasks if action == "list" else tasks.filter(pk=7), *fields)
        once = statement(*call)
        values = {"owner": "alice", "task_id": 7}
        bound = [values.get(str(each), each) for each in once.parameters]
        return "owner" in once.parameters, once.sql == plain.sql, bound == list(plain.parameters)

    assert wrong_rows(CALLS, outcome, (True, True, True)) == []


@pytest.mark.django_db
def test_a_view_with_another_queryset_gets_its_own_statement() -> None:
    """A statement compiled for one ``get_queryset`` must not be used for another (FR-013)."""

    class OpenTasks(TaskViewSet):
        def get_queryset(self) -> TaskQuerySet:
            return super().get_queryset().filter(completed=False)

    TaskFactory.create(completed=True)
    once = compiled(OpenTasks, OpenTasks.get_queryset, "list")

    assert once.run(owner="alice") == []
    assert len(statement("list").run(owner="alice")) == 1


@pytest.mark.django_db
def test_a_queryset_that_depends_on_the_request_is_an_error() -> None:
    """A condition that differs between requests must not be compiled for all of them."""

    def by_header(view: Any) -> TaskQuerySet:
        return Task.objects.filter(user_id=view.request.headers["X-User"])

    with pytest.raises(AttributeError):
        compiled(TaskViewSet, by_header, "list")


class EveryCallerTest(TestCase):
    """Tests with two arbitrary user ids."""

    @given(mine=ids, theirs=ids)
    def test_a_caller_gets_the_rows_of_the_queryset(self, mine: str, theirs: str) -> None:
        """Each caller must get exactly their own tasks, in any order of calls (SC-002)."""
        Task.objects.all().delete()
        for user_id in (mine, theirs):
            TaskFactory.create(user_id=user_id)

        for user_id in (mine, theirs):
            view = TaskViewSet(request=type("", (), {"user": Principal(user_id)}))
            plain = list(view.get_queryset().order_by("id").rows())
            assert statement("list").run(owner=user_id) == plain


@pytest.mark.django_db
@pytest.mark.parametrize("completed", [True, False])
def test_a_row_has_the_models_values(completed: bool) -> None:
    """A row must have the same values as the model (docs/contract.md, "A task")."""
    task = TaskFactory.create(completed=completed)

    row = Task.objects.owned_by("alice").row()

    assert row == TaskRow(
        task.id,
        task.user_id,
        task.title,
        task.description,
        completed,
        task.created_at.replace(tzinfo=None),
        task.updated_at.replace(tzinfo=None),
    )
    assert type(row.completed) is bool


@pytest.mark.django_db
def test_an_empty_queryset_runs_no_statement(task: Task, django_assert_num_queries: Any) -> None:
    """An action on an empty queryset must run no statement and change nothing."""
    before = rows()

    with django_assert_num_queries(0):
        found = [ACTIONS[action](Task.objects.none(), *fields).run() for action, *fields in CALLS]

    assert found == [[]] * len(CALLS)
    assert rows() == before
