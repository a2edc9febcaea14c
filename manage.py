#!/usr/bin/env python
"""Run a management command of the project."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    try:
        execute_from_command_line(sys.argv)
    except KeyboardInterrupt:
        # While Django is loaded, or at a prompt: nothing was begun, and a trace says no more.
        sys.exit(130)  # the exit code that shells give a command that Ctrl-C has ended
