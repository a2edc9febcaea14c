"""Helpers for the tests that run in a browser."""

import os
from pathlib import Path

from playwright.sync_api import Page


def collect_errors(page: Page) -> list[str]:
    """Return a list that collects a page's console messages, script errors and failed requests."""
    complaints: list[str] = []
    page.on(
        "console", lambda message: complaints.append(f"{message.text} {message.location['url']}")
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    return complaints


def take_screenshot(page: Page, name: str) -> None:
    """Save a screenshot if ``SCREENSHOTS`` names a directory."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder) / f"{name}.png")
