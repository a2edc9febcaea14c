"""Hostile clients of a real server: ``make test-hostile``."""
