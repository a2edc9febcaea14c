"""The recipe for OpenTelemetry, with the spans on standard output instead of a collector.

Source: docs/recipes.md, "Traces with OpenTelemetry".
"""

import json
import os
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import SECRET, mint
from examples.tests.code_blocks import RECIPES, code_blocks, commands
from todo_project.tests.live_server import deploying

TASKS = "/api/alice/tasks"
TITLE = "A private title"
TOKEN = mint("alice")
ROUTE = r"^api/(?P<user_id>[^/]+)/tasks/?\Z"
TRACE = "0af7651916cd43dd8448eb211c80319c"
FAULT = "ALTER TABLE task ADD CONSTRAINT fault CHECK (title <> 'fault')"
# The console exporter writes indented JSON.
SPAN = re.compile(r"^\{\n.*?^\}$", re.DOTALL | re.MULTILINE)

pytestmark = [pytest.mark.live, pytest.mark.postgresql]

Span = dict[str, Any]


def recipe() -> tuple[list[str], dict[str, str]]:
    """Return the command and the variables of the recipe."""
    [block] = code_blocks(RECIPES, "sh")
    [command] = [each for each in commands(RECIPES) if "opentelemetry" in each]
    return shlex.split(command), dict(line.split("=", 1) for line in shlex.split(block))


@dataclass(frozen=True)
class Traced:
    """What a traced server has returned and exported.

    Args:
        statuses: the statuses of all responses.
        refused: the response to a request with another ``Host``.
        output: the standard output.
        requests: the spans of requests, in the order of the requests.
        statements: the spans of statements.
    """

    statuses: list[int]
    refused: httpx.Response
    output: str
    requests: list[Span]
    statements: list[Span]


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    """Run the recipe, send requests, and stop the server."""
    command, variables = recipe()
    with deploying(tmp_path_factory.mktemp("traced")) as deployed:
        assert deployed.manage("migrate", "--verbosity=0").returncode == 0
        deployed.query(FAULT)
        with deployed.serving(
            command,
            **variables,
            OTEL_TRACES_EXPORTER="console",
            OTEL_BSP_SCHEDULE_DELAY="600000",  # milliseconds: exports only when the worker stops
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            ALLOWED_HOSTS="127.0.0.1",
            LOG_LEVEL="ERROR",
            WEB_CONCURRENCY="1",
        ) as live:
            with live.client(Authorization=f"Bearer {TOKEN}") as client:
                parent = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
                task = {"title": TITLE, "description": TITLE}
                responses = [
                    client.post(f"{TASKS}?search=wanted", json=task, headers=parent),
                    client.post(TASKS, json={"title": "fault"}),
                    client.post("/admin/login/"),
                    client.get("/health/ready"),
                    client.get(TASKS, headers={"Host": "other.example"}),
                ]
            assert live.stop() == 0, live.log
    spans = [json.loads(text) for text in SPAN.findall(live.log)]
    return Traced(
        [response.status_code for response in responses],
        responses[-1],
        live.log,
        [span for span in spans if span["kind"] == "SpanKind.SERVER"],
        [span for span in spans if span["kind"] == "SpanKind.CLIENT"],
    )


def test_a_traced_server_answers_as_before(traced: Traced) -> None:
    """A refused ``Host`` too must get the JSON of the contract (docs/contract.md, "Errors")."""
    assert traced.statuses == [201, 500, 403, 200, 400]
    assert traced.refused.json() == {"detail": "Bad Request", "error": "Bad Request"}


def test_a_request_is_one_span_of_the_callers_trace(traced: Traced) -> None:
    """A forked worker must export each request, except those of probes and refused hosts."""
    create, fault, login = traced.requests

    assert [each["name"] for each in traced.requests] == [
        f"POST {ROUTE}",
        f"POST {ROUTE}",
        "POST admin/login/",
    ]
    assert int(create["context"]["trace_id"], 16) == int(TRACE, 16)
    assert create["resource"]["attributes"]["service.name"] == "todo-api"
    assert [each["status"]["status_code"] for each in (create, fault)] == ["UNSET", "ERROR"]
    assert fault["events"] == login["events"] == []


def test_the_attributes_of_a_request_are_those_on_the_page(traced: Traced) -> None:
    """An operator must know which attributes identify a person."""
    [table] = re.findall(r"^\| attribute \|.*?\n\n", RECIPES.read_text(), re.DOTALL | re.MULTILINE)
    attributes = traced.requests[0]["attributes"]

    assert attributes.keys() == set(re.findall(r"`((?:http|net)\.[\w.]+)`", table))
    assert attributes["http.target"] == f"{TASKS}?search=wanted"
    assert attributes["http.route"] == ROUTE


def test_a_span_contains_neither_a_secret_nor_a_text(traced: Traced) -> None:
    """A token, a secret, a title or a description must not leave the service."""
    private = [TITLE, SECRET, *TOKEN.split("."), "Bearer"]

    assert [text for text in private if text in traced.output] == []


def test_only_the_statements_of_cursors_are_spans(traced: Traced) -> None:
    """A statement must have no values, and one of an endpoint is no span."""
    statements = [each["attributes"]["db.statement"] for each in traced.statements]

    assert any('"ip_address" = %s' in each for each in statements)
    assert "SHOW transaction_read_only" in statements
    assert [each for each in statements if '"task"' in each] == []
    assert {each["attributes"]["db.system"] for each in traced.statements} == {"postgresql"}
