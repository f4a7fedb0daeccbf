"""A match in a real Chromium: first fought here, then recorded, played, supposed and compared.

Each test is a chapter of one world's story, in this order.
"""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from scripts.lib.spectacle import Spectacle
from tests.browser.conftest import Visit

SCREENS = ((1280, 720), (390, 844), (360, 740))
LONG_NAMES = """
names => {
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    for (const [i, name] of names.entries())
      text.data = text.data.replaceAll(name, `Quilshawyn (${"AB"[i]})`);
  }
}
"""
"""Gives both the longest name that the page reads out of a DNA, told apart as two of one name."""

HEAR_TURNS = """
window.said = [];
const heard = new Map();
const regions = () => [...document.querySelectorAll('[role=status], [aria-live]')];
const listen = () => {
  const now = regions().filter((e) => e.textContent !== (heard.get(e) ?? ''));
  for (const e of now) heard.set(e, e.textContent);
  return now.map((e) => e.textContent).filter((text) => text.includes('Turn '));
};
listen();
new MutationObserver(() => window.said.push(...listen())).observe(
  document.body, { childList: true, characterData: true, subtree: true });
"""
"""How the chain stands may be read out meanwhile, or with a turn: it is no part of the match."""

PAUSE = """() => {
  const found = [[...window.said], location.href];
  document.body.dispatchEvent(new KeyboardEvent("keydown", { key: " ", bubbles: true }));
  return found;
}"""
"""What was read out until then, and the address."""

COUNT_WORKERS = """
window.workers = { begun: 0, ended: 0 };
window.Worker = class extends Worker {
  constructor(...given) {
    super(...given);
    window.workers.begun += 1;
  }
  terminate() {
    super.terminate();
    window.workers.ended += 1;
  }
};
"""


@pytest.fixture(scope="module")
def beasts(world: Spectacle) -> tuple[int, int]:
    """Two beasts with final windows, of the owner's and the rival's."""
    ours, theirs = world.hatch(world.owner), world.hatch(world.rival)
    world.train(world.owner, ours, 2)
    world.train(world.rival, theirs, 1)
    world.settle((world.owner, ours), (world.rival, theirs))
    return ours, theirs


@pytest.fixture(scope="module")
def match(world: Spectacle, beasts: tuple[int, int]) -> int:
    """A match that is agreed on, and of which nobody has drawn the seed."""
    number = int(world.owner.do("battle", "challenge", *beasts, "--yes")["match"])
    world.rival.do("battle", "accept", number, "--yes")
    world.catch_up()
    return number


def hidden_moves(page: Page) -> int:
    return page.locator(".moves li[hidden]").count()


def test_a_match_is_fought_here_before_anybody_has_recorded_it(
    visit: Visit, world: Spectacle, match: int
) -> None:
    page = visit.page
    visit.go(f"#/battles/{match}")
    seal = page.locator("#seal")
    expect(seal).to_have_attribute("data-verdict", "premiere")
    expect(seal.locator(".checks li")).to_have_count(2)
    # It begins at the first turn, and nobody knows the end yet.
    expect(page.locator("#story")).to_contain_text("Turn 1 of this match")
    assert hidden_moves(page) > 0
    expect(page.locator("#whatif")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    scrub = page.get_by_role("slider", name="Turn")
    expect(scrub).to_have_value("2")

    # Who records it comes to the same; the reader stays in the turn that is shown.
    world.owner.do("battle", "record", match)
    expect(seal).to_have_attribute("data-verdict", "verified")
    expect(page.locator(".record .chip")).to_have_text("recorded")
    expect(scrub).to_have_value("2")
    assert hidden_moves(page) > 0
    page.keyboard.press("End")
    expect(page.locator("#story")).to_have_text(re.compile(r"wins after|draw after"))
    assert hidden_moves(page) == 0


def bottom(page: Page, selector: str) -> float:
    """Where an element ends, in the screen's pixels."""
    return float(page.locator(selector).evaluate("e => e.getBoundingClientRect().bottom"))


@pytest.mark.parametrize("size", SCREENS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_board_controls_and_moves_are_in_the_first_screen(
    visit: Visit, match: int, size: tuple[int, int]
) -> None:
    page = visit.page
    width, height = size
    page.set_viewport_size({"width": width, "height": height})
    visit.go(f"#/battles/{match}?turn=4")
    expect(page.locator("#seal")).to_have_attribute("data-verdict", "verified")
    menu = visit.box(page.locator("nav"))
    end = menu["y"] if menu["y"] > height / 2 else height  # on a phone the menu is at the foot
    lengths = [len(text) for text in page.locator(".moves li").all_text_contents()]
    visit.go(f"#/battles/{match}?turn={lengths.index(max(lengths))}")  # it has the most lines
    expect(page.locator(".moves li").nth(lengths.index(max(lengths)))).to_have_class("current")
    names = page.locator(".bout-title h1 a").all_inner_texts()
    page.evaluate(LONG_NAMES, [name.strip() for name in names])
    page.locator(".moves").evaluate("moves => { moves.scrollTop = moves.scrollHeight; }")
    for part in (".board canvas", ".controls", "#scrub", ".moves .current"):
        assert bottom(page, part) <= end, (part, bottom(page, part), max(lengths))
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("scrollY") == 0


def test_keys_lead_through_a_match_and_little_is_read_out(visit: Visit, match: int) -> None:
    page = visit.page
    page.emulate_media(reduced_motion="no-preference")
    visit.go(f"#/battles/{match}")
    scrub = page.get_by_role("slider", name="Turn")
    read_out = visit.keep_what_shows("#announcer")
    expect(page.locator(".keys")).to_contain_text("Home and End")
    last = str(scrub.get_attribute("max"))
    keys = ["End", "Home", "ArrowRight", "ArrowLeft", "ArrowRight", "ArrowRight"]
    for key, turn in zip(keys, [last, *"01012"], strict=True):  # to rest where it was not before
        page.keyboard.press(key)
        expect(scrub).to_have_value(turn)
    for filled in (1, 0):
        page.keyboard.press("f")
        expect(page.locator(".stage:fullscreen")).to_have_count(filled)

    page.locator("nav a").first.focus()
    for key in ("Home", "f", "ArrowRight"):
        page.keyboard.press(key)
    expect(scrub).to_have_value("2")
    expect(page.locator(".stage:fullscreen")).to_have_count(0)
    page.get_by_role("button", name="One turn on").focus()
    for key, turn in (("Home", "0"), ("ArrowRight", "1"), ("ArrowRight", "2")):
        page.keyboard.press(key)
        expect(scrub).to_have_value(turn)
    page.evaluate("document.activeElement.blur()")

    address = page.url
    rests = page.locator("#story").inner_text()
    visit.wait_until("where it rests is read out", lambda: any(rests in one for one in read_out()))
    page.evaluate(HEAR_TURNS)
    paused_at = visit.act_at_turn(5, PAUSE)
    page.keyboard.press("Space")
    said, where = paused_at()
    assert said == []
    assert where == address  # it is written when the replay rests
    visit.wait_until("the turn is read out", lambda: page.evaluate("window.said.length"))
    paused = page.locator("#story").inner_text()
    (told,) = page.evaluate("window.said")
    assert paused in told
    assert page.url.endswith(f"?turn={scrub.input_value()}")

    page.locator(".moves button").nth(6).click()
    expect(scrub).to_have_value("6")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy a link").click()
    expect(page.locator(".controls .hint")).to_have_text("The link is copied.")
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    assert page.url.endswith(f"#/battles/{match}?turn=6")


def test_what_if_goes_elsewhere_and_back(visit: Visit, match: int) -> None:
    page = visit.page
    visit.go(f"#/battles/{match}?turn=2")
    expect(page.locator(".mind")).to_have_count(2)
    expect(page.locator(".mind .sight")).to_have_count(2)
    truth = page.locator(".moves li").last.inner_text()
    supposing = page.locator("#whatif")
    supposing.locator("summary").click()
    thinks = supposing.locator("fieldset").last.locator("select")
    expect(thinks.first.locator("option")).to_have_count(3 + 2)
    expect(thinks.last.locator("option")).to_have_count(3 + 1)
    thinks.first.select_option(label="as after window 0")
    thinks.last.select_option(label="as it hatched")
    supposing.get_by_label("strikes with").fill("15")
    page.get_by_role("button", name="See what would happen").click()
    told = page.locator("div.supposed")
    expect(told).to_contain_text("From turn 3 on:")
    expect(told).to_contain_text("thinks as it hatched")
    expect(told).to_contain_text(f"In truth: {truth}")
    expect(page.locator(".moves li.supposed").first).to_be_attached()
    assert page.locator(".graph .former").count() == 2
    page.keyboard.press("End")
    assert page.url.endswith("?turn=2")  # no address of what never was
    told.get_by_role("button", name="Back to the match").click()
    expect(told).to_be_hidden()
    expect(page.locator(".moves li").last).to_have_text(truth)
    expect(page.get_by_role("slider", name="Turn")).to_have_value("2")


def test_who_leaves_a_match_that_is_being_verified_is_not_taken_back(
    visit: Visit, match: int
) -> None:
    page = visit.page
    held: list[Route] = []
    page.route("**/v1/states/*/weights", lambda route: held.append(route))
    page.goto(f"{visit.url}/#/battles/{match}")
    visit.wait_until("the states are asked for", lambda: len(held) == 2)
    page.evaluate("location.hash = '#/season'")
    expect(page.locator(".view.season:not([aria-busy])")).to_be_visible()
    for route in held:
        route.continue_()
    page.wait_for_load_state("networkidle")
    assert page.url.endswith("#/season")
    page.reload()
    expect(page.locator(".view.season:not([aria-busy])")).to_be_visible()


def test_a_match_can_stand_alone(visit: Visit, match: int) -> None:
    page = visit.page
    page.set_viewport_size({"width": 640, "height": 400})
    visit.go(f"#/embed/battles/{match}?turn=3")
    expect(page.locator("#seal")).to_have_attribute("data-verdict", "verified")
    for frame in ("nav", "#status", "footer", ".record"):
        expect(page.locator(frame)).to_be_hidden()
    assert bottom(page, ".board canvas") <= 400
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile(rf"#/embed/battles/{match}\?turn=4$"))
    whole = page.get_by_role("link", name="The whole story")
    assert whole.get_attribute("href") == f"#/battles/{match}"


def test_beasts_are_compared_and_fight_in_a_worker(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], match: int
) -> None:
    page = visit.page
    page.add_init_script(COUNT_WORKERS)
    visit.go(f"#/battles/{match}")
    page.get_by_role("link", name="compare them").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side")
    assert page.url.endswith(f"#/compare/{beasts[0]},{beasts[1]}")
    expect(page.locator(".compared-curves figure")).to_have_attribute("data-points", "2")
    expect(page.locator(".differing .tile")).to_have_count(64)
    expect(page.locator(".disagreement [role=status]")).to_contain_text("They would do the same on")
    before = page.locator(".differing").get_attribute("aria-label")
    page.get_by_role("combobox", name="Enemy on").select_option(label="a1")
    expect(page.locator(".differing")).not_to_have_attribute("aria-label", str(before))
    page.get_by_role("combobox", name="Look at").select_option(label="c3")
    expect(page.locator(".on-tile li")).to_have_count(2)
    first = page.locator(".compared li").first
    expect(first.locator("svg.portrait")).to_be_visible()
    expect(first.locator("dt")).to_have_count(9)

    contest = page.locator(".contest")
    expect(contest.get_by_role("status")).to_contain_text("20 bouts fought")
    expect(contest.locator("tbody td b").first).to_contain_text("%")
    fight = contest.get_by_role("button", name="Fight 200 bouts")
    # In one breath, or the bouts may be over: the focus is on Cancel as soon as they begin.
    fight.evaluate("fight => { fight.click(); document.activeElement.click(); }")
    expect(contest.get_by_role("status")).to_contain_text("Cancelled after")
    fight.click()
    expect(contest.get_by_role("status")).to_contain_text("200 bouts fought")
    expect(contest.get_by_role("progressbar")).to_have_js_property("value", 200)
    shown = contest.locator("tbody tr").first.locator("td").nth(1).inner_text()
    told = world.owner.do(
        "battle", "gauntlet", beasts[0], "--against", beasts[1], "--seeds", 100, "--first", 1
    )
    (mine,) = [one for one in told["standings"] if one["beast"] == beasts[0]]
    assert shown == f"{mine['won']} – {mine['drawn']} – {mine['lost']}"

    visit.expects("status of 404")
    begun = page.evaluate("workers.begun")
    fight.evaluate("fight => { fight.click(); location.hash = '#/compare/1,999'; }")
    assert page.evaluate("workers.begun") == begun + 1
    visit.wait_until("nobody fights for a reader who has left", lambda: not page.workers)
    assert page.evaluate("workers.begun === workers.ended")
    expect(page.get_by_role("alert")).to_contain_text("There is no beast 999.")
    visit.go("#/compare/1,x")
    expect(page.get_by_role("alert")).to_contain_text("Name two to 6 beasts")
    visit.go(f"#/compare/{beasts[0]}")  # as a beast's own view leads here
    page.get_by_role("button", name=f"№ {beasts[1]}:").click()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Side by side")
