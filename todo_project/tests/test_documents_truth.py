"""The document is the code's: neither says anything that the other does not do."""

import json
from typing import Any

import pytest
from django.urls import resolve
from jsonschema import Draft202012Validator
from pytest_django.fixtures import Settings

from conftest import ApiClient
from tasks.list_options import ORDERINGS, PARSERS
from tasks.pagination import ORDER_FIELDS
from tasks.serializers import PROBLEMS, TaskSerializer
from tasks.tests.endpoints import ENDPOINTS
from todo_project.exceptions import DETAILS
from todo_project.openapi.document import openapi_document
from todo_project.tests.openapi_exchanges import Exchange, endpoints, exchanges

Json = dict[str, Any]
# What Django adds to any answer, and says nothing of the API.
NOT_OURS = {
    "Content-Length",
    "Content-Type",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.fixture(scope="module")
def document() -> Json:
    """Read the document."""
    found: Json = json.loads(openapi_document())
    return found


@pytest.fixture(scope="module")
def kept() -> list[Exchange]:
    """Keep the answers, which take long to get, for all tests of this module."""
    return []


@pytest.fixture
def seen(
    kept: list[Exchange],
    document: Json,
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> list[Exchange]:
    """Make every endpoint give every answer that it can give."""
    kept.extend([] if kept else exchanges(document, monkeypatch, settings))
    return kept


def resolved(document: Json, part: Json) -> Json:
    """Follow a reference, if it is one."""
    if "$ref" not in part:
        return part
    _, kind, name = part["$ref"].removeprefix("#/").split("/")
    found: Json = document["components"][kind][name]
    return found


def answers(document: Json) -> dict[tuple[str, int], Json]:
    """Return what the document says of each operation's answers, by operation and status."""
    return {
        (operation["operationId"], int(status)): resolved(document, answer)
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
    }


def problems(document: Json, schema: Json, value: Any) -> list[str]:
    """Say what is wrong with a value, by a schema of the document's."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def test_the_document_has_every_path_and_method(document: Json) -> None:
    """What the routes have must be what the document has (FR-014)."""
    documented = {
        (resolve(each.path.format(user_id="u", task_id=1)).url_name, each.method)
        for each in endpoints(document).values()
    }

    assert documented == {(row.route, row.method) for row in ENDPOINTS} | {
        (name, "GET") for name in ("health", "ready", "root")
    }


def test_every_status_is_documented_and_given(document: Json, seen: list[Exchange]) -> None:
    """No status may be missing in the document, and none be made up (FR-015)."""
    statuses = {status for _, status in answers(document)}

    assert {(each.operation, each.answer.status_code) for each in seen} == set(answers(document))
    assert statuses - {200, 201, 204, 304} == {*DETAILS, 401, 403, 412, 422}


def test_every_header_is_documented_and_given(document: Json, seen: list[Exchange]) -> None:
    """No header may be missing in the document, be made up, or differ from what it says."""
    documented = {
        (*answer, name): resolved(document, header)
        for answer, said in answers(document).items()
        for name, header in said["headers"].items()
    }
    required = {header for header, said in documented.items() if said["required"]}
    given: set[Any] = set()
    wrong: list[Any] = []
    for each in seen:
        answer = each.operation, each.answer.status_code
        sent = {(*answer, name): each.answer[name] for name in set(each.answer.headers) - NOT_OURS}
        given |= set(sent)
        wrong += [header for header in required - set(sent) if header[:2] == answer]
        for header in sent.keys() & documented.keys():
            schema = documented[header]["schema"]
            value = int(sent[header]) if schema["type"] == "integer" else sent[header]
            wrong += [(header, problem) for problem in problems(document, schema, value)]

    assert given == set(documented)
    assert wrong == []


def test_every_body_is_as_documented(document: Json, seen: list[Exchange]) -> None:
    """A body must fit its schema exactly, and be absent where none is documented."""
    for each in seen:
        said = answers(document)[each.operation, each.answer.status_code]
        where = (each.operation, each.method, each.answer.status_code)
        if "content" not in said or each.method == "HEAD":
            assert each.answer.content == b"", where
            assert each.method == "HEAD" or "Content-Type" not in each.answer.headers, where
        else:
            [(media_type, content)] = said["content"].items()
            assert each.answer["Content-Type"] == media_type, where
            assert problems(document, content["schema"], each.answer.json()) == [], where


def test_every_sentence_of_an_error_is_an_example(document: Json, seen: list[Exchange]) -> None:
    """The examples must be the code's own words; a 422's are the tables of ``schemas``."""
    for each in seen:
        status = each.answer.status_code
        if status < 400 or status == 422 or not each.answer.content:
            continue
        content = answers(document)[each.operation, status]["content"]["application/json"]
        examples = [example["value"] for example in content["examples"].values()]
        body = each.answer.json()
        is_detailed = status == 400 and body["detail"].startswith("JSON parse error - ")
        assert is_detailed or body in examples, each


def test_every_example_fits_its_schema(document: Json) -> None:
    """An example that is copied must be right."""
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    parts = [*answers(document).values(), *(each.get("requestBody", {}) for each in operations)]
    contents = [content for part in parts for content in part.get("content", {}).values()]
    for content in contents:
        examples = [each["value"] for each in content.get("examples", {}).values()]
        for example in examples or [content["example"]]:
            assert problems(document, content["schema"], example) == []


@pytest.mark.django_db
def test_every_example_of_a_request_is_accepted(document: Json, alice: ApiClient) -> None:
    """What the page offers to send must be taken."""
    task = alice.send("POST", "/api/alice/tasks", {"title": "x"}).json()["id"]
    for name, path in (("createTask", ""), ("updateTask", f"/{task}")):
        endpoint = endpoints(document)[name]
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        content = operation["requestBody"]["content"]["application/json"]
        for example in content["examples"].values():
            answer = alice.send(endpoint.method, f"/api/alice/tasks{path}", example["value"])
            assert answer.status_code < 300, answer.content


def test_the_fields_of_a_task_are_the_serializers(document: Json) -> None:
    """A field that is added to the code must be added to the document."""
    schemas, fields = document["components"]["schemas"], TaskSerializer().fields
    writable = [name for name, field in fields.items() if not field.read_only]

    assert list(schemas["Task"]["properties"]) == schemas["Task"]["required"] == list(fields)
    assert list(schemas["NewTask"]["properties"]) == writable
    assert list(schemas["TaskChanges"]["properties"]) == writable
    assert schemas["NewTask"]["required"] == ["title"]
    assert "required" not in schemas["TaskChanges"]


def test_the_types_of_problems_are_the_codes(document: Json) -> None:
    """A kind of problem that is added to the code must be added to the document."""
    types = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]

    assert {kind for _, kind in PROBLEMS.values()} < set(types)


def test_the_options_of_the_list_are_the_codes(document: Json) -> None:
    """An option that is added to the code must be added to the document, with its values."""
    parameters = {
        each["name"]: each["schema"]
        for part in document["paths"]["/api/{user_id}/tasks"]["get"]["parameters"]
        if (each := resolved(document, part))["in"] == "query"
    }

    assert list(parameters) == list(PARSERS)
    assert parameters["ordering"]["enum"] == list(ORDERINGS)
    assert {name.removeprefix("-") for name in ORDERINGS} == set(ORDER_FIELDS)
