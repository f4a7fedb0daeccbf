"""What every view has in common: how it comes, stays and goes, and who can read it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, WebSocket, expect

from chainbeasts.backend.resources import node_modules_dirs
from scripts.lib.spectacle import Spectacle
from tests.browser.conftest import PATIENCE_MS, PATIENT_PAGE, Visit

NARROW = ViewportSize(width=320, height=640)
WIDE = ViewportSize(width=1180, height=900)
RULES_OF_COLOUR = ("color-contrast", "link-in-text-block")
MOST_SHIFT = 0.1
ROUNDS = 3
VIEWS = (
    *("", "beasts", "battles", "disputes", "leaderboard", "season", "evidence"),
    *("beast", "battle", "account", "compare", "dispute"),
)

SPOKEN = """() => {
  window.spoken = [];
  const region = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(
    "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]");
  new MutationObserver((all) => {
    const places = all.map(({ target }) => region(target)).filter(Boolean);
    window.spoken.push(...places.map((place) => place.textContent));
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
TWO_BUTTONS = """() => {
  window.clicks = [];
  for (const text of ["Take", "Leave"]) {
    const button = document.createElement("button");
    button.append(text);
    button.className = "probe";
    document.querySelector("header.top").append(button);
  }
  addEventListener("click", ({ target }) => {
    if (target.matches(".probe")) clicks.push(target.textContent);
  });
}"""
PRESSES_ARE_SEEN = "import('/press.js').then(() => null)"
"""The page asks for that module after its first view."""

DRAW_ANEW = "const next = element.cloneNode(true); element.replaceWith(next);"
MOODS = """
  window.moods = [];
  new MutationObserver(() => {
    const mood = document.querySelector("#status .dot")?.className;
    if (mood && mood !== window.moods.at(-1)) window.moods.push(mood);
  }).observe(document, { subtree: true, childList: true, attributes: true });
"""
"""How the page has stood to the chain, from its beginning."""

SHIFTS = """
  window.shifted = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture(scope="module")
def beasts(world: Spectacle) -> tuple[int, int]:
    """A beast of the owner's and one of the rival's, both with a window."""
    found = world.hatch(world.owner), world.hatch(world.rival)
    world.train(world.owner, found[0], 1)
    world.train(world.rival, found[1], 1)
    world.catch_up()
    return found


@pytest.fixture(scope="module")
def match(world: Spectacle, beasts: tuple[int, int]) -> int:
    """A match of the two that waits for its record."""
    ours, theirs = beasts
    world.settle((world.owner, ours), (world.rival, theirs))
    number = int(world.owner.do("battle", "challenge", ours, theirs, "--yes")["match"])
    world.rival.do("battle", "accept", number, "--yes")
    world.catch_up()
    return number


@pytest.fixture(scope="module")
def views(world: Spectacle, beasts: tuple[int, int], match: int) -> dict[str, str]:
    """The addresses of the views by their names, each with something in it."""
    liar = world.hatch(world.rival)
    world.cheat(liar)
    world.validator.do("dispute", "file", liar, 0, "--yes")
    world.stage.host.do("season", "propose", "--set", "block_gain=40")
    world.catch_up()
    ones = {
        "beast": f"beasts/{beasts[0]}",
        "battle": f"battles/{match}",
        "account": f"accounts/{world.owner.address}",
        "compare": f"compare/{beasts[0]},{beasts[1]}",
        "dispute": "disputes/1",
    }
    return {view: f"#/{ones.get(view, view)}" for view in VIEWS}


def mine(world: Spectacle, blocks: int = 1) -> None:
    """Let blocks pass in which nothing happens."""
    for _ in range(blocks):
        world.stage.travel(1)


# --- news ---------------------------------------------------------------------------------------


def test_a_silent_stream_leaves_no_view_old(
    visit: Visit, world: Spectacle, beasts: tuple[int, int]
) -> None:
    """The stream is open and says nothing; the list is asked for again all the same."""
    visit.page.route_web_socket("**/v1/events", lambda stream: None)
    visit.go("#/beasts")
    plates = visit.page.locator(".plate")
    before = plates.count()
    world.hatch(world.owner)
    expect(plates).to_have_count(before + 1)


def test_a_view_that_cannot_be_asked_for_again_says_how_old_it_is(
    visit: Visit, world: Spectacle, beasts: tuple[int, int]
) -> None:
    visit.expects("status of 503")
    visit.page.route_web_socket("**/v1/events", lambda stream: None)
    visit.go("#/beasts")
    plates = visit.page.locator(".plate")
    before = plates.count()
    visit.page.route("**/v1/beasts?*", lambda route: route.fulfill(status=503, json={}))
    world.hatch(world.owner)
    expect(visit.page.locator("#status")).to_contain_text("what is shown below is of block")
    expect(plates).to_have_count(before)
    visit.page.unroute("**/v1/beasts?*")
    expect(plates).to_have_count(before + 1)
    expect(visit.page.locator("#status")).to_contain_text("in step with the chain")


def test_news_move_no_reader(visit: Visit, world: Spectacle, beasts: tuple[int, int]) -> None:
    """The focus stays on its card, the card is the same element, and the list stays scrolled."""
    visit.page.set_viewport_size({"width": 600, "height": 500})
    visit.go("#/beasts?sort=newest")
    plates = visit.page.locator(".plate")
    before = plates.count()
    link = visit.page.locator(f'a[href="#/beasts/{beasts[1]}"]')
    link.focus()
    link.evaluate("element => (element.known = true)")
    world.hatch(world.owner)
    expect(plates).to_have_count(before + 1)
    expect(link).to_be_focused()
    assert link.evaluate("element => element.known")


def test_news_in_the_middle_of_a_click_take_nothing_away(
    visit: Visit, world: Spectacle, beasts: tuple[int, int]
) -> None:
    """What is pressed may be drawn anew before it is released: it is the same to the reader."""
    page, (ours, _) = visit.page, beasts
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    def draw_anew(control: Locator) -> None:
        control.evaluate("element => (element.known = true)")
        world.train(world.owner, ours, 1)
        visit.wait_until("drawn anew", lambda: not control.evaluate("element => element.known"))

    visit.go(f"#/accounts/{world.owner.address}")
    page.evaluate(PRESSES_ARE_SEEN)
    plate = page.locator(f'.plate[href="#/beasts/{ours}"]')
    plate.hover()
    page.mouse.down()
    draw_anew(plate)
    page.mouse.up()
    expect(page).to_have_url(re.compile(f"#/beasts/{ours}$"))
    copy = page.locator(".facts button.copy").first
    copy.focus()
    page.keyboard.down(" ")
    draw_anew(copy)
    expect(copy).to_be_focused()
    page.keyboard.up(" ")
    copied = "navigator.clipboard.readText()"
    visit.wait_until("copied", lambda: page.evaluate(copied) == world.owner.address)


def test_a_press_and_its_release_are_one_click_of_the_same(visit: Visit) -> None:
    """Let go elsewhere, or on what says something else by then, it is none."""
    visit.go("#/season")
    visit.page.evaluate(PRESSES_ARE_SEEN)
    visit.page.evaluate(TWO_BUTTONS)  # where nothing else is drawn, and nothing moves
    pressed, other = (visit.page.locator(".probe").nth(n) for n in (0, 1))

    def press(change: str, then: Locator) -> list[str]:
        pressed.hover()
        visit.page.mouse.down()
        pressed.evaluate(f"element => {{ {change} }}")
        then.hover()
        visit.page.mouse.up()
        visit.page.evaluate("() => new Promise((done) => setTimeout(done))")
        return list(visit.page.evaluate("clicks.splice(0)"))

    assert press("", pressed) == ["Take"]
    assert press(DRAW_ANEW, pressed) == ["Take"]
    assert press(DRAW_ANEW, other) == []
    assert press(f"{DRAW_ANEW} next.disabled = true;", pressed) == []
    pressed.evaluate("element => (element.disabled = false)")
    assert press(f"{DRAW_ANEW} next.value = 'rest'", pressed) == []
    assert press(f"{DRAW_ANEW} next.textContent = 'Burn'", pressed) == []


def test_blocks_are_not_read_out(visit: Visit, world: Spectacle, beasts: tuple[int, int]) -> None:
    visit.page.add_init_script(MOODS)
    visit.go("#/beasts")
    block = visit.page.locator("#status").get_by_text(re.compile(r"^block "))
    expect(block).to_be_visible()
    visit.page.evaluate(SPOKEN)
    for _ in range(ROUNDS):
        before = block.inner_text()
        mine(world)
        expect(block).not_to_have_text(before)
    # On a busy machine the page may fall behind, which is said, and that it is in step again.
    spoken, moods = visit.page.evaluate("[window.spoken, window.moods]")
    assert len(spoken) <= len(moods) - 1, (spoken, moods)


def test_a_countdown_follows_the_chain_and_goes_on_between_blocks(
    visit: Visit, world: Spectacle, match: int
) -> None:
    visit.go("#/battles")
    visit.page.evaluate(
        """async () => {
          const { chainNow, countdown } = await import("/clock.js");
          const element = countdown(chainNow() + 50);
          element.id = "probe";
          document.querySelector("main").append(element);
        }"""
    )
    probe = visit.page.locator("#probe")
    first = probe.inner_text()
    assert re.fullmatch(r"in \d+ s", first)
    expect(probe).not_to_have_text(first)
    assert "chain's clock" in str(probe.get_attribute("title"))
    world.stage.travel(100)
    expect(probe).to_have_text(re.compile("ago"))


# --- coming and going ---------------------------------------------------------------------------


def test_the_skip_link_leads_to_the_content(visit: Visit, beasts: tuple[int, int]) -> None:
    visit.go("#/beasts")
    visit.page.keyboard.press("Tab")
    expect(visit.page.locator("#skip")).to_be_focused()
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("main")).to_be_focused()
    assert visit.page.url.endswith("#/beasts")
    expect(visit.page.locator(".plate").first).to_be_visible()
    visit.page.reload()
    expect(visit.page.locator(".plate").first).to_be_visible()


def test_a_module_that_failed_to_load_is_tried_again(visit: Visit, match: int) -> None:
    visit.expects("Failed to load resource")
    asked: list[Route] = []
    tried = threading.Event()

    def first_alone(route: Route) -> None:
        """Told how the chain stands, the page would try again by itself."""
        asked.append(route)
        if len(asked) == 1 or tried.is_set():
            route.continue_()

    visit.page.route("**/v1/status", first_alone)
    visit.page.route("**/views/battles.js*", lambda route: route.abort(), times=1)
    visit.page.goto(f"{visit.url}/#/battles")
    alert = visit.page.get_by_role("alert")
    expect(alert).to_contain_text("could not be loaded")
    alert.get_by_role("button", name="Try again").click()
    expect(visit.page.locator(".bout").first).to_be_visible()
    tried.set()
    for one in asked[1:]:
        one.continue_()


def test_going_back_leads_to_where_one_was(visit: Visit, beasts: tuple[int, int]) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 500})
    visit.go("#/beasts")
    plate = visit.page.locator(f'.plate[href="#/beasts/{beasts[1]}"]')
    plate.evaluate("element => element.scrollIntoView()")
    visit.wait_until("it is scrolled", lambda: visit.page.evaluate("scrollY") > 0)
    before = visit.page.evaluate("scrollY")
    plate.click()
    expect(visit.page.locator(".hero")).to_be_visible()
    assert visit.page.evaluate("scrollY") == 0
    visit.page.go_back()
    expect(plate).to_be_visible()
    visit.wait_until("it is scrolled back", lambda: visit.page.evaluate("scrollY") == before)


def test_who_left_before_an_answer_stays_where_they_are(
    visit: Visit, beasts: tuple[int, int]
) -> None:
    """An answer that comes late is given up, and changes neither view, title nor address."""
    held: list[Route] = []
    visit.page.route("**/v1/matches?*", lambda route: held.append(route))
    visit.page.goto(f"{visit.url}/#/battles")
    visit.wait_until("the list is asked for", lambda: held)
    visit.page.locator("#nav a", has_text="Beasts").click()
    expect(visit.page.locator(".plate").first).to_be_visible()
    held[0].fulfill(json={"items": [], "next": None, "previous": None})
    visit.page.evaluate("() => new Promise((done) => setTimeout(done))")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Beasts")
    assert visit.page.title().startswith("Beasts")
    assert visit.page.url.endswith("#/beasts")


def test_an_address_that_names_nothing_says_so(visit: Visit) -> None:
    for address in ("#/nowhere", "#/season/1", "#/beasts/1/2"):
        visit.go(address)
        expect(visit.page.get_by_role("alert")).to_contain_text("nothing at this address")


# --- finding ------------------------------------------------------------------------------------


def test_lists_are_found_in_by_their_address(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], match: int
) -> None:
    """Searching, sifting and ordering change the address, and the address alone does the same."""
    visit.go("#/beasts")
    plates = visit.page.locator(".plate")
    names = visit.page.locator(".plate h2")
    whole = plates.count()
    name = re.split(r"\s", names.first.inner_text())[0]
    visit.page.get_by_label("Find").fill(name)
    expect(plates.filter(has_not_text=name)).to_have_count(0)
    expect(visit.page.locator(".found")).to_contain_text("on this page")
    assert f"q={name}" in visit.page.url
    visit.page.reload()
    expect(visit.page.get_by_label("Find")).to_have_value(name)
    expect(plates.filter(has_text=name).first).to_be_visible()
    visit.page.get_by_label("Find").fill("zzzzzz")
    expect(visit.page.locator(".nothing")).to_be_visible()
    expect(plates).to_have_count(0)
    visit.page.get_by_label("Find").fill("")
    expect(plates).to_have_count(whole)

    visit.page.get_by_label("Order").select_option("newest")
    expect(plates.first).to_have_attribute("href", f"#/beasts/{whole}")
    assert visit.page.url.endswith("#/beasts?sort=newest")
    visit.page.get_by_label("Owner").fill("0x12")
    expect(visit.page.locator(".found")).to_contain_text("40 digits")
    visit.page.get_by_label("Owner").fill(world.rival.address)
    expect(visit.page.locator(f'.plate[href="#/beasts/{beasts[0]}"]')).to_have_count(0)
    expect(visit.page.locator(f'.plate[href="#/beasts/{beasts[1]}"]')).to_have_count(1)

    visit.go("#/battles?status=final")
    expect(visit.page.locator(".nothing")).to_be_visible()
    visit.page.get_by_label("Status").select_option("accepted")
    bout = visit.page.locator(".bout")
    expect(bout).to_have_count(1)
    expect(bout.locator("svg.portrait")).to_have_count(2)


def test_long_lists_come_in_pages(visit: Visit, beasts: tuple[int, int]) -> None:
    """However many there are, so many are asked for and drawn; links lead on and back."""

    def few(route: Route) -> None:
        asked.append(route.request.url)
        route.continue_(url=re.sub(r"limit=\d+", "limit=1", route.request.url))

    asked: list[str] = []
    visit.page.route("**/v1/beasts?*", few)
    visit.go("#/beasts")
    plates = visit.page.locator(".plate")
    pages = visit.page.get_by_role("navigation", name="Pages")
    expect(plates).to_have_attribute("href", f"#/beasts/{beasts[0]}")
    expect(pages.get_by_role("link")).to_have_count(1)
    pages.get_by_role("link", name="after").click()
    expect(plates).to_have_attribute("href", f"#/beasts/{beasts[1]}")
    pages.get_by_role("link", name="before").click()
    expect(plates).to_have_attribute("href", f"#/beasts/{beasts[0]}")
    assert all("limit=48" in url for url in asked)


def test_the_search_box_leads_to_what_is_meant(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], match: int
) -> None:
    visit.go("#/season")
    box = visit.page.get_by_role("searchbox", name="Search by name")
    for text, address in (
        (world.owner.address, f"#/accounts/{world.owner.address.lower()}"),
        (f"match {match}", f"#/battles/{match}"),
        (str(beasts[1]), f"#/beasts?q={beasts[1]}"),
    ):
        box.fill(text)
        box.press("Enter")
        expect(visit.page).to_have_url(f"{visit.url}/{address}")
        expect(visit.page.locator("main .view:not([aria-busy])")).to_be_visible()
    expect(visit.page.locator(".plate")).to_have_count(1)


def test_an_account_shows_what_it_has_and_did(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], match: int
) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.go(f"#/accounts/{world.owner.address}")
    expect(visit.page.locator(f'.plate[href="#/beasts/{beasts[0]}"]')).to_have_count(1)
    expect(visit.page.locator(f'.plate[href="#/beasts/{beasts[1]}"]')).to_have_count(0)
    expect(visit.page.locator(".bout")).to_have_count(1)
    expect(visit.page.locator(".event", has_text="hatched").first).to_be_visible()
    visit.page.locator(".lead .copy").click()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == world.owner.address
    visit.go(f"#/accounts/0x{'ab' * 20}")
    expect(visit.page.locator(".nothing")).to_contain_text("nothing here yet")


def test_home_tells_what_happens_as_it_happens(
    visit: Visit, world: Spectacle, views: dict[str, str]
) -> None:
    frames: list[str] = []

    def hear(socket: WebSocket) -> None:
        socket.on("framereceived", lambda _: frames.append(socket.url))

    visit.page.on("websocket", hear)
    visit.go("#/")
    feed = visit.page.locator(".feed")
    expect(feed.locator(".event", has_text=re.compile("trained windows? 0")).first).to_be_visible()
    expect(visit.page.locator("#cases")).to_be_visible()
    expect(visit.page.locator(".aside .countdown").first).to_contain_text("in ")
    expect(visit.page.locator("#proposals")).to_be_visible()
    expect(visit.page.locator(".aside .bout")).to_have_count(1)
    known = feed.locator(".event").first
    known.evaluate("element => (element.known = true)")
    beast = world.hatch(world.owner)
    expect(feed.locator(".event", has_text=f"№ {beast} hatched")).to_be_visible()
    assert feed.locator(".event").evaluate_all("all => all.filter((e) => e.known).length") == 1
    trainers = visit.keep_what_shows("#training")
    # What is told before that does not come, and shows nobody.
    listened = "/v1/metrics?past=false"
    visit.wait_until("figures are listened to", lambda: any(listened in url for url in frames))
    world.train(world.owner, beast, 2)
    visit.wait_until("a trainer is shown", trainers)


def test_a_season_is_a_rule_book(visit: Visit, views: dict[str, str]) -> None:
    visit.go("#/season")
    rules = visit.page.locator(".constants li > p:first-child")
    told = rules.all_inner_texts()
    assert told
    assert all(re.fullmatch(r"[A-Z].+\.", text) for text in told)
    assert not any(re.search(r"_|undefined|NaN", text) for text in told)
    proposal = visit.page.locator(".proposal")
    expect(proposal.locator("del")).to_have_text(re.compile("adds 32 to"))
    expect(proposal.locator("ins")).to_have_text(re.compile("adds 40 to"))
    expect(proposal).to_contain_text("Whom it concerns: Matches that are accepted from then on")


# --- for everybody ------------------------------------------------------------------------------


def axe() -> str:
    """The checker's script."""
    paths = [folder / "axe-core" / "axe.min.js" for folder in node_modules_dirs()]
    return next(path.read_text("utf-8") for path in paths if path.is_file())


@pytest.fixture(scope="module")
def unguarded(browser: Browser) -> Iterator[Page]:
    """A tab in which a test's own script may run beside the page's."""
    context = browser.new_context(reduced_motion="reduce", bypass_csp=True)
    context.set_default_timeout(PATIENCE_MS)
    context.add_init_script(PATIENT_PAGE)
    page = context.new_page()
    page.add_init_script(SHIFTS)
    yield page
    context.close()


def faults(page: Page, *rules: str) -> list[tuple[str, Any, str]]:
    """What the checker finds, by all its rules or by these.

    Without fetching every stylesheet and sound again first: that serves one rule, about sounds that
    play by themselves, and there are none.
    """
    assert page.locator("audio, video").count() == 0
    told = page.evaluate(
        """rules => axe.run(document, {
          resultTypes: ["violations"],
          preload: false,
          ...(rules.length && { runOnly: { type: "rule", values: rules } }),
        })""",
        list(rules),
    )
    return [
        (fault["id"], node["target"], node["failureSummary"])
        for fault in told["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view or "home")
def test_every_view_can_be_read_by_everybody(
    unguarded: Page, world: Spectacle, views: dict[str, str], view: str
) -> None:
    """On a screen and on a phone by all rules; in other colours by those that colours can break."""
    script, page = axe(), unguarded
    for screen in (WIDE, NARROW):
        page.set_viewport_size(screen)
        page.goto("about:blank")  # else the hash alone would change, and nothing be loaded
        page.goto(f"{world.url}/{views[view]}")
        expect(page.locator("main .view:not([aria-busy])")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.shifted") <= MOST_SHIFT, screen
        assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"], screen
        page.evaluate(script)
        assert faults(page) == [], screen
        if screen is WIDE:
            page.emulate_media(color_scheme="dark")
            assert faults(page, *RULES_OF_COLOUR) == [], "dark"
            page.emulate_media(color_scheme="light", forced_colors="active")
            assert faults(page, *RULES_OF_COLOUR) == [], "forced colours"
            page.emulate_media(forced_colors="none")


def test_no_tab_breaks_inside_its_word(visit: Visit) -> None:
    visit.page.set_viewport_size(NARROW)
    visit.go("#/beasts")
    words = visit.page.locator("#nav span")
    lines = words.evaluate_all("all => all.map((e) => e.getClientRects().length)")
    assert lines == [1] * 6
    edges = words.evaluate_all(
        "all => all.flatMap((e) => [e.offsetLeft, e.offsetLeft + e.offsetWidth])"
    )
    assert edges == sorted(edges), "two tabs overlap"
    assert edges[0] >= 0
    assert edges[-1] <= NARROW["width"]
