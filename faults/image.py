"""Builds the Dockerfile's image in a folder, without Docker.

CI has no Docker. A linter and a test of the instructions alone would not notice a package missing
from requirements.txt, a module missing from the image, or a write by the unprivileged user.

A folder replaces the container's ``/``. Commands run as the Dockerfile's user, with the environment
variables of their stage only. Instructions that the Dockerfile does not use are not supported.
"""

import os
import shutil
import string
import subprocess
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import dockerfile
from docker.utils.build import exclude_paths

# The environment variables that pip may need to reach its index
PIP_VARIABLES = {
    name: value
    for name, value in os.environ.items()
    if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy")
}
TIMEOUT_SECONDS = 600.0
WITHOUT_EFFECT = ("USER", "EXPOSE")  # USER is read in advance: the build runs as that user too


class Image:
    """The image that a Dockerfile describes.

    Args:
        folder: a folder for the image, which every user can read.
        context: the build context, with the Dockerfile.
    """

    def __init__(self, folder: Path, context: Path) -> None:
        self._root, self._context = folder / "root", context
        self.stages = folder / "stages"
        self.stages.mkdir()
        ignored = (context / ".dockerignore").read_text().splitlines()
        self._files = exclude_paths(str(context), [line for line in ignored if line[:1] != "#"])
        _copy_python(folder / "python")
        self._base = {
            "PATH": f"{folder / 'python' / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(folder / "python" / "lib"),  # for a shared libpython
        }
        self._arguments: dict[str, str] = {}
        self._stage = ""
        self.base_images: list[str] = []
        self.workdir = self._root
        self.variables: dict[str, str] = {}
        self.healthcheck: list[str] = []
        self.command: list[str] = []
        steps = dockerfile.parse_file(str(context / "Dockerfile"))
        [user] = [step.value[0] for step in steps if step.cmd == "USER"]
        self.uid, self.gid = map(int, user.split(":"))
        for step in steps:
            if step.cmd not in WITHOUT_EFFECT:
                getattr(self, f"_{step.cmd.lower()}")(step)

    def start(
        self, command: Sequence[str], variables: Mapping[str, str], output: IO[Any] | int
    ) -> subprocess.Popen[bytes]:
        """Start a command in the image, with additional environment variables."""
        identity: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []}
        environment = {**self._base, **self.variables, **variables}
        # Search the image's PATH, not this process's.
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=self.workdir,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            **(identity if os.geteuid() == 0 else {}),
        )

    def run(self, command: Sequence[str], **variables: str) -> tuple[int, str]:
        """Run a command in the image; return its exit code and output."""
        process = self.start(command, variables, subprocess.PIPE)
        output, _ = process.communicate(timeout=TIMEOUT_SECONDS)
        return process.returncode, output.decode()

    def _arg(self, step: dockerfile.Command) -> None:
        name, _, value = step.value[0].partition("=")
        self._arguments[name] = value

    def _from(self, step: dockerfile.Command) -> None:
        """Begin a stage; the copied Python takes the place of the base image."""
        if self._stage:
            self._root.rename(self.stages / self._stage)
        image, _, self._stage = (*step.value, "", "")[:3]
        self.base_images.append(string.Template(image).substitute(self._arguments))
        self._root.mkdir()
        self.variables = {}

    def _workdir(self, step: dockerfile.Command) -> None:
        self.workdir = self._root / step.value[0].removeprefix("/")
        self.workdir.mkdir()

    def _env(self, step: dockerfile.Command) -> None:
        for name, value in zip(step.value[::2], step.value[1::2], strict=True):
            value = value.replace(f"/{self.workdir.name}/", f"{self.workdir}/")
            self.variables[name] = string.Template(value).substitute(self._base)

    def _run(self, step: dockerfile.Command) -> None:
        if os.geteuid() == 0:
            os.chown(self.workdir, self.uid, self.gid)
        code, output = self.run(["/bin/sh", "-c", step.value[0]], **PIP_VARIABLES)
        assert code == 0, output

    def _copy(self, step: dockerfile.Command) -> None:
        *sources, target = step.value
        for source in sources:
            to = self.workdir / target / ("" if target != "./" else source)
            if step.flags:
                stage = step.flags[0].removeprefix("--from=")
                shutil.copytree(self.stages / stage / source[1:], to, symlinks=True)
                continue
            for name in self._files:
                file = self._context / name
                if file.is_file() and (name == source or name.startswith(f"{source}/")):
                    copy = to / name[len(source) :].lstrip("/") if name != source else to
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, copy)

    def _healthcheck(self, step: dockerfile.Command) -> None:
        kind, *self.healthcheck = step.value
        assert (kind, step.json) == ("CMD", True)

    def _cmd(self, step: dockerfile.Command) -> None:
        assert step.json
        self.command = list(step.value)


def _copy_python(folder: Path) -> None:
    """Copy this Python, which other users may be unable to read, and install pip in the copy."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    shutil.copytree(
        sysconfig.get_path("stdlib"),
        folder / "lib" / version,
        ignore=shutil.ignore_patterns("site-packages", "dist-packages", "test", "__pycache__"),
    )
    shutil.copytree(sysconfig.get_path("include"), folder / "include" / version)
    library = Path(*sysconfig.get_config_vars("LIBDIR", "INSTSONAME"))
    if library.is_file():
        shutil.copy(library, folder / "lib")
    program = folder / "bin" / "python"
    program.parent.mkdir()
    shutil.copy(Path(sys.executable).resolve(), program)
    subprocess.run(
        [program, "-I", "-m", "ensurepip", "--default-pip"],
        env={"LD_LIBRARY_PATH": str(folder / "lib")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,  # a warning about running as root
        check=True,
    )
