"""A statement that is compiled once says what the plain queryset would say for each caller."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from authn.principals import Principal
from tasks import plans
from tasks.models import Task, TaskQuerySet, TaskRow
from tasks.tests.factories import TaskFactory, rows
from tasks.tests.tables import wrong_rows
from tasks.views import TaskViewSet

ids = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=255)
# a plan, and the fields that it writes
PLANS: list[tuple[plans.Plan, tuple[str, ...]]] = [
    (plans.read_all, ()),
    (plans.read_one, ()),
    (plans.write, ()),
    (plans.write, ("title", "description", "completed")),
    (plans.remove, ()),
    (plans.flip, ()),
]


def prepared(plan: plans.Plan, *fields: str) -> Any:
    """Compile a plan as the view does."""
    return plans.prepared(TaskViewSet, TaskViewSet.get_queryset, plan, *fields)


@pytest.mark.django_db
def test_a_prepared_statement_is_the_plain_one_with_the_owner_as_a_parameter() -> None:
    """The owner's id must be all that differs, and none run over all tasks (FR-013, SC-002)."""

    def answer(row: tuple[plans.Plan, tuple[str, ...]]) -> Any:
        plan, fields = row
        once, plain = prepared(plan, *fields), plan(Task.objects.owned_by("alice"), *fields)
        named = ["alice" if each == plans.OWNER else each for each in once.parameters]
        is_owned = plans.OWNER in once.parameters
        return is_owned, once.sql == plain.sql, named == list(plain.parameters)

    assert wrong_rows(PLANS, answer, (True, True, True)) == []


@pytest.mark.django_db
def test_a_view_of_another_scope_gets_a_statement_of_its_own() -> None:
    """What was compiled for one ``get_queryset`` must not serve another (FR-013)."""

    class OpenTasks(TaskViewSet):
        def get_queryset(self) -> TaskQuerySet:
            return super().get_queryset().filter(completed=False)

    TaskFactory.create(completed=True)
    once = plans.prepared(OpenTasks, OpenTasks.get_queryset, plans.read_all)

    assert once.run(owner="alice") == []
    assert len(prepared(plans.read_all).run(owner="alice")) == 1


@pytest.mark.django_db
def test_a_scope_that_looks_at_more_than_the_caller_is_an_error() -> None:
    """A condition that differs between requests must not be compiled in for all of them."""

    def by_header(view: Any) -> TaskQuerySet:
        return Task.objects.filter(user_id=view.request.headers["X-User"])

    with pytest.raises(AttributeError):
        plans.prepared(TaskViewSet, by_header, plans.read_all)


class EveryCallerTest(TestCase):
    """With any two ids of users."""

    @given(mine=ids, theirs=ids)
    def test_a_caller_gets_what_the_queryset_gives(self, mine: str, theirs: str) -> None:
        """Each must read their own, whoever was served before (SC-002)."""
        Task.objects.all().delete()
        for user_id in (mine, theirs):
            TaskFactory.create(user_id=user_id)

        for user_id in (mine, theirs):
            view = TaskViewSet(request=type("", (), {"user": Principal(user_id)}))
            plain = list(view.get_queryset().order_by("id").rows())
            assert prepared(plans.read_all).run(owner=user_id) == plain


@pytest.mark.django_db
@pytest.mark.parametrize("completed", [True, False])
def test_a_row_is_what_the_model_reads(completed: bool) -> None:
    """A row read past the model must hold the same values (docs/contract.md, "A task")."""
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
def test_a_plan_over_nothing_asks_nothing(task: Task, django_assert_num_queries: Any) -> None:
    """A scope that can hold nothing must change nothing."""
    before = rows()

    with django_assert_num_queries(0):
        found = [plan(Task.objects.none(), *fields).run() for plan, fields in PLANS]

    assert found == [[]] * len(PLANS)
    assert rows() == before
