"""Environment variables, with ``.env`` as a fallback."""

import os
from pathlib import Path
from typing import Any

from environs import FileAwareEnv

BASE_DIR = Path(__file__).resolve().parents[2]


class Environment(FileAwareEnv):
    """Reads a variable, or the file that ``<NAME>_FILE`` names (Docker secrets).

    An empty variable counts as not set: compose files and ``.env.example`` leave variables empty.
    """

    def _get_value(self, env_key: str, default: Any) -> Any:
        try:
            value = super()._get_value(env_key, default)
        except UnicodeDecodeError:
            raise ValueError(f"{env_key}_FILE must name a text file in UTF-8.") from None
        return default if value == "" else value

    def variables(self) -> dict[str, str]:
        """Return all variables, those of other programs too."""
        return {**self._environ, **os.environ}  # environs: .env's are apart


env = Environment(strip_whitespace=True)
env.read_env(BASE_DIR / ".env", recurse=False)
