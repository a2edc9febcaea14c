"""Reads and validates the environment variables, for ``settings.py``."""
