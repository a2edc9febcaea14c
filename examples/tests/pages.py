"""What the tests of pages in a real browser share."""

import os
from pathlib import Path

from playwright.sync_api import Page


def complaints_of(page: Page) -> list[str]:
    """Collect what its console says, which scripts fail, and which requests do."""
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(f"{said.text} {said.location['url']}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("requestfailed", lambda request: complaints.append(f"{request.failure} {request.url}"))
    return complaints


def photograph(page: Page, name: str) -> None:
    """Keep a picture if ``SCREENSHOTS`` names a folder."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("networkidle")
        page.screenshot(path=Path(folder) / f"{name}.png")
