#!/usr/bin/env python
"""Run a management command of the project."""

import os
import sys

from todo_project.command_line import main

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "todo_project.settings")
    main(sys.argv)
