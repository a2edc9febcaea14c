"""Reads and validates environment variables for ``settings.py``."""
