"""The Dockerfile without Docker: its own files, commands and variables, as an ordinary user.

A folder stands for ``/`` of the container. What runs sees the variables of its stage and no others,
and owns nothing but the working directory of a stage that builds.
"""

import os
import shutil
import string
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import dockerfile
from docker.utils.build import exclude_paths

# What pip needs to reach its index from this machine
MACHINE = {
    name: value
    for name, value in os.environ.items()
    if name.startswith(("PIP_", "SSL_", "REQUESTS_")) or name.lower().endswith("_proxy")
}
SECONDS = 600.0


class Image:
    """What a Dockerfile makes of a folder.

    Args:
        folder: an empty one, which everybody may read.
        context: where the Dockerfile is, and what Docker would be given.
    """

    def __init__(self, folder: Path, context: Path) -> None:
        self._root, self._context = folder / "root", context
        self.stages = folder / "stages"  # those before the last one, by their names
        self.stages.mkdir()
        ignored = (context / ".dockerignore").read_text().splitlines()
        self._given = exclude_paths(str(context), [line for line in ignored if line[:1] != "#"])
        _copy_python(folder / "python")
        self._base = {
            "PATH": f"{folder / 'python' / 'bin'}:/usr/bin:/bin",
            "LD_LIBRARY_PATH": str(folder / "python" / "lib"),  # where it is in a library
        }
        self._arguments: dict[str, str] = {}
        self._stage = ""
        self.begun_with: list[str] = []  # images
        self.workdir = self._root
        self.variables: dict[str, str] = {}
        self.healthcheck: list[str] = []
        self.command: list[str] = []
        steps = dockerfile.parse_file(str(context / "Dockerfile"))
        [self.user] = [step.value[0] for step in steps if step.cmd == "USER"]
        for step in steps:
            getattr(self, f"_{step.cmd.lower()}")(step)

    def files(self) -> Iterator[Path]:
        """Yield each file below the working directory, relative to it."""
        for file in self.workdir.rglob("*"):
            if not file.is_dir():
                yield file.relative_to(self.workdir)

    def start(
        self, command: Sequence[str], variables: Mapping[str, str], output: IO[Any] | int
    ) -> subprocess.Popen[bytes]:
        """Start a command in the container, with these variables beside the image's."""
        uid, gid = map(int, self.user.split(":"))
        is_root = os.geteuid() == 0
        environment = {**self._base, **self.variables, **variables}
        # found with the container's PATH, and not with ours
        program = shutil.which(command[0], path=environment["PATH"]) or command[0]
        return subprocess.Popen(
            [program, *command[1:]],
            cwd=self.workdir,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=uid if is_root else None,
            group=gid if is_root else None,
            extra_groups=[] if is_root else None,
        )

    def run(self, command: Sequence[str], **variables: str) -> tuple[int, str]:
        """Run a command in the container; return its exit code and what it has said."""
        process = self.start(command, variables, subprocess.PIPE)
        said, _ = process.communicate(timeout=SECONDS)
        return process.returncode, said.decode()

    def _arg(self, step: dockerfile.Command) -> None:
        name, _, value = step.value[0].partition("=")
        self._arguments[name] = value

    def _from(self, step: dockerfile.Command) -> None:
        """Begin a stage; the image that it begins with is a Python and its pip."""
        if self._stage:
            self._root.rename(self.stages / self._stage)
        image, _, self._stage = (*step.value, "", "")[:3]
        self.begun_with.append(string.Template(image).substitute(self._arguments))
        self._root.mkdir()
        self.variables = {}

    def _workdir(self, step: dockerfile.Command) -> None:
        self.workdir = self._root / step.value[0].removeprefix("/")
        self.workdir.mkdir()

    def _env(self, step: dockerfile.Command) -> None:
        for name, value in zip(step.value[::2], step.value[1::2], strict=True):
            here = value.replace(f"/{self.workdir.name}/", f"{self.workdir}/")
            self.variables[name] = string.Template(here).substitute(self._base)

    def _run(self, step: dockerfile.Command) -> None:
        uid, gid = map(int, self.user.split(":"))
        if os.geteuid() == 0:
            os.chown(self.workdir, uid, gid)
        code, said = self.run(["/bin/sh", "-c", step.value[0]], **MACHINE)
        assert code == 0, said

    def _copy(self, step: dockerfile.Command) -> None:
        *sources, target = step.value
        for source in sources:
            to = self.workdir / target / ("" if target != "./" else source)
            if step.flags:
                stage = step.flags[0].removeprefix("--from=")
                shutil.copytree(self.stages / stage / source[1:], to, symlinks=True)
                continue
            for name in self._given:
                file = self._context / name
                if file.is_file() and (name == source or name.startswith(f"{source}/")):
                    copy = to / name[len(source) :].lstrip("/") if name != source else to
                    copy.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(file, copy)

    def _user(self, step: dockerfile.Command) -> None:
        """Read before the first step: here it has built as well."""

    def _expose(self, step: dockerfile.Command) -> None:
        """Tell people; it changes nothing."""

    def _healthcheck(self, step: dockerfile.Command) -> None:
        kind, *self.healthcheck = step.value
        assert (kind, step.json) == ("CMD", True)

    def _cmd(self, step: dockerfile.Command) -> None:
        assert step.json
        self.command = list(step.value)


def _copy_python(folder: Path) -> None:
    """Copy the Python that runs this, which others may not reach, and give it a pip."""
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
        stderr=subprocess.DEVNULL,  # that it runs as root
        check=True,
    )
