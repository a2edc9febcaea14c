"""The pinned Python and npm packages: every version and every hash."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from todo_project.configuration.environment import BASE_DIR

PROJECT = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
VERSION = re.compile(r"Programming Language :: Python :: (3\.\d+)")
PYTHONS = [found[1] for each in PROJECT["classifiers"] if (found := VERSION.fullmatch(each))]
MACHINES = [
    {"sys_platform": system, "platform_machine": machine}
    for system, machines in {
        "linux": ("x86_64", "aarch64"),
        "darwin": ("x86_64", "arm64"),
        "win32": ("AMD64",),
    }.items()
    for machine in machines
]
FILES = ["requirements", "requirements-dev"]
PACKAGES = [file.parent for file in sorted(BASE_DIR.glob("examples/*/package.json"))]
PIN = re.compile(
    r"[a-z0-9-]+(\[[a-z0-9,-]+\])?==[a-z0-9.+!]+( ; [^\\#]+)?( --hash=sha256:[0-9a-f]{64})+"
)
HASH = f"--hash=sha256:{64 * '0'}"
NPM_PIN = re.compile(r"\d+\.\d+\.\d+(-[\w.-]+)?")


def lines_of(text: str) -> list[str]:
    """Join continued lines and remove comments, as pip does."""
    joined = re.sub(r"\\\n\s*", "", text)
    lines = [re.sub(r"(^|\s+)#.*", "", line) for line in joined.splitlines()]
    return [line for line in lines if line]


def unpinned(text: str) -> list[str]:
    """Return the lines that are not fully pinned, or that add a package index."""
    return [line for line in lines_of(text) if not PIN.fullmatch(line)]


def applies(requirement: Requirement, python: str, machine: dict[str, str]) -> bool:
    """Return whether a requirement's marker selects this version of Python on a machine."""
    values = {"python_version": python, "python_full_version": f"{python}.0", **machine}
    return requirement.marker is None or requirement.marker.evaluate(values)


def pinned(name: str, python: str, machine: dict[str, str]) -> dict[str, str]:
    """Return the pinned version of each package for this version of Python on a machine."""
    requirements = [
        Requirement(line.split(" --hash")[0])
        for line in lines_of((BASE_DIR / f"{name}.txt").read_text())
    ]
    return {
        canonicalize_name(requirement.name): str(requirement.specifier).removeprefix("==")
        for requirement in requirements
        if applies(requirement, python, machine)
    }


def wanted(name: str) -> list[Requirement]:
    """Return the direct dependencies in a ``.in`` file, without those in files that it includes."""
    lines = lines_of((BASE_DIR / f"{name}.in").read_text())
    return [Requirement(line) for line in lines if not line.startswith("-r ")]


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_is_pinned_with_hashes(name: str) -> None:
    """Only tested files may be installed, and no other package index may be used."""
    text = (BASE_DIR / f"{name}.txt").read_text()

    assert len(lines_of(text)) > len(wanted(name))
    assert unpinned(text) == []


def test_an_unpinned_line_is_detected() -> None:
    """``unpinned`` must return every line that is not an exact pin with a SHA-256 hash."""
    lines = [
        *(f"django>=5.2 {HASH}", "django==5.2.19", "django==5.2.19 --hash=md5:00", "-e ."),
        *(f"django==5.2.* {HASH}", f"django @ https://example.com/django.whl {HASH}"),
        *(
            "https://example.com/django.whl",
            "-r more.txt",
            "--index-url https://example.com/simple",
        ),
        "--extra-index-url=https://example.com/simple",
    ]
    good = f"attrs==1.0 \\\n    {HASH}  # via x"

    assert unpinned("\n".join([good, *lines])) == lines


def test_every_place_names_the_same_versions_of_python() -> None:
    """What is pinned, checked, tested and promised must be the same versions."""
    oldest, newest = PYTHONS[0], PYTHONS[-1]
    minors = " ".join(version.removeprefix("3.") for version in reversed(PYTHONS))

    assert PROJECT["requires-python"] == f">={oldest}"
    for file, text in {
        "Makefile": f"\nPYTHONS ?= {' '.join(PYTHONS)}\n",
        ".ci/newest-python": f"for minor in {minors}; do",
        "Dockerfile": f"ARG PYTHON={newest}.",
        "README.md": f"Python {oldest} to {newest}",
        "CONTRIBUTING.md": f"Python {oldest} to {newest}",
        "docs/deployment.md": f"Python {oldest} to {newest}",
    }.items():
        assert text in (BASE_DIR / file).read_text(), file


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: "-".join(machine.values()))
@pytest.mark.parametrize("python", PYTHONS)
def test_every_pin_satisfies_its_requirement(python: str, machine: dict[str, str]) -> None:
    """Pins must match the ``.in`` files (``make lock``); tests must use the deployed versions."""
    pins = {name: pinned(name, python, machine) for name in FILES}

    for name in FILES:
        for requirement in filter(lambda each: applies(each, python, machine), wanted(name)):
            pin = pins[name].get(canonicalize_name(requirement.name), "absent")
            is_good = pin != "absent" and requirement.specifier.contains(pin)
            assert is_good, f"make lock: {requirement} is {pin} in {name}.txt"
    assert pins["requirements"].items() <= pins["requirements-dev"].items()


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_every_npm_package_is_locked(package: Path) -> None:
    """Every version and hash must be pinned, without the URL of a registry."""
    direct = json.loads((package / "package.json").read_text())
    lock = json.loads((package / "package-lock.json").read_text())["packages"]
    root = lock.pop("")

    for kind in ("dependencies", "devDependencies"):
        assert root.get(kind, {}) == direct.get(kind, {})
        for name, version in direct.get(kind, {}).items():
            assert NPM_PIN.fullmatch(version), name
            assert lock[f"node_modules/{name}"]["version"] == version
    for name, locked in lock.items():
        assert NPM_PIN.fullmatch(locked["version"]), name
        assert locked["integrity"].startswith("sha512-"), name
        assert "resolved" not in locked, name
