"""Who may come in, through the whole API (contract.md "Who may come in")."""

from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from authn.tests.forge import claims, forge, segment, without
from conftest import SECRET, ApiClient, mint
from tasks.tests.factories import TaskFactory, rows

OLD_SECRET = "the-secret-before-the-rotation-0123456789"
ISSUER = "https://app.example.com"

MISSING = ("Missing authorization token", "Please sign in.", "Bearer")
INVALID = ("Invalid or malformed token", "Please sign in.", 'Bearer error="invalid_token"')
EXPIRED = (
    "Token has expired",
    "Your session has expired. Please sign in again.",
    'Bearer error="invalid_token"',
)
NO_USER = ("Token missing user identifier", "Please sign in.", 'Bearer error="invalid_token"')

# situation: (header, the answer)
REFUSALS: dict[str, tuple[str | None, tuple[str, str, str]]] = {
    "no header": (None, MISSING),
    "empty header": ("", MISSING),
    "blank header": (" ", MISSING),
    "Basic": ("Basic YWxpY2U6c2VjcmV0", MISSING),
    "Token": (f"Token {mint()}", MISSING),
    "token without a scheme": (mint(), MISSING),
    "a scheme that begins alike": (f"Bearers {mint()}", MISSING),
    "a scheme that is not ASCII": (f"B\xebarer {mint()}", MISSING),
    "Bearer in quotes": (f'"Bearer" {mint()}', MISSING),
    "Bearer alone": ("Bearer", INVALID),
    "bearer alone": ("bearer", INVALID),
    "Bearer and a blank": ("Bearer ", INVALID),
    "Bearer and blanks": ("Bearer    ", INVALID),
    "two words": (f"Bearer {mint()} {mint()}", INVALID),
    "Bearer twice": (f"Bearer Bearer {mint()}", INVALID),
    "two headers in one": (f"Bearer {mint()}, Bearer {mint()}", INVALID),
    "a word": ("Bearer secret", INVALID),
    "undefined": ("Bearer undefined", INVALID),
    "a token in quotes": (f'Bearer "{mint()}"', INVALID),
    "a token that is not ASCII": ("Bearer t\xf6k\xe9n\xff", INVALID),
    "control characters": ("Bearer \x80\x1b\x01", INVALID),
    "wrong signature": (f"Bearer {mint(secret=OLD_SECRET)}", INVALID),
    "expired, wrong signature": (f"Bearer {mint(secret=OLD_SECRET, exp=1)}", INVALID),
    "no signature": (f"Bearer {mint().rpartition('.')[0]}.", INVALID),
    "algorithm none": (f"Bearer {segment({'alg': 'none'})}.{segment(claims())}.", INVALID),
    "algorithm none, signed": (f"Bearer {forge(claims(), {'alg': 'none'})}", INVALID),
    "no algorithm": (f"Bearer {forge(claims(), {})}", INVALID),
    "HS512": (f"Bearer {forge(claims(), {'alg': 'HS512'}, digest='sha512')}", INVALID),
    "no expiry": (f"Bearer {mint(exp=None)}", INVALID),
    "expiry as text": (f"Bearer {mint(exp=str(2**31))}", INVALID),
    "huge expiry": (f"Bearer {mint(exp=10**30)}", INVALID),
    "not yet valid": (f"Bearer {mint(nbf=2**37)}", INVALID),
    "from the future": (f"Bearer {mint(iat=2**37)}", INVALID),
    "opaque session token": ("Bearer x7Kd0fQz9LmN3pRt.wYbC5eGhJ2sUa1i%3D", INVALID),
    "encrypted session": (f"Bearer {segment({'alg': 'dir'})}..e30.e30.e30", INVALID),
    "expired": (f"Bearer {mint(exp=1)}", EXPIRED),
    "expired, no user": (f"Bearer {mint(None, exp=1)}", EXPIRED),
    "no user": (f"Bearer {mint(None)}", NO_USER),
    "empty user": (f"Bearer {mint('')}", NO_USER),
    "user with NUL": (f"Bearer {mint('alice' + chr(0))}", NO_USER),
    "user with a lone surrogate": (f"Bearer {mint('alice' + chr(0xD800))}", NO_USER),
    "e-mail link": (f"Bearer {mint(None, email='a@example.com', userId='alice')}", NO_USER),
}
refusals = pytest.mark.parametrize(("header", "expected"), REFUSALS.values(), ids=REFUSALS.keys())

ROUTES = (
    ("GET", "/api/alice/tasks"),
    ("POST", "/api/alice/tasks"),
    ("GET", "/api/alice/tasks/{id}"),
    ("PUT", "/api/alice/tasks/{id}"),
    ("DELETE", "/api/alice/tasks/{id}"),
    ("PATCH", "/api/alice/tasks/{id}/complete"),
)


def send(method: str, path: str, header: str | None, body: Any = None) -> Any:
    """Send a request with this ``Authorization`` header, exactly as it stands."""
    headers = {} if header is None else {"Authorization": header}
    return ApiClient().send(method, path, body, **headers)


@refusals
def test_a_refusal_says_why_and_how_to_sign_in(
    header: str | None, expected: tuple[str, str, str]
) -> None:
    """Each refusal must have its detail, its sentence and its challenge (FR-004, RFC 6750 §3)."""
    response = send("GET", "/api/alice/tasks", header)
    detail, error, challenge = expected

    assert response.status_code == 401
    assert response.json() == {"detail": detail, "error": error}
    assert response["WWW-Authenticate"] == challenge


@pytest.mark.django_db
@refusals
def test_every_endpoint_refuses_and_changes_nothing(
    header: str | None,
    expected: tuple[str, str, str],
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    """Every endpoint must refuse a bad token, without a query (SC-003)."""
    task = TaskFactory.create(user_id="alice")
    before = rows()

    with django_assert_num_queries(0):
        answers = [
            send(method, path.format(id=task.id), header, {"title": "x"}) for method, path in ROUTES
        ]

    assert {(answer.status_code, answer.json()["detail"]) for answer in answers} == {
        (401, expected[0])
    }
    assert rows() == before


@settings(max_examples=100, deadline=None)
@given(
    header=st.text(st.characters(max_codepoint=255))
    | st.text(st.characters(max_codepoint=255)).map("Bearer {}".format)
)
def test_no_header_whatever_gives_anything_but_a_401(header: str) -> None:
    """What nobody signed must be a 401 and never a fault of ours (SC-003)."""
    assert send("GET", "/api/alice/tasks", header).status_code == 401


@pytest.mark.django_db
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
def test_the_schemes_name_may_be_in_any_case(scheme: str) -> None:
    """A lower-case ``bearer`` must come in too (RFC 9110 §11.1), and so must a second blank."""
    assert send("GET", "/api/alice/tasks", f"{scheme} {mint()}").status_code == 200


@pytest.mark.parametrize("place", ["access_token", "token", "jwt", "authorization"])
def test_a_token_in_the_query_is_not_read(place: str) -> None:
    """A token must come in the header, where no log has it (RFC 6750 §5.3)."""
    response = send("GET", f"/api/alice/tasks?{place}={mint()}", None)

    assert response.json()["detail"] == "Missing authorization token"


@pytest.mark.parametrize("name", ["better-auth.session_data", "better-auth.session_token", "token"])
def test_a_token_in_a_cookie_is_not_read(name: str) -> None:
    """A cookie must open nothing, or another site could send it."""
    client = ApiClient()
    client.cookies[name] = mint()

    assert client.send("GET", "/api/alice/tasks").status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/api/bob/tasks", None),
        ("OPTIONS", "/api/alice/tasks", None),
        ("PATCH", "/api/alice/tasks", None),
        ("POST", "/api/alice/tasks", "x" * 70_000),
        ("POST", "/api/alice/tasks", {"title": ""}),
        ("GET", "/api/alice/tasks/abc", None),
    ],
)
def test_the_token_is_looked_at_before_anything_else(method: str, path: str, body: Any) -> None:
    """401 must come before 403, 405, 413, 422 and 404."""
    assert send(method, path, "Bearer x", body).status_code == 401


def test_a_head_request_is_refused_without_a_body() -> None:
    """``HEAD`` must be refused as ``GET`` is."""
    response = send("HEAD", "/api/alice/tasks", None)

    assert (response.status_code, response.content) == (401, b"")
    assert response["WWW-Authenticate"] == "Bearer"


def api_paths(resolver: URLResolver) -> list[str]:
    """Name a path for each route under ``/api``."""
    paths = []
    for entry in resolver.url_patterns:
        if isinstance(entry, URLResolver):
            paths += api_paths(entry)
        elif isinstance(entry, URLPattern) and "api/" in str(entry.pattern):
            names = entry.pattern.regex.groupindex
            paths.append(reverse(str(entry.name), kwargs=dict.fromkeys(names, "1")))
    return paths


def test_every_route_of_the_api_asks_for_a_token() -> None:
    """No route must be forgotten (SC-003)."""
    paths = api_paths(get_resolver())

    assert len(paths) >= 3
    assert {send("GET", path, None).status_code for path in paths} == {401}


@pytest.mark.django_db
def test_authentication_runs_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Users are not stored: a wrong method from the right user must not meet the database."""
    with django_assert_num_queries(0):
        assert ApiClient("alice").send("OPTIONS", "/api/alice/tasks").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("named", [{"sub": "7"}, {"sub": 7}, {"user_id": 7}, {"user": {"id": "7"}}])
def test_each_way_of_naming_a_user_opens_that_users_path(named: dict[str, Any]) -> None:
    """``sub``, ``user_id`` and ``user.id`` must name the same user (FR-002)."""
    client = ApiClient(token=forge({**without("sub"), **named}))

    assert client.send("GET", "/api/7/tasks").status_code == 200


@pytest.mark.django_db
def test_a_secret_can_be_replaced_without_signing_anybody_out(settings: Settings) -> None:
    """While both are configured both must count; a removed one must not."""
    old = ApiClient(token=mint(secret=OLD_SECRET))
    statuses = []

    for secrets in ((SECRET,), (SECRET, OLD_SECRET), (SECRET,)):
        settings.BETTER_AUTH = {**settings.BETTER_AUTH, "SECRETS": secrets}
        statuses.append(old.send("GET", "/api/alice/tasks").status_code)
        statuses.append(ApiClient("alice").send("GET", "/api/alice/tasks").status_code)

    assert statuses == [401, 200, 200, 200, 401, 200]


@pytest.mark.django_db
@pytest.mark.parametrize(("setting", "claim"), [("ISSUER", "iss"), ("AUDIENCE", "aud")])
def test_where_a_party_is_configured_every_token_must_carry_it(
    settings: Settings, setting: str, claim: str
) -> None:
    """A wrong or absent issuer or audience must be an invalid token."""
    settings.BETTER_AUTH = {**settings.BETTER_AUTH, setting: ISSUER}
    tokens = [mint(**{claim: ISSUER}), mint(**{claim: "https://elsewhere.example"}), mint()]
    answers = [ApiClient(token=token).send("GET", "/api/alice/tasks") for token in tokens]

    assert [answer.status_code for answer in answers] == [200, 401, 401]
    assert {answer.json()["detail"] for answer in answers[1:]} == {INVALID[0]}
