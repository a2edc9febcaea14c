"""A model of one user's tasks according to the contract, for the fuzz test."""

import json
from typing import Any

import httpx

from tasks.serializers import WHITE_SPACE

Json = dict[str, Any]
STALE = '"0123456789abcdef0123456789abcdef"'


class UserModel:
    """A user's tasks and ETags by task id, and task ids and bodies by idempotency key."""

    def __init__(self, user_id: str) -> None:
        self.id = user_id
        self.tasks: dict[int, Json] = {}
        self.tags: dict[int, str] = {}
        self.keys: dict[str, int] = {}
        self.bodies: dict[str, Json] = {}

    def created(self, answer: httpx.Response, body: Json, key: str | None) -> int | None:
        """Check the response to a POST; return the id of the new task, or ``None`` without one."""
        if wrong := wrong_fields(body, is_new=True):
            check_refusal(answer, wrong)
            return None
        if key is not None and key in self.keys:
            task = self.tasks.get(self.keys[key])
            is_same = json.dumps(self.bodies[key], sort_keys=True) == json.dumps(
                body, sort_keys=True
            )
            assert answer.status_code == ((201 if task else 404) if is_same else 422)
            assert answer.is_error or answer.json() == task
            return None
        created: Json = answer.json()
        assert answer.status_code == 201
        assert "Idempotent-Replayed" not in answer.headers
        assert created == {
            "id": created["id"],
            "user_id": self.id,
            "title": body["title"],
            "description": body.get("description"),
            "completed": body.get("completed", False),
            "created_at": created["created_at"],
            "updated_at": created["created_at"],
        }
        task_id = int(created["id"])
        assert task_id > max(self.tasks, default=1000)
        self.tasks[task_id], self.tags[task_id] = created, answer.headers["ETag"]
        if key is not None:
            self.keys[key], self.bodies[key] = task_id, body
        return task_id

    def tag(self, task_id: int, precondition: str | None) -> str | None:
        """Return the ``If-Match`` value for a kind of precondition, or ``None`` without one."""
        current = self.tags.get(task_id, STALE)
        named = {"current": f"{STALE}, {current}", "weak": f"W/{current}", "stale": STALE}
        return precondition if precondition is None else named.get(precondition, precondition)

    def updated(self, answer: httpx.Response, task_id: int, body: Json, tag: str | None) -> None:
        """Check the response to a PUT or a flip, and update the model."""
        if wrong := wrong_fields(body, is_new=False):
            check_refusal(answer, wrong)
        elif self._is_written(answer, task_id, tag):
            task, now = self.tasks[task_id], answer.json()["updated_at"]
            assert (answer.status_code, now > task["updated_at"]) == (200, True)
            kept = {"title", "completed"} & {name for name in body if body[name] is None}
            task.update({name: body[name] for name in body if name not in kept}, updated_at=now)
            assert answer.json() == task
            assert answer.headers["ETag"] != self.tags[task_id]
            self.tags[task_id] = answer.headers["ETag"]

    def deleted(self, answer: httpx.Response, task_id: int, tag: str | None) -> None:
        """Check the response to a DELETE, and update the model."""
        if self._is_written(answer, task_id, tag):
            assert (answer.status_code, answer.content) == (204, b"")
            del self.tasks[task_id], self.tags[task_id]

    def _is_written(self, answer: httpx.Response, task_id: int, tag: str | None) -> bool:
        """Return whether the write must have succeeded; otherwise, check the error status."""
        status = 0
        if task_id not in self.tasks:
            status = 404
        elif tag not in (None, "*", f"{STALE}, {self.tags[task_id]}"):
            status = 412
        assert status in (0, answer.status_code)
        return status == 0

    def listed(self, options: dict[str, str]) -> list[Json]:
        """Return the tasks that the list must return for these options, in order."""
        words = options.get("search", "").casefold().split()
        kept = [
            task
            for _, task in sorted(self.tasks.items())
            if options.get("completed") in (None, str(task["completed"]).lower())
            and all(
                any(word in (task[name] or "").casefold() for name in ("title", "description"))
                for word in words
            )
        ]
        ordering = options.get("ordering", "id")
        kept.sort(key=lambda task: task[ordering.removeprefix("-")], reverse=ordering[0] == "-")
        return kept


def wrong_fields(body: Json, *, is_new: bool) -> list[str]:
    """Return the fields that must be refused, in the contract's order."""
    wrong = []
    title = body.get("title")
    is_title = _is_text(title, 200) and str(title).strip(WHITE_SPACE) != ""
    if not is_title and (is_new or title is not None):
        wrong.append("title")
    description = body.get("description")
    if description is not None and not _is_text(description, 1000):
        wrong.append("description")
    completed = body.get("completed", False if is_new else None)
    if not isinstance(completed, bool) and (is_new or completed is not None):
        wrong.append("completed")
    return wrong


def check_refusal(answer: httpx.Response, fields: list[str]) -> None:
    """Check that the response is a 422 with exactly these fields."""
    assert answer.status_code == 422
    assert [problem["loc"] for problem in answer.json()["detail"]] == [
        ["body", field] for field in fields
    ]


def _is_text(value: Any, length: int) -> bool:
    if not isinstance(value, str) or len(value) > length or "\0" in value:
        return False
    return not any("\ud800" <= letter <= "\udfff" for letter in value)
