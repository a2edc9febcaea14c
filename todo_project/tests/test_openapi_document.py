"""The OpenAPI document, compared with the code's constants and with real responses.

``openapi_exchanges`` provokes every status that each operation can return.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.urls import resolve
from jsonschema import Draft202012Validator
from pytest_django.fixtures import Settings

from authn.tokens import USER_ID_MAX_LENGTH
from conftest import ApiClient
from tasks.etags import TAG_DIGITS
from tasks.idempotency import ACCEPTED_KEY, KEY_LIFETIME
from tasks.list_options import ORDERINGS, PARSERS
from tasks.models import (
    DESCRIPTION_MAX_LENGTH,
    IDEMPOTENCY_KEY_MAX_LENGTH,
    MAX_TASK_ID,
    TITLE_MAX_LENGTH,
)
from tasks.option_aliases import ALIASES, COMPLETED
from tasks.serializers import PROBLEMS, WHITE_SPACE, TaskSerializer
from tasks.tests.endpoints import ENDPOINTS
from todo_project.configuration.environment import BASE_DIR
from todo_project.exceptions import DETAILS, RETRY_AFTER_SECONDS
from todo_project.logs.requests import ACCEPTED_REQUEST_ID
from todo_project.openapi.views import openapi_document
from todo_project.tests.openapi_exchanges import Exchange, endpoints, exchanges

Json = dict[str, Any]
# Headers set by Django and its middleware, which the API does not promise.
UNDOCUMENTED = {
    "Content-Length",
    "Content-Security-Policy",
    "Content-Type",
    "Cross-Origin-Opener-Policy",
    "Referrer-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
}


@pytest.fixture(scope="module")
def document() -> Json:
    """Parse the document as it is served."""
    parsed: Json = json.loads(openapi_document())
    return parsed


@pytest.fixture(scope="module")
def cached_exchanges() -> list[Exchange]:
    """Return a list that ``seen`` fills once per module, because the exchanges take seconds."""
    return []


@pytest.fixture
def seen(
    cached_exchanges: list[Exchange],
    document: Json,
    db: None,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> list[Exchange]:
    """Return exchanges with every status that each operation can return."""
    if not cached_exchanges:
        cached_exchanges.extend(exchanges(document, monkeypatch, settings))
    return cached_exchanges


def resolved(document: Json, part: Json) -> Json:
    """Return the part itself or, if it is a reference, its target."""
    if "$ref" not in part:
        return part
    _, kind, name = part["$ref"].removeprefix("#/").split("/")
    component: Json = document["components"][kind][name]
    return component


def operations(document: Json) -> list[Json]:
    """Return the operations of all paths."""
    return [each for methods in document["paths"].values() for each in methods.values()]


def responses(document: Json) -> dict[tuple[str, int], Json]:
    """Return the documented responses by operation and status."""
    return {
        (operation["operationId"], int(status)): resolved(document, response)
        for operation in operations(document)
        for status, response in operation["responses"].items()
    }


def examples(document: Json, part: Json) -> list[Any]:
    """Return the values of the examples of a media type or parameter."""
    named = [resolved(document, each)["value"] for each in part.get("examples", {}).values()]
    return [*named, part["example"]] if "example" in part else named


def error_examples(document: Json, operation: str, status: int) -> list[Any]:
    """Return the documented bodies of an error response."""
    response = responses(document)[operation, status]
    return examples(document, response["content"]["application/json"])


def problems(document: Json, schema: Json, value: Any) -> list[str]:
    """Return the errors of validating a value against a schema."""
    whole = {**schema, "components": document["components"]}
    return [error.message for error in Draft202012Validator(whole).iter_errors(value)]


def with_schema(part: Any) -> Iterator[Json]:
    """Yield every object with a schema (media type, parameter or header), at any depth."""
    if isinstance(part, dict):
        yield from [part] if "schema" in part else []
        part = list(part.values())
    for each in part if isinstance(part, list) else []:
        yield from with_schema(each)


def test_every_path_and_method_is_documented(document: Json) -> None:
    """The document must list exactly the paths and methods of the service (FR-014)."""
    documented = {
        (resolve(each.path.format(user_id="u", task_id=1)).url_name, each.method)
        for each in endpoints(document).values()
    }

    assert documented == {(row.route, row.method) for row in ENDPOINTS} | {
        (name, "GET") for name in ("health", "ready", "root")
    }


def test_only_the_task_endpoints_require_a_token(document: Json) -> None:
    """Every operation must require a token, except ``health``, ``ready`` and ``root`` (FR-001)."""
    is_open = {each["operationId"]: each.get("security") == [] for each in operations(document)}

    assert document["security"] == [{"BetterAuth": []}]
    assert {name for name in is_open if is_open[name]} == {"health", "ready", "root"}


def test_every_status_is_documented_and_returned(document: Json, seen: list[Exchange]) -> None:
    """The document must list exactly the statuses that each operation returns (FR-015)."""
    statuses = {status for _, status in responses(document)}

    assert {(each.operation, each.response.status_code) for each in seen} == set(
        responses(document)
    )
    assert statuses - {200, 201, 204, 304} == {*DETAILS, 401, 403, 412, 422}


def test_every_header_is_documented_and_sent(document: Json, seen: list[Exchange]) -> None:
    """The document must list exactly the headers that are sent, and each must match its schema."""
    documented = {
        (*key, name): resolved(document, header)
        for key, response in responses(document).items()
        for name, header in response["headers"].items()
    }
    required = {header for header, said in documented.items() if said["required"]}
    given: set[Any] = set()
    wrong: list[Any] = []
    for each in seen:
        key = each.operation, each.response.status_code
        names = set(each.response.headers) - UNDOCUMENTED
        sent = {(*key, name): each.response[name] for name in names}
        given |= set(sent)
        wrong += [header for header in required - set(sent) if header[:2] == key]
        for header in sent.keys() & documented.keys():
            schema = documented[header]["schema"]
            value = int(sent[header]) if schema["type"] == "integer" else sent[header]
            wrong += [(header, problem) for problem in problems(document, schema, value)]

    assert given == set(documented)
    assert wrong == []


def test_every_body_matches_its_schema(document: Json, seen: list[Exchange]) -> None:
    """A body must match its schema, and must be empty if none is documented."""
    for each in seen:
        documented = responses(document)[each.operation, each.response.status_code]
        where = (each.operation, each.method, each.response.status_code)
        if "content" not in documented or each.method == "HEAD":
            assert each.response.content == b"", where
            assert each.method == "HEAD" or "Content-Type" not in each.response.headers, where
        else:
            media_type = each.response["Content-Type"].partition("; charset")[0]
            schema = documented["content"][media_type]["schema"]
            is_page = media_type == "text/html"
            body = each.response.content.decode() if is_page else each.response.json()
            assert problems(document, schema, body) == [], where


def test_every_error_is_an_example(document: Json, seen: list[Exchange]) -> None:
    """Every error must be among its operation's examples, except a 422 or a JSON parse error."""
    for each in seen:
        status = each.response.status_code
        if status < 400 or status == 422 or not each.response.content:
            continue
        body = each.response.json()
        is_detailed = status == 400 and body["detail"].startswith("JSON parse error - ")
        assert is_detailed or body in error_examples(document, each.operation, status), each


def test_every_example_of_an_error_is_returned(document: Json, seen: list[Exchange]) -> None:
    """The service must return each documented error word for word."""
    sent = [
        (each.operation, each.response.status_code, each.response.json())
        for each in seen
        if each.response.status_code >= 400 and each.response.content
    ]
    errors = [key for key in responses(document) if key[1] >= 400]
    documented = [(*key, body) for key in errors for body in error_examples(document, *key)]

    assert {key[:2] for key in documented} == set(errors)
    assert [error for error in documented if error not in sent] == []


def test_every_example_matches_its_schema(document: Json) -> None:
    """Every example of a body, a parameter or a header must match its schema."""
    found = [
        (part["schema"], value)
        for part in with_schema(document)
        for value in [*examples(document, part), *part["schema"].get("examples", [])]
    ]

    assert len(found) > 30
    assert [each for each in found if problems(document, *each)] == []


def test_every_example_of_a_request_is_accepted(document: Json, db: None, alice: ApiClient) -> None:
    """The service must accept every example of a request body."""
    task = alice.send("POST", "/api/alice/tasks", {"title": "x"}).json()["id"]
    for name, path in (("createTask", ""), ("updateTask", f"/{task}")):
        endpoint = endpoints(document)[name]
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        for body in examples(document, operation["requestBody"]["content"]["application/json"]):
            response = alice.send(endpoint.method, f"/api/alice/tasks{path}", body)
            assert response.status_code < 300, response.content


def test_the_link_example_is_accepted(document: Json, db: None, alice: ApiClient) -> None:
    """Every example of ``Link`` must have a valid cursor."""
    header = responses(document)["listTasks", 200]["headers"]["Link"]
    for example in header["schema"]["examples"]:
        query = example.partition("<")[2].partition(">")[0]
        assert alice.send("GET", f"/api/alice/tasks{query}").status_code == 200


def test_the_fields_of_a_task_match_the_serializer(document: Json) -> None:
    """The schemas must have the serializer's fields, in order, and the same read-only fields."""
    schemas, fields = document["components"]["schemas"], TaskSerializer().fields
    writable = [name for name, field in fields.items() if not field.read_only]
    read_only = [name for name, said in schemas["Task"]["properties"].items() if "readOnly" in said]

    assert list(schemas["Task"]["properties"]) == schemas["Task"]["required"] == list(fields)
    assert sorted([*read_only, *writable]) == sorted(fields)
    assert list(schemas["NewTask"]["properties"]) == writable
    assert list(schemas["TaskChanges"]["properties"]) == writable
    assert schemas["NewTask"]["required"] == ["title"]
    assert "required" not in schemas["TaskChanges"]


def test_the_types_of_problems_match_the_code(document: Json, seen: list[Exchange]) -> None:
    """The document must list exactly the ``type`` values that a 422 can contain."""
    types = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    invalid = [each.response.json() for each in seen if each.response.status_code == 422]
    given = {problem["type"] for body in invalid for problem in body["detail"]}

    assert set(types) == {kind for _, kind in PROBLEMS.values()} | given


def test_the_options_of_the_list_match_the_code(document: Json) -> None:
    """The document must have the code's query options, their other names and the orderings."""
    parameters = {
        each["name"]: each["schema"]
        for part in document["paths"]["/api/{user_id}/tasks"]["get"]["parameters"]
        if (each := resolved(document, part))["in"] == "query"
    }

    assert parameters.keys() == {*PARSERS, *ALIASES}
    assert parameters["ordering"]["enum"] == list(ORDERINGS)
    assert parameters["completed"]["anyOf"][1]["enum"] == [*COMPLETED]


def test_the_limits_of_a_task_match_the_code(document: Json) -> None:
    """The schemas must have the limits of the model and of the serializer."""
    schemas = document["components"]["schemas"]
    pattern = re.compile(schemas["Title"]["pattern"])
    refused = {character for character in map(chr, range(0x10000)) if not pattern.search(character)}

    assert (schemas["Title"]["minLength"], schemas["Title"]["maxLength"]) == (1, TITLE_MAX_LENGTH)
    assert refused == {"\0", *WHITE_SPACE}
    assert schemas["Description"]["maxLength"] == DESCRIPTION_MAX_LENGTH
    assert schemas["Task"]["properties"]["user_id"]["maxLength"] == USER_ID_MAX_LENGTH
    assert (schemas["TaskId"]["minimum"], schemas["TaskId"]["maximum"]) == (1, MAX_TASK_ID)


def test_the_limits_of_headers_match_the_code(document: Json) -> None:
    """The patterns of the headers and the example of ``Retry-After`` must match the code."""
    headers = document["components"]["headers"]
    create = document["paths"]["/api/{user_id}/tasks"]["post"]
    key = next(each for each in create["parameters"] if each.get("name") == "Idempotency-Key")

    assert headers["X-Request-ID"]["schema"]["pattern"] == f"^{ACCEPTED_REQUEST_ID.pattern}$"
    assert headers["ETag"]["schema"]["pattern"] == f'^"[0-9a-f]{{{TAG_DIGITS}}}"$'
    assert headers["Retry-After"]["schema"]["examples"] == [RETRY_AFTER_SECONDS]
    assert key["schema"]["pattern"] == f"^{ACCEPTED_KEY.pattern}$"
    assert key["schema"]["pattern"].endswith(f"{{1,{IDEMPOTENCY_KEY_MAX_LENGTH}}}$")


def test_the_limits_in_descriptions_match_the_code(document: Json) -> None:
    """A limit stated in a description must match the code."""
    components = document["components"]
    create = document["paths"]["/api/{user_id}/tasks"]["post"]
    key = next(each for each in create["parameters"] if each.get("name") == "Idempotency-Key")
    request_id = components["parameters"]["X-Request-ID"]["description"]
    kibibytes = django_settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024
    hours = KEY_LIFETIME.total_seconds() / 3600

    assert f"larger than {kibibytes} KiB" in components["responses"]["BodyTooLarge"]["description"]
    assert f"for at least {hours:.0f} hours" in key["description"]
    [(length, characters)] = re.findall(r"1 to (\d+) characters of `(.+?)`", request_id)
    assert ACCEPTED_REQUEST_ID.pattern == f"[{characters}]{{1,{length}}}"


def test_the_comments_name_constants_of_the_code() -> None:
    """A constant named in a comment must exist in the module that the comment names."""
    source = (BASE_DIR / "todo_project/openapi/openapi.yaml").read_text()
    named = re.findall(r"# .*\b([A-Z_]{2,}) in (\S+\.py)", source)
    missing = [
        (name, path)
        for name, path in named
        if not re.search(rf"^{name}\b", (BASE_DIR / path).read_text(), re.MULTILINE)
    ]

    assert len(named) >= 13
    assert missing == []


def test_the_version_is_the_same_everywhere(document: Json) -> None:
    """The document, the project and the newest changelog release must have the same version."""
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    releases = re.findall(
        r"^## \[?(\d+\.\d+\.\d+)", (BASE_DIR / "CHANGELOG.md").read_text(), re.MULTILINE
    )

    assert document["info"]["version"] == project["version"] == releases[0]
