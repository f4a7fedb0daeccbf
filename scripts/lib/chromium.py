"""The system's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

NAMES = (
    "chromium-headless-shell",  # the same engine without windows, for two thirds of the processor
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ABSENT = (
    "Chromium is not installed: the page's tests in a browser are skipped. "
    "Install it with `apt-get install chromium-headless-shell` or `brew install chromium`."
)


def find_chromium() -> str | None:
    """The system's Chromium; None if there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def chromium(executable: str, start_ms: float | None = None) -> Iterator[Browser]:
    """A running Chromium without a window that asks for nothing by itself.

    Args:
        start_ms: milliseconds that its start may take; Playwright's own limit if None.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, headless=True, args=[*FLAGS], timeout=start_ms
        )
        try:
            yield browser
        finally:
            browser.close()
