"""Two users who send random requests: neither may notice the other."""

from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from conftest import ApiClient
from tasks.models import Task

Json = dict[str, Any]

USERS = ["alice", "bob"]
users = st.sampled_from(USERS)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)
titles = texts.map(lambda text: f"{text}.")  # never blank
descriptions = st.none() | texts
changes = st.fixed_dictionaries(
    {}, optional={"title": titles, "description": descriptions, "completed": st.booleans()}
)


class TwoUsers(RuleBasedStateMachine):
    """The API compared with a model: for each user, a dictionary of tasks by id.

    ``ids`` holds every id ever assigned, including those of deleted tasks.
    """

    ids = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        Task.objects.all().delete()
        self.clients = {user: ApiClient(user) for user in USERS}
        self.model: dict[str, dict[int, Json]] = {user: {} for user in USERS}

    def call(self, user: str, method: str, path: str = "", body: Json | None = None) -> Any:
        """Send a request on the user's own path."""
        return self.clients[user].send(method, f"/api/{user}/tasks{path}", body)

    @rule(target=ids, user=users, title=titles, body=changes)
    def create(self, user: str, title: str, body: Json) -> int:
        """Create a task: it must have the given values and a new id."""
        sent = {"description": None, "completed": False, **body, "title": title}
        response = self.call(user, "POST", "", {**body, "title": title})
        created: Json = response.json()
        task_id: int = created["id"]

        assert response.status_code == 201
        assert created.items() >= {**sent, "user_id": user}.items()
        assert not any(task_id <= known for tasks in self.model.values() for known in tasks)
        self.model[user][task_id] = created
        return task_id

    @rule(user=users, task_id=ids)
    def read(self, user: str, task_id: int) -> None:
        """Read a task: it must equal the model's, or be a 404 if the model has none."""
        response = self.call(user, "GET", f"/{task_id}")

        self.check(response, self.model[user].get(task_id))

    @rule(user=users, task_id=ids, body=changes)
    def update(self, user: str, task_id: int, body: Json) -> None:
        """Update a task: only the given fields and ``updated_at`` may change.

        A missing task must be a 404.
        """
        self.change(user, task_id, body, self.call(user, "PUT", f"/{task_id}", body))

    @rule(user=users, task_id=ids)
    def flip(self, user: str, task_id: int) -> None:
        """Flip a task: only ``completed`` and ``updated_at`` may change.

        A missing task must be a 404.
        """
        completed = self.model[user].get(task_id, {}).get("completed")
        response = self.call(user, "PATCH", f"/{task_id}/complete")

        self.change(user, task_id, {"completed": not completed}, response)

    @rule(user=users, task_id=ids)
    def delete(self, user: str, task_id: int) -> None:
        """Delete a task: only its owner may succeed."""
        response = self.call(user, "DELETE", f"/{task_id}")

        assert response.status_code == (204 if self.model[user].pop(task_id, None) else 404)

    @rule(user=users, task_id=ids, method=st.sampled_from(["GET", "PUT", "DELETE"]))
    def trespass(self, user: str, task_id: int, method: str) -> None:
        """Send a request on the other user's path: it must be a 403 for any task."""
        other = USERS[1 - USERS.index(user)]
        path = f"/api/{other}/tasks/{task_id}"

        assert self.clients[user].send(method, path, {"title": "Taken"}).status_code == 403

    @invariant()
    def both_lists_equal_the_model(self) -> None:
        """Each list must contain exactly the user's own tasks, oldest first."""
        for user in USERS:
            assert self.call(user, "GET").json() == list(self.model[user].values())

    def change(self, user: str, task_id: int, body: Json, response: Any) -> None:
        """Check the response to a change, and apply the change to the model."""
        task = self.model[user].get(task_id)
        if task:
            now = response.json()["updated_at"]
            assert now > task["updated_at"]
            task.update(body, updated_at=now)
        self.check(response, task)

    def check(self, response: Any, task: Json | None) -> None:
        """Compare a response with the model's task, or with a 404 if the model has none."""
        missing = {"detail": "Task not found", "error": "Task not found"}

        assert (response.status_code, response.json()) == ((200, task) if task else (404, missing))


# fewer than Hypothesis's defaults, 100 and 50, to save time
SETTINGS = settings(max_examples=25, stateful_step_count=30)


@pytest.mark.django_db
def test_two_users_never_notice_each_other() -> None:
    """No sequence of requests may let a user see or change another's tasks (SC-002, FR-013)."""
    run_state_machine_as_test(TwoUsers, settings=SETTINGS)
