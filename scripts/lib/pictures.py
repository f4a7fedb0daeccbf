"""Pictures of the page's views: how each look is taken, and what is done before a picture."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page

from scripts.lib.showcase import Showcase
from tests.browser.wallets import Wallet

SHOWN_MS = 1_200
"""For what moves into its place after a view is drawn."""

PATIENCE_MS = 120_000
COLOURS, ROUNDS = 256, 4
"""Of a picture's palette, and how often it is bettered."""

Act = Callable[[Page], None]


@dataclass(frozen=True)
class Look:
    """How a picture is taken."""

    name: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


LOOKS = (
    Look("light", 1180, 900, "light"),
    Look("dark", 1180, 900, "dark"),
    Look("phone", 390, 844, "light"),
)


@dataclass(frozen=True)
class View:
    """A view, and what its reader has done when the picture is taken.

    Attributes:
        wallet: whether the browser has one.
    """

    name: str
    url: str
    act: Act | None = None
    wallet: bool = False


def views(world: Showcase, match: int, turn: int) -> Iterator[View]:
    """Every view of the page."""
    # First: its life grows by a window a second, and the page fetches all of it.
    yield View("beast", f"{world.url}/#/beasts/{world.hero}", live)
    for name, address in world.views(match, turn):
        yield View(name, f"{world.url}/{address}")
    yield View("film", f"{world.url}/#/beasts/{world.rival}", to_the_middle_of_its_life)
    for name, case in (("dispute", world.proven), ("trial", world.open)):
        yield View(name, f"{world.url}/#/disputes/{case}", judged)
    yield View("evidence", f"{world.url}/#/evidence", lambda page: drop(page, world.bundle))
    yield View("compare", f"{world.url}/#/compare/{world.hero},{world.rival}", fought)
    duel = f"beast={world.hero}&opponent={world.rival}"
    yield View("wallets", f"{world.desk}/#/act", wallet=True)
    yield View("act", f"{world.desk}/#/act/challenge?{duel}", connect, wallet=True)


def live(page: Page) -> None:
    """Wait for what its trainer tells of it now."""
    page.wait_for_selector(".lamp[data-state=live]")


def to_the_middle_of_its_life(page: Page) -> None:
    """Wait for its whole life, and show the mind that it had half-way."""
    page.locator(".bars [data-held=no]").first.wait_for(state="detached")
    slider = page.get_by_role("slider", name="Window")
    slider.fill(str(int(slider.get_attribute("max") or 0) // 2))
    slider.blur()


def judged(page: Page) -> None:
    """Wait until the browser has computed the disputed window."""
    page.locator(".strip .agreed").first.wait_for()


def fought(page: Page) -> None:
    """Wait until those that are compared have fought their first bouts."""
    page.locator(".contest [role=status]", has_text="fought").wait_for()


def drop(page: Page, bundle: str) -> None:
    """Hand in evidence and wait for the verdict."""
    page.locator("input[type=file]").set_input_files(bundle)
    page.locator(".bundle-verdict, .notice.error").first.wait_for()


def connect(page: Page) -> None:
    """Choose the wallet and ask what the action does."""
    page.get_by_role("button", name="Connect Fox").click()
    page.get_by_role("button", name="See what it does").click()
    page.locator(".review, .plan .notice").first.wait_for()


def settled(page: Page, url: str) -> None:
    """Open a view and wait until nothing moves into its place any more."""
    page.goto(url)
    page.wait_for_selector("main .view:not([aria-busy])")
    if page.locator(".policy").count():
        page.wait_for_selector(".policy:not(.blank)")
    page.wait_for_timeout(SHOWN_MS)


def most_eventful(browser: Browser, url: str, matches: Sequence[int]) -> tuple[int, int]:
    """The match with the most attacks, and a turn in the midst of them."""
    found = []
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    for match in matches:
        settled(page, f"{url}/#/battles/{match}")
        kinds = page.locator(".ticks i").evaluate_all("all => all.map(i => i.className)")
        hits = [turn for turn, kind in enumerate(kinds) if "attack" in kind]
        critical = [turn for turn in hits if "critical" in kinds[turn]]
        turns = critical or hits or [0]
        found.append((len(hits), match, turns[len(turns) // 2]))
    page.close()
    return max(found)[1:]


def take(
    browser: Browser, world: Showcase, folder: Path, only: Collection[str], whole: bool
) -> Iterator[Path]:
    """The views in every look, as files; all of them where none is named."""
    shown = (world.matches[0], 0)
    if not only or "battle" in only:
        shown = most_eventful(browser, world.url, world.matches)
    wanted = [view for view in views(world, *shown) if not only or view.name in only]
    for look in LOOKS:
        for view in wanted:
            path = folder / f"page-{view.name}-{look.name}.png"
            shot = Image.open(io.BytesIO(picture(browser, world, view, look, whole)))
            small = shot.convert("RGB").quantize(COLOURS, kmeans=ROUNDS)
            small.save(path, optimize=True)
            yield path


def picture(browser: Browser, world: Showcase, view: View, look: Look, whole: bool) -> bytes:
    """A view in one look: what a screen shows of it first, or the whole of it."""
    context = browser.new_context(
        viewport={"width": look.width, "height": look.height}, color_scheme=look.scheme
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    try:
        if view.wallet:
            Wallet(world.rpc_url, [world.owner], world.chain_id).enter(page, "Rabbit", "Fox")
        settled(page, view.url)
        if view.act:
            view.act(page)
            page.wait_for_timeout(SHOWN_MS)
        return page.screenshot(full_page=whole)
    finally:
        context.close()
