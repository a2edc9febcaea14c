#!/usr/bin/env python
"""Run a management command of the project."""

import os
import sys

from django.core.management import execute_from_command_line

from todo_project.streams import standard_streams

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    try:
        with standard_streams():
            execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        # Ctrl-C during startup or at a prompt: nothing to report
        sys.exit(130)  # as shells report SIGINT
