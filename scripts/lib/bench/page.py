"""The page in a browser over 1,000 beasts and a life of 5,000 windows: what holds it up."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page

from chainbeasts.backend.store.session import Database
from scripts.lib.bench.figures import Figure
from scripts.lib.bench.world import Size, digest_of, fill, publish, serving
from scripts.lib.chromium import ABSENT, chromium, find_chromium

SIZE = Size(beasts=1_000, windows=5, first=5_000)
LIMIT_MS = 100.0
PATIENCE_MS = 120_000
WHEEL_PX = 900
ROUNDS = 3
DRAWN = "main .view:not([aria-busy])"
WATCH = """
  window.tasks = [];
  new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => e.duration)))
    .observe({ type: "longtask" });
"""


@contextmanager
def _tab(folder: Path) -> Iterator[tuple[Page, str]]:
    """A tab, and the page's address over the index of that size."""
    executable = find_chromium()
    assert executable is not None
    states = publish(folder, [1])
    database = Database(f"sqlite:///{folder / 'api.sqlite3'}")
    fill(database, SIZE, lambda beast, index: states.get(beast) or digest_of(beast, index))
    with serving(database, folder) as url, chromium(executable) as browser:
        page = browser.new_page(viewport={"width": 1180, "height": 900}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE_MS)
        page.add_init_script(WATCH)
        yield page, url
    database.close()


def _scroll(page: Page) -> float:
    """Milliseconds of the longest task while a view is scrolled to its end with the wheel."""
    page.evaluate("() => { window.tasks = []; scrollTo(0, 0); }")
    page.mouse.move(400, 500)
    while page.evaluate("scrollY + innerHeight < document.documentElement.scrollHeight - 1"):
        page.mouse.wheel(0, WHEEL_PX)
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return float(page.evaluate("Math.max(0, ...window.tasks)"))


def _turn(page: Page, button: str) -> float:
    """Milliseconds of the longest task while the windows' next page comes."""
    first = page.locator(".windows tbody th").first
    before = first.inner_text()
    page.evaluate("() => { window.tasks = []; }")
    page.get_by_role("button", name=button).click()
    page.wait_for_function(
        "before => document.querySelector('.windows tbody th')?.textContent.trim() !== before",
        arg=before,
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    return float(page.evaluate("Math.max(0, ...window.tasks)"))


def _figure(name: str, milliseconds: float) -> Figure:
    return Figure(
        name,
        milliseconds,
        "ms",
        LIMIT_MS,
        at_most=True,
        method=f"the longest task of Chromium's main thread, the least of {ROUNDS} rounds; 0 if "
        f"none took 50 ms; load {os.getloadavg()[0]:.1f}",
    )


def measure(tell: Callable[[str], None]) -> list[Figure]:
    """All figures of the page; none where there is no Chromium."""
    if find_chromium() is None:
        tell(ABSENT)
        return []
    tell(f"filling an index with {SIZE.beasts:,} beasts, one of them with {SIZE.most:,} windows")
    with tempfile.TemporaryDirectory() as folder, _tab(Path(folder)) as (page, url):
        page.goto(f"{url}/#/beasts")
        page.locator(DRAWN).wait_for()
        lists = min(_scroll(page) for _ in range(ROUNDS))
        page.goto(f"{url}/#/beasts/1")
        page.locator(DRAWN).wait_for()
        page.get_by_role("button", name="windows at a time").click()
        lives = min(_scroll(page) for _ in range(ROUNDS))
        turns = min(_turn(page, "older") for _ in range(ROUNDS))
    return [
        _figure(f"scrolling the list of {SIZE.beasts:,} beasts", lists),
        _figure(f"scrolling a life of {SIZE.most:,} windows", lives),
        _figure("another page of its windows", turns),
    ]
