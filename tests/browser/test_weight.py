"""What the page weighs: on the wire, in memory, and in a browser that scrolls through very much.

Over a database that no chain stands behind: what these tests need is many of everything.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Route, WebSocketRoute, expect

from chainbeasts.backend.api import app
from chainbeasts.backend.api.models import Live
from chainbeasts.backend.store.session import Database
from scripts.lib.bench.world import (
    OWNER,
    SOURCE_FOR,
    Size,
    digest_of,
    fill,
    match,
    publish,
    serving,
)
from tests.browser.conftest import PATIENCE_MS, Visit, collect_garbage, visiting
from tests.conftest import NIGHTLY
from tests.support.patience import PATIENCE

SIZE = Size(beasts=120, windows=5, first=5_000)
FIGHTERS = (1, 2)
VIEWS = (
    "#/", "#/beasts", "#/beasts/1", "#/beasts/2", "#/battles", "#/battles/1", "#/disputes",
    "#/disputes/2", "#/leaderboard", "#/evidence", "#/compare/1,2", f"#/accounts/{OWNER}",
)  # fmt: skip
QUIET = "#/season"
"""A view that starts nothing: what is counted on it is what the others left behind."""

VISITS, NEWS = (50, 1_000) if NIGHTLY else (20, 400)
"""A view that stays behind shows after one visit; what is a hundredth of one, after fifty."""

WARM_ROUNDS = 2

MORE_NODES, MORE_LISTENERS, MORE_BYTES = 100, 8, 2_000_000
"""A beast's view has some 2,700 nodes and 40 listeners."""


@pytest.fixture(scope="module")
def url(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over many beasts, one of them with a long life, and a match to be fought."""
    folder = tmp_path_factory.mktemp("weight")
    states = publish(folder, FIGHTERS)
    database = Database(f"sqlite:///{folder / 'api.sqlite3'}")
    fill(database, SIZE, lambda beast, index: states.get(beast) or digest_of(beast, index))
    match(database, FIGHTERS, (states[1], states[2]))
    with serving(database, folder) as at:
        yield at
    database.close()


@pytest.fixture
def visit(browser: Browser, url: str) -> Iterator[Visit]:
    """A new tab in a browser that has nothing of the page yet."""
    with visiting(browser, lambda page: Visit(page, url)) as made:
        yield made


# --- memory -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Held:
    """What a tab holds once its garbage is collected."""

    nodes: int
    listeners: int
    bytes: int

    def within(self, before: Held) -> bool:
        """Whether it is not more than before, but for what a browser keeps for itself."""
        return (
            self.nodes <= before.nodes + MORE_NODES
            and self.listeners <= before.listeners + MORE_LISTENERS
            and self.bytes <= before.bytes + MORE_BYTES
        )


def held(devtools: CDPSession) -> Held:
    """Collect the garbage and count."""
    collect_garbage(devtools)
    found: dict[str, Any] = devtools.send("Memory.getDOMCounters")
    heap: dict[str, Any] = devtools.send("Runtime.getHeapUsage")
    size = sum(
        heap.get(key, 0) for key in ("usedSize", "embedderHeapUsedSize", "backingStorageSize")
    )
    return Held(found["nodes"], found["jsEventListeners"], int(size))


def news(number: int) -> str:
    """A message of the stream, about one thing or another that the views show."""
    about: dict[str, Any] = (
        {"type": "beast", "event": "Hatched", "beast": 1},
        {"type": "checkpoint", "event": "CheckpointSubmitted", "beast": 1, "index": 4},
        {"type": "dispute", "event": "DisputeFiled", "beast": 10, "dispute": 2},
        {"type": "match", "event": "MatchAccepted", "beast": 1, "rival": 2, "match": 1},
        {"type": "season", "event": "SeasonAdded", "season": 1},
    )[number % 5]
    one = Live(id=f"{SIZE.most}-{number}", block=SIZE.most, tx=digest_of(number), **about)
    return one.model_dump_json(exclude_none=True)


def test_visits_and_news_leave_nothing_behind(visit: Visit) -> None:
    """Every kind of view is come to and left, a third of them at once, while news come in."""
    visit.expects("status of 404")  # the states of a dispute that nobody published
    streams: list[WebSocketRoute] = []

    def open_stream(stream: WebSocketRoute) -> None:
        streams.append(stream)
        stream.send(Live(type="hello", block=SIZE.most).model_dump_json(exclude_none=True))

    def come(address: str, *, stay: bool) -> None:
        visit.page.evaluate("address => { location.hash = address; }", address)
        if stay:
            expect(visit.page.locator("main .view:not([aria-busy])")).to_be_visible()

    visit.page.route_web_socket("**/v1/events*", open_stream)
    # To a stream that the page has just closed, Playwright hands on what a server says, and throws.
    visit.page.route_web_socket("**/v1/metrics*", lambda stream: None)
    devtools = visit.page.context.new_cdp_session(visit.page)
    visit.go(QUIET)
    for _ in range(WARM_ROUNDS):
        for address in VIEWS:
            come(address, stay=True)
    come(QUIET, stay=True)
    before = held(devtools)
    for number in range(VISITS):
        come(VIEWS[number % len(VIEWS)], stay=number % 3 > 0)
        for one in range(NEWS // VISITS):
            streams[-1].send(news(number * (NEWS // VISITS) + one))
    come("#/beasts", stay=True)
    asked = len(visit.asked)
    streams[-1].send(news(0))
    visit.wait_until(
        "the last news are taken in",
        lambda: any("/v1/beasts?" in address for address in visit.asked[asked:]),
    )
    come(QUIET, stay=True)
    counts = [held(devtools)]
    # What has left with a view goes once its last answer has come, which may take a loaded machine.
    deadline = time.monotonic() + PATIENCE
    while not counts[-1].within(before) and time.monotonic() < deadline:
        visit.page.evaluate(
            "() => new Promise((done) => setTimeout(requestIdleCallback, 500, done))"
        )
        counts.append(held(devtools))
    assert counts[-1].within(before), (before, counts)


@pytest.fixture
def hear(visit: Visit) -> Callable[[Live], None]:
    """Lets the page hear a message; no other one comes."""
    streams: list[WebSocketRoute] = []

    def open_stream(stream: WebSocketRoute) -> None:
        stream.send(Live(type="hello", block=SIZE.most).model_dump_json(exclude_none=True))
        streams.append(stream)

    def tell(told: Live) -> None:
        visit.wait_until("the stream is open", lambda: bool(streams))
        streams[-1].send(told.model_dump_json(exclude_none=True))

    visit.page.route_web_socket("**/v1/events*", open_stream)
    visit.page.route_web_socket("**/v1/metrics*", lambda stream: None)
    return tell


GAP = Live(type="gap", id="1-1")


def test_who_missed_something_is_shown_the_beast_as_it_is(
    visit: Visit, hear: Callable[[Live], None]
) -> None:
    visit.go("#/beasts/2")
    expect(visit.page.locator(".lineage tbody tr").first).to_be_visible()

    def asks_again(before: int) -> bool:
        return any(address.endswith("/v1/beasts/2") for address in visit.asked[before:])

    asked = len(visit.asked)
    hear(Live(type="checkpoint", block=SIZE.most, beast=1))
    visit.page.wait_for_timeout(2_000)  # more than lies between two batches of news
    assert not asks_again(asked)
    hear(GAP)
    visit.wait_until("the beast is asked for", lambda: asks_again(asked))


def test_an_account_is_idle_until_it_does_something(
    visit: Visit, url: str, hear: Callable[[Live], None]
) -> None:
    visit.go(f"#/accounts/0x{'ab' * 20}")
    idle = visit.page.locator(".nothing")
    expect(idle).to_be_visible()
    owner = f"{url}/v1/accounts/{OWNER}"
    visit.page.route(
        "**/v1/accounts/*", lambda route: route.fulfill(response=route.fetch(url=owner))
    )
    hear(GAP)
    expect(visit.page.locator(".plate").first).to_be_visible()
    expect(idle).to_be_hidden()


# --- the wire -----------------------------------------------------------------------------------

MOST_BEFORE_BOARD, MOST_OF_FIRST_LOAD = 100_000, 300_000
PAINTED = """
  new MutationObserver((_, watch) => {
    if (!document.querySelector(".policy svg .near")) return;
    watch.disconnect();
    requestAnimationFrame(() => setTimeout(() => window.boardPainted("")));
  }).observe(document, { subtree: true, childList: true });
"""


PAGE = Path(app.__file__).parent / "page"
BOARD_FIRST_MS = re.compile(r"BOARD_FIRST_MS = (\d+);")
(BOARD_FIRST,) = BOARD_FIRST_MS.findall((PAGE / "views" / "beast.js").read_text("utf-8"))
BOARD_IS_WAITED_FOR = f"""
  const later = window.setTimeout;
  window.setTimeout = (f, ms, ...rest) =>
    later(f, ms === {BOARD_FIRST} ? {PATIENCE_MS} : ms, ...rest);
"""
"""However long that takes: what is weighed is the order, not the machine."""


def test_a_beasts_board_comes_first_and_weighs_little(visit: Visit) -> None:
    """Bytes on the wire with their headers, in a browser that has nothing of the page yet."""
    finished: list[int] = []
    before_board: list[int] = []
    devtools = visit.page.context.new_cdp_session(visit.page)
    devtools.on("Network.loadingFinished", lambda end: finished.append(end["encodedDataLength"]))
    devtools.on("Runtime.bindingCalled", lambda _: before_board.append(int(sum(finished))))
    for call in ("Network.enable", "Runtime.enable"):
        devtools.send(call)
    devtools.send("Runtime.addBinding", {"name": "boardPainted"})
    visit.page.add_init_script(PAINTED)
    visit.page.add_init_script(BOARD_IS_WAITED_FOR)
    visit.go("#/beasts/1")
    visit.page.wait_for_load_state("networkidle")
    expect(visit.page.locator(".plot canvas").first).to_be_visible()
    (weight,) = before_board
    assert 0 < weight <= MOST_BEFORE_BOARD
    assert weight < sum(finished) <= MOST_OF_FIRST_LOAD


def test_who_waits_in_vain_is_told_after_a_while(visit: Visit) -> None:
    """Each request has a deadline; a reader may try again."""
    visit.go("#/battles")
    held: list[Route] = []
    asleep = True

    def answer(route: Route) -> None:
        if asleep:
            held.append(route)
        else:
            route.continue_()

    # All of them: with its stream, which may come late, a page asks again by itself.
    visit.page.route("**/v1/season", answer)
    visit.page.evaluate("() => { window.hasty = true; location.hash = '#/season'; }")
    alert = visit.page.get_by_role("alert")
    expect(alert).to_contain_text("did not answer within 20 s")
    visit.page.evaluate("window.hasty = false")
    asleep = False
    alert.get_by_role("button", name="Try again").click()
    expect(visit.page.locator(".constants li").first).to_be_visible()
    for one in held:
        one.abort()


# --- very much of it ----------------------------------------------------------------------------

PAGE_ROWS = 50
PHONES = ((320, 640), (390, 844))


def test_a_long_life_is_as_light_as_a_short_one(visit: Visit) -> None:
    """Of 5,000 windows a page of rows is in the document, and all are marked on the curves."""
    visit.go("#/beasts/1")
    rows = visit.page.locator(".windows tbody tr")
    first = rows.locator("th")
    expect(visit.page.locator(".lineage")).to_contain_text("5 000 windows")
    expect(rows.locator("time.countdown").first).to_be_visible()
    few = rows.count()
    visit.page.get_by_role("button", name=f"Show {PAGE_ROWS} windows at a time").click()
    expect(rows).to_have_count(PAGE_ROWS)
    assert few < PAGE_ROWS
    expect(first.first).to_have_text(str(SIZE.most - 1))
    visit.page.get_by_role("button", name="older").click()
    expect(first.first).to_have_text(str(SIZE.most - 1 - PAGE_ROWS))
    expect(rows).to_have_count(PAGE_ROWS)
    expect(visit.page.locator(".spine .bead")).to_have_count(PAGE_ROWS)
    visit.page.get_by_role("button", name="newer").click()
    expect(first.first).to_have_text(str(SIZE.most - 1))
    marked = visit.page.evaluate(
        """async () => {
          const { changesOf, marksOf } = await import("/mind/history.js");
          const found = await (await fetch("/v1/beasts/1/changes")).json();
          return marksOf(changesOf(found)).filter(({ kind }) => kind === "source").length;
        }"""
    )
    assert marked == SIZE.most // SOURCE_FOR - 1
    assert visit.page.locator(".happened li").count() <= 101
    visit.go("#/beasts")
    expect(visit.page.locator(".plate")).to_have_count(48)


ONE_POINT = """
  async (points) => {
    const { chart } = await import("/chart.js");
    const series = [{ label: "loss", ink: "accent" }];
    const size = { top: 1, height: 120 };
    const spec = { label: "Loss", unit: "", series, read: String, sync: "one", ...size };
    const made = chart(spec, { signal: new AbortController().signal });
    document.querySelector("main").append(made.element);
    await made.draw(points, { marks: [], spans: [] });
    made.zoom(null);  // as the chart beside it says when it is drawn
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    return made.element.querySelectorAll("canvas").length;
  }
"""


def test_a_life_of_one_window_is_drawn(visit: Visit) -> None:
    """Its axis has no length of its own: it must not be divided for ever."""
    visit.go(QUIET)
    assert visit.page.evaluate(ONE_POINT, [[128], [0.5]]) == 1


def test_the_board_is_in_a_phones_first_screen(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": PHONES[0][0], "height": PHONES[0][1]})
    visit.go("#/beasts/1")
    expect(visit.page.locator(".policy:not(.blank)")).to_be_visible()
    for width, height in PHONES:
        visit.page.set_viewport_size({"width": width, "height": height})
        box = visit.box(visit.page.locator(".policy"))
        assert box["y"] + box["height"] <= 640
        assert box["width"] >= 0.75 * width
