"""Random requests of several users against gunicorn, compared with a model of the contract.

A failing run prints its seed; ``pytest --hypothesis-seed=N`` repeats its requests.
"""

import json
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
from hypothesis import Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    multiple,
    rule,
    run_state_machine_as_test,
)

from todo_project.tests.api_oracle import Json, UserModel
from todo_project.tests.live_server import LiveServer
from todo_project.tests.naughty_strings import TEXTS

pytestmark = pytest.mark.each_database

EXAMPLES = 20
STEPS = 30

WHO = [0, 1, 2]
who = st.sampled_from(WHO)
offsets = st.sampled_from([0, 0, 0, 0, 1, 2])  # mostly the owner
texts = st.sampled_from(TEXTS) | st.text(st.characters(), max_size=20)
junk: st.SearchStrategy[Any] = st.sampled_from(
    [None, 0, 1, -1, 1.5, True, False, [], {}, [""], "true", 10**30]
)
titles = st.sampled_from(["a", "A b", "ß", "SS"])
bodies = st.fixed_dictionaries(
    {"title": titles | titles | texts},
    optional={
        "description": texts | st.none(),
        "completed": st.booleans(),
        "user_id": junk,
        "priority": junk | texts,
    },
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "title": titles | junk,
        "description": texts | junk,
        "completed": st.booleans() | junk,
    },
)
keys = st.sampled_from([None, None, "key 1", "key 2"])
preconditions = st.sampled_from([None, None, "current", "weak", "stale", "*", "nonsense", ""])
orderings = st.sampled_from(["id", "created_at", "updated_at", "title", "completed"])
options = st.fixed_dictionaries(
    {},
    optional={
        "completed": st.sampled_from(["true", "false"]),
        "search": texts | st.sampled_from(["a", "ss", "ß", "B a"]),
        "ordering": orderings | orderings.map("-{}".format),
        "limit": st.integers(1, 4).map(str),
    },
)
OTHERS = ["/1", "/abc", "/0", "/1/complete", "/x/y", "//", "/%00", "/٣", f"/{2**63}"]


def aim(drawn: tuple[tuple[int, int], int]) -> tuple[int, int]:
    """Return the user who sends a request, and the task's id."""
    (owner, task_id), offset = drawn
    return (owner + offset) % len(WHO), task_id


class Fuzz(RuleBasedStateMachine):
    """Three users of the API, and a model of each user's tasks."""

    server: ClassVar[LiveServer]

    tasks = Bundle("tasks")  # the owner and the id

    def __init__(self) -> None:
        super().__init__()
        run = uuid4().hex
        self.users = [UserModel(f"{run}-{number}") for number in WHO]
        self.clients = [self.server.client(user.id) for user in self.users]

    def call(
        self, who: int, method: str, path: str = "", body: Any = None, **headers: str | None
    ) -> httpx.Response:
        """Send a request on the user's own path, and check the rules for every response."""
        content = None if body is None else json.dumps(body).encode()
        answer = self.clients[who].request(
            method,
            f"/api/{self.users[who].id}/tasks{path}",
            content=content,
            headers={
                **({} if body is None else {"Content-Type": "application/json"}),
                **{name: value for name, value in headers.items() if value is not None},
            },
        )
        assert answer.status_code < 500, answer.content
        assert not answer.has_redirect_location
        assert answer.headers["Vary"] == "Origin, Authorization"
        is_cacheable = method in ("GET", "HEAD") and answer.status_code in (200, 304)
        assert answer.headers["Cache-Control"] == (
            "private, no-cache" if is_cacheable else "no-store"
        )
        assert ("ETag" in answer.headers) == (answer.status_code in (200, 201, 304))
        if answer.is_error and method != "HEAD":
            assert list(answer.json()) == ["detail", "error"]
        return answer

    @initialize(target=tasks)
    def begin(self) -> Any:
        """Create two tasks per user."""
        return multiple(*(self.create(who, {"title": "A ß"}, None) for who in WHO * 2))

    @rule(target=tasks, who=who, body=bodies, key=keys)
    def create(self, who: int, body: Json, key: str | None) -> Any:
        """Create a task, sometimes with a key that was used before."""
        answer = self.call(who, "POST", "", body, **{"Idempotency-Key": key})

        task_id = self.users[who].created(answer, body, key)
        return multiple() if task_id is None else (who, task_id)

    @rule(who=who, key=st.sampled_from(["key 1", "key 2"]))
    def retry(self, who: int, key: str) -> None:
        """Repeat a POST, as after a lost response."""
        body = self.users[who].bodies.get(key, {"title": ""})
        answer = self.call(who, "POST", "", body, **{"Idempotency-Key": key})

        assert self.users[who].created(answer, body, key) is None

    @rule(at=st.tuples(tasks, offsets).map(aim))
    def post_again(self, at: tuple[int, int]) -> None:
        """Post a whole task, as the front end does."""
        who, task_id = at
        task = self.users[who].tasks.get(task_id)
        if task is not None:
            answer = self.call(who, "POST", "", task)
            assert (answer.status_code, answer.json()) == (201, task)
            assert answer.headers["Idempotent-Replayed"] == "true"

    @rule(at=st.tuples(tasks, offsets).map(aim), body=changes, precondition=preconditions)
    def update(self, at: tuple[int, int], body: Json, precondition: str | None) -> None:
        """Update a task, sometimes a stale version or another user's."""
        who, task_id = at
        tag = self.users[who].tag(task_id, precondition)

        answer = self.call(who, "PUT", f"/{task_id}", body, **{"If-Match": tag})

        self.users[who].updated(answer, task_id, body, tag)

    @rule(at=st.tuples(tasks, offsets).map(aim), precondition=preconditions)
    def flip(self, at: tuple[int, int], precondition: str | None) -> None:
        """Flip a task."""
        who, task_id = at
        tag = self.users[who].tag(task_id, precondition)
        completed = self.users[who].tasks.get(task_id, {}).get("completed")

        answer = self.call(who, "PATCH", f"/{task_id}/complete", **{"If-Match": tag})

        self.users[who].updated(answer, task_id, {"completed": not completed}, tag)

    @rule(at=st.tuples(tasks, offsets).map(aim), precondition=preconditions)
    def delete(self, at: tuple[int, int], precondition: str | None) -> None:
        """Delete a task."""
        who, task_id = at
        tag = self.users[who].tag(task_id, precondition)

        answer = self.call(who, "DELETE", f"/{task_id}", **{"If-Match": tag})

        self.users[who].deleted(answer, task_id, tag)

    @rule(at=st.tuples(tasks, offsets).map(aim), method=st.sampled_from(["GET", "HEAD"]))
    def read(self, at: tuple[int, int], method: str) -> None:
        """Read a task, and read it again with ``If-None-Match``."""
        who, task_id = at
        first = self.call(who, method, f"/{task_id}")
        tag = first.headers.get("ETag")
        again = self.call(who, method, f"/{task_id}", **{"If-None-Match": tag})

        task = self.users[who].tasks.get(task_id)
        assert (first.status_code, again.status_code) == ((200, 304) if task else (404, 404))
        if task and method == "GET":
            assert (first.json(), tag) == (task, self.users[who].tags[task_id])

    @rule(who=who, options=options)
    def walk(self, who: int, options: dict[str, str]) -> None:
        """Read the list with options, page by page."""
        query: str | None = (
            str(httpx.QueryParams(options)) if all(map(_fits, options.values())) else ""
        )
        seen: list[Json] = []
        expected = self.users[who].listed(options if query else {})
        while query is not None:
            answer = self.call(who, "GET", f"?{query}")
            assert answer.status_code == 200
            seen += answer.json()
            target = answer.links.get("next", {}).get("url")
            query = target and target.removeprefix("?")
        assert seen == expected

    @rule(who=who, name=st.sampled_from(["completed", "ordering", "limit", "cursor"]), value=texts)
    def send_invalid_option(self, who: int, name: str, value: str) -> None:
        """Send an option, usually an invalid one; the 422 must name it."""
        query = httpx.QueryParams({name: value if _fits(value) else "?"})
        answer = self.call(who, "GET", f"?{query}")

        is_valid = (name, value) == ("completed", "true") or (
            name == "limit" and value.isascii() and value.isdigit() and "1" <= value <= "99"
        )
        problems = [] if answer.is_success else answer.json()["detail"]
        assert answer.status_code == (200 if is_valid else 422)
        assert [each["loc"] for each in problems] == ([] if is_valid else [["query", name]])

    @rule(
        who=who,
        method=st.sampled_from(["GET", "PUT", "PATCH", "DELETE", "POST", "OPTIONS"]),
        path=st.sampled_from(OTHERS),
        body=junk,
    )
    def stray(self, who: int, method: str, path: str, body: Any) -> None:
        """Send a wrong id, path, method or body."""
        assert self.call(who, method, path, body).status_code in (400, 404, 405, 415, 422)

    @rule(at=st.tuples(tasks, offsets).map(aim), method=st.sampled_from(["GET", "PUT", "DELETE"]))
    def trespass(self, at: tuple[int, int], method: str) -> None:
        """Send a request on another user's path."""
        who, task_id = at
        other = self.users[who - 1].id
        path = f"/api/{other}/tasks/{task_id}"

        assert self.clients[who].request(method, path, json={"title": "x"}).status_code == 403

    def teardown(self) -> None:
        """Compare the list of each user with the model."""
        for number, user in enumerate(self.users):
            assert self.call(number, "GET").json() == user.listed({})
            self.clients[number].close()


def _fits(text: str) -> bool:
    """Return whether a text is short enough for a query and has no lone surrogate."""
    return len(text) <= 200 and not any("\ud800" <= letter <= "\udfff" for letter in text)


def test_random_requests_of_three_users_follow_the_contract(
    server: LiveServer, random_seed: int
) -> None:
    """Every response must follow the contract, in any order of requests."""
    Fuzz.server = server

    run_state_machine_as_test(
        seed(random_seed)(Fuzz),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # shrinking would take minutes
        ),
    )
