"""The page in a real Chromium, over one small world on a chain of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, CDPSession, FloatRect, Locator, Page, expect

from scripts.lib.chromium import ABSENT, chromium, find_chromium
from scripts.lib.deadlines import PATIENT
from scripts.lib.spectacle import Spectacle
from scripts.lib.stage import Stage
from tests.support.forked import Program
from tests.support.patience import PATIENCE
from tests.support.worlds import deployed_world

PATIENCE_MS = PATIENCE * 1000
LOOK_MS = 20

RETRIES = 10
"""Of a request by Playwright itself: a server may close a connection that it kept open in the very
moment in which it is used again. Chromium asks again by itself."""

KEEP_WHAT_SHOWS = """selector => {
  const shown = (window.shown ??= {});
  const kept = (shown[selector] = []);
  const look = () => {
    const element = document.querySelector(selector);
    const text = element?.checkVisibility() ? element.textContent : null;
    if (text !== null && text !== kept.at(-1)) kept.push(text);
  };
  look();
  const all = { subtree: true, childList: true, characterData: true, attributes: true };
  new MutationObserver(look).observe(document.body, all);
}"""

PATIENT_PAGE = """
  const wait = AbortSignal.timeout.bind(AbortSignal);
  AbortSignal.timeout = (ms) => wait(window.hasty ? ms / 4 : 12 * ms);
"""
"""The page's own deadline for an answer is that of somebody who looks at it."""

ACT_AT_TURN = """turn => new Promise((done) => {
  const act = ACT;
  const look = () => {
    if (Number(document.querySelector("#scrub").value) < turn) requestAnimationFrame(look);
    else done(act());
  };
  look();
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The system's Chromium."""
    executable = find_chromium()
    if executable is None:
        pytest.skip(ABSENT)
    expect.set_options(timeout=PATIENCE_MS)
    with chromium(executable, PATIENCE_MS) as made:
        yield made


@pytest.fixture(scope="module")
def world(
    browser: Browser, program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Spectacle]:
    """Contracts, players, a metrics server and the page's, but no beast yet."""
    stage = Stage(tmp_path_factory.mktemp("world") / "stage", program)
    deployed_world(tmp_path_factory, program, PATIENT).copy_to(stage.host.home)
    with stage:
        made = Spectacle(stage)
        made.open()
        yield made


@dataclass
class Visit:
    """A tab, what it asked for, and everything that it complained of."""

    page: Page
    url: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: list[re.Pattern[str]] = field(default_factory=list)
    borne: list[re.Pattern[str]] = field(default_factory=list)

    def go(self, address: str) -> None:
        """Open a view and wait until it is drawn."""
        self.page.goto(f"{self.url}/{address}")
        expect(self.page.locator("main .view:not([aria-busy])")).to_be_visible()

    def expects(self, pattern: str) -> None:
        """Say, before it can come, what the browser will rightly complain of.

        A complaint comes when the browser finds the time, which may be after the page has shown
        what the test looks for. So none is taken back afterwards: the end of the visit waits for
        those that are expected, and bears no other.
        """
        self.expected.append(re.compile(pattern))

    def bears(self, pattern: str) -> None:
        """Say what the browser may complain of: of what a worker does at its start, it may not."""
        self.borne.append(re.compile(pattern))

    def wait_until(self, what: str, look: Callable[[], object]) -> None:
        """Let the browser's events come in until there is something to see."""
        deadline = time.monotonic() + PATIENCE
        while not look():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            self.page.wait_for_timeout(LOOK_MS)

    def keep_what_shows(self, selector: str) -> Callable[[], list[str]]:
        """Have the page keep each text of an element while it is visible; those so far.

        For what goes away by itself: before this process looks again, it may be gone.
        """
        self.page.evaluate(KEEP_WHAT_SHOWS, selector)
        return lambda: list(self.page.evaluate("selector => window.shown[selector]", selector))

    def act_at_turn(self, turn: int, act: str) -> Callable[[], Any]:
        """Have the page call a function as soon as a replay comes to a turn; what it returns then.

        To be asked for before the replay begins: before this process hears of the turn, or that the
        replay has begun at all, it may be over.
        """
        waiting = ACT_AT_TURN.replace("ACT", act)
        self.page.evaluate(f"turn => {{ window.acted = ({waiting})(turn); }}", turn)
        return lambda: self.page.evaluate("window.acted")

    def box(self, what: Locator) -> FloatRect:
        """Where something is in the window; what is just drawn anew is nowhere for a moment."""
        found: list[FloatRect] = []

        def look() -> bool:
            place = what.bounding_box()
            found.extend([place] if place else [])
            return bool(found)

        self.wait_until(f"{what} is somewhere", look)
        return found[0]

    def end(self) -> None:
        """Wait for every complaint that is expected, then look at what else there was."""
        wanted = [pattern.pattern for pattern in self.expected]
        self.wait_until(
            f"complaints like {wanted}, there were {self.complaints}",
            lambda: all(any(map(p.search, self.complaints)) for p in self.expected),
        )
        for routed in (self.page, self.page.context):  # an answer may still be on its way
            routed.unroute_all(behavior="ignoreErrors")
        self.page.context.close()
        own = (self.url, self.url.replace("http", "ws"), "data:", "blob:")
        assert [url for url in self.asked if not url.startswith(own)] == []
        known = [*self.expected, *self.borne]
        unexpected = [told for told in self.complaints if not any(p.search(told) for p in known)]
        assert unexpected == []


SomeVisit = TypeVar("SomeVisit", bound=Visit)


def collect_garbage(devtools: CDPSession) -> None:
    """Have a tab forget all that nothing holds any more.

    A question for objects collects more thoroughly than the call of that name: what compiled code
    remembers of the objects that it has made, too. That keeps one view of several for good: which
    one, hangs on how often a function has run.
    """
    asked = devtools.send("Runtime.evaluate", {"expression": "(class {}).prototype"})
    prototype = {"prototypeObjectId": asked["result"]["objectId"], "objectGroup": "counted"}
    devtools.send("Runtime.queryObjects", prototype)
    devtools.send("Runtime.releaseObjectGroup", {"objectGroup": "counted"})
    devtools.send("HeapProfiler.collectGarbage")


@contextmanager
def visiting(browser: Browser, make: Callable[[Page], SomeVisit]) -> Iterator[SomeVisit]:
    """A new tab, in which nothing may fail unexpectedly and nobody else may be asked.

    Its browser has nothing of the page yet.
    """
    # What moves without end is drawn without end, by the processor: only tests of it let it move.
    context = browser.new_context(viewport={"width": 1180, "height": 900}, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(PATIENT_PAGE)
    page = context.new_page()
    made = make(page)
    page.on("request", lambda request: made.asked.append(request.url))
    page.on("pageerror", lambda error: made.complaints.append(str(error)))
    page.on(
        "console",
        lambda told: made.complaints.append(told.text) if told.type == "error" else None,
    )
    yield made
    made.end()


@pytest.fixture
def visit(browser: Browser, world: Spectacle) -> Iterator[Visit]:
    """A tab of the test's own."""
    with visiting(browser, lambda page: Visit(page, world.url)) as made:
        yield made


@pytest.fixture(scope="module")
def tab(browser: Browser, world: Spectacle) -> Iterator[Visit]:
    """One for all tests that look at a view and change nothing of the tab: none loads the page."""
    with visiting(browser, lambda page: Visit(page, world.url)) as made:
        yield made


@pytest.fixture(scope="module")
def database(world: Spectacle) -> Path:
    """The database that the page's server reads."""
    (found,) = world.stage.host.home.glob("api.sqlite3")
    return found
