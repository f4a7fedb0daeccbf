"""What people see: each test is a chapter of one world's story, in this order."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Request, Route, WebSocketRoute, expect

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID
from chainbeasts.backend.chain.client import Chain, connect
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.chain.types import ZERO32
from scripts.lib.spectacle import LIE_STEP, Spectacle
from tests.browser.conftest import RETRIES, Visit
from tests.support.patience import PATIENCE, eventually

FIRST_LOAD_BYTES = 300_000
VIEWS = ("", "beasts", "battles", "disputes", "leaderboard", "season")
KEY_BYTES = 32
RAW = bytes.fromhex("12345678") + bytes(range(96))


@pytest.fixture(scope="module")
def beasts(world: Spectacle) -> tuple[int, int]:
    """A beast of the owner's and one of the rival's."""
    hatched = world.hatch(world.owner), world.hatch(world.rival)
    world.catch_up()
    return hatched


@pytest.fixture(scope="module")
def battle(world: Spectacle, beasts: tuple[int, int]) -> int:
    """A recorded match of the two, with trained states."""
    ours, theirs = beasts
    world.train(world.owner, ours, 2)
    world.train(world.rival, theirs, 2)
    world.settle((world.owner, ours), (world.rival, theirs))
    number = world.fight(ours, theirs)
    world.catch_up()
    return number


def test_an_empty_chain_says_what_to_do(visit: Visit) -> None:
    for view, command in (
        ("", "chainbeasts beast hatch"),
        ("beasts", "chainbeasts beast hatch"),
        ("battles", "chainbeasts battle challenge"),
        ("disputes", "chainbeasts validator run"),
        ("leaderboard", "chainbeasts battle record"),
        ("season", "chainbeasts season pending"),
    ):
        visit.go(f"#/{view}")
        expect(visit.page.locator(".notice")).to_contain_text(command)


def test_first_load_is_small_and_says_how_the_chain_stands(
    visit: Visit, beasts: tuple[int, int]
) -> None:
    finished: list[Request] = []
    visit.page.on("requestfinished", lambda request: finished.append(request))
    visit.go("")
    hatched = visit.page.locator(".event.birth")
    expect(hatched).to_have_count(len(beasts))
    expect(visit.page.locator("#status")).to_contain_text("in step with the chain")
    visit.page.wait_for_load_state("networkidle")
    # The status is asked for again and again: what finishes from here on is not the first load.
    load = list(finished)
    sizes = [request.sizes()["responseBodySize"] for request in load]
    answers = [request.response() for request in load]
    whole = [len(answer.body()) for answer in answers if answer is not None]
    print(f"first load: {sum(sizes)} bytes sent, {sum(whole)} unpacked, {len(whole)} answers")
    assert 0 < sum(whole) < FIRST_LOAD_BYTES


def test_what_happens_before_the_stream_is_open_is_shown(
    visit: Visit, beasts: tuple[int, int]
) -> None:
    """The first answers are older than the stream, as if a beast had hatched in between.

    However many times the page asks for the status before it asks for the beasts, it is told of
    the older block: no server has a list that is older than the block that it told of before.
    """
    listed: list[str] = []

    def status(route: Route) -> None:
        answer = route.fetch(max_retries=RETRIES).json()
        if not listed:
            answer["indexed"]["number"] = 1
        route.fulfill(json=answer)

    def some(route: Route) -> None:
        listed.append(route.request.url)
        answer = route.fetch(max_retries=RETRIES).json()
        route.fulfill(json=answer | {"items": answer["items"][:1]})

    visit.page.route("**/v1/status", status)
    visit.page.route("**/v1/beasts?*", some, times=1)
    visit.go("#/beasts")
    expect(visit.page.locator(".plate")).to_have_count(len(beasts))


def test_what_is_missed_while_the_stream_is_away_is_shown(
    visit: Visit, beasts: tuple[int, int]
) -> None:
    streams: list[WebSocketRoute] = []

    def relay(stream: WebSocketRoute) -> None:
        def pass_on(message: str | bytes) -> None:
            stream.send(message)
            streams.append(stream)

        stream.connect_to_server().on_message(pass_on)

    visit.page.route_web_socket("**/v1/events", relay)
    nothing = {"items": [], "next": None}
    visit.page.route("**/v1/beasts?*", lambda route: route.fulfill(json=nothing))
    visit.go("#/beasts")
    expect(visit.page.locator(".notice")).to_be_visible()
    visit.wait_until("the page is greeted", lambda: streams)
    visit.page.unroute("**/v1/beasts?*")
    streams[0].close()
    expect(visit.page.locator(".plate")).to_have_count(len(beasts))


def test_portraits_have_the_eyes_of_their_beasts(visit: Visit, beasts: tuple[int, int]) -> None:
    visit.go("#/beasts")
    shown = visit.page.locator(".plate").first.locator("svg.portrait circle")
    svg = visit.page.request.get(
        f"{visit.url}/v1/beasts/{beasts[0]}/portrait.svg", max_retries=RETRIES
    ).text()
    expect(shown).to_have_count(svg.count("<circle"))


def test_curves_move_while_a_trainer_runs(
    visit: Visit, world: Spectacle, beasts: tuple[int, int], battle: int
) -> None:
    visit.page.emulate_media(reduced_motion="no-preference")
    visit.go(f"#/beasts/{beasts[0]}")
    assert visit.page.evaluate("document.getAnimations().length") > 0
    visit.page.emulate_media(reduced_motion="reduce")  # what follows takes a while to be drawn
    losses = visit.page.locator(".learning figure").first
    expect(losses).to_have_attribute("data-points", "2")
    told = visit.keep_what_shows(".lamp")
    # What is told before that is past when it comes, and moves no lamp.
    expect(visit.page.locator(".lamp")).to_have_text("connected, nothing trains")
    world.train(world.owner, beasts[0], 3)
    visit.wait_until("figures come in", lambda: "live" in told())
    expect(losses).to_have_attribute("data-points", "5")
    expect(losses.locator("canvas")).to_be_visible()
    expect(visit.page.locator(".spine .bead")).to_have_count(5)
    expect(visit.page.locator(".windows .chip.pending")).to_have_count(3)


def test_a_battle_is_verified_and_played(visit: Visit, battle: int) -> None:
    visit.page.emulate_media(reduced_motion="no-preference")
    visit.go("#/battles")
    visit.page.get_by_role("link", name=re.compile(f"match {battle}$")).click()
    seal = visit.page.locator("#seal")
    expect(seal).to_have_attribute("data-verdict", "verified")
    expect(seal.locator(".checks li")).to_have_count(6)
    expect(visit.page.locator(".mind.acts .logits .chosen")).to_have_count(1)
    expect(visit.page.locator(".mind.waits .logits .chosen")).to_have_count(1)

    scrub = visit.page.get_by_role("slider", name="Turn")
    visit.page.keyboard.press("ArrowRight")
    expect(scrub).to_have_value("1")
    expect(visit.page).to_have_url(re.compile(rf"#/battles/{battle}\?turn=1$"))
    visit.page.reload()
    expect(scrub).to_have_value("1")
    visit.page.get_by_role("button", name="One turn back").click()
    expect(scrub).to_have_value("0")

    visit.page.get_by_role("button", name="Speed").click()
    pause = "() => document.querySelector('button[aria-label=Pause]').click()"
    paused = visit.act_at_turn(1, pause)
    visit.page.get_by_role("button", name="Play", exact=True).click()
    paused()
    expect(visit.page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    last = str(scrub.get_attribute("max"))
    scrub.fill(last)
    expect(visit.page.locator("#story")).to_have_text(re.compile(r"wins after|draw after"))


@contextmanager
def lied_to(
    database: Path, table: str, column: str, match: int, change: Callable[[Any], Any]
) -> Iterator[None]:
    """The server's database tells another record than the chain's for a while."""
    select = f"SELECT {column} FROM {table} WHERE match_id = ? AND {column} IS NOT NULL"
    update = f"UPDATE {table} SET {column} = ? WHERE match_id = ?"
    with sqlite3.connect(database, timeout=PATIENCE) as connection:
        (truth,) = eventually(lambda: connection.execute(select, (match,)).fetchone())
        connection.execute(update, (change(truth), match))
    try:
        yield
    finally:
        with sqlite3.connect(database, timeout=PATIENCE) as connection:
            connection.execute(update, (truth, match))


def turns_swapped(keys: bytes) -> bytes:
    """The log with its third and fourth word in each other's place."""
    at = [keys[i : i + KEY_BYTES] for i in range(0, len(keys), KEY_BYTES)]
    return b"".join([*at[:2], at[3], at[2], *at[4:]])


def draw_anew(tab: Visit, match: int) -> None:
    """Come to a match from elsewhere, so that nothing of what was drawn before is there."""
    tab.go("#/battles")
    expect(tab.page.locator("#seal")).to_have_count(0)
    tab.go(f"#/battles/{match}")


@pytest.mark.parametrize(
    ("column", "change", "difference"),
    [
        ("keys", turns_swapped, "The log differs in turn 2"),
        ("keys", lambda keys: keys[:-KEY_BYTES], "turns, the beasts' own play ends after"),
        ("turns", lambda turns: turns - 1, "The record says"),
        ("log_root", lambda root: bytes(reversed(root)), "The Merkle root of this match is"),
    ],
    ids=["swapped", "short", "turns", "root"],
)
def test_a_tampered_log_is_not_verified(
    tab: Visit,
    database: Path,
    battle: int,
    column: str,
    change: Callable[[Any], Any],
    difference: str,
) -> None:
    with lied_to(database, "match_records", column, battle, change):
        draw_anew(tab, battle)
        seal = tab.page.locator("#seal")
        expect(seal).to_have_attribute("data-verdict", "not verified")
        expect(seal.locator(".reason")).to_contain_text(difference)
        expect(seal).to_contain_text(f"chainbeasts battle replay {battle}")


def test_a_wrong_winner_is_not_verified(tab: Visit, database: Path, battle: int) -> None:
    with lied_to(database, "matches", "result", battle, lambda won: "b" if won == "a" else "a"):
        draw_anew(tab, battle)
        expect(tab.page.locator("#seal")).to_have_attribute("data-verdict", "not verified")
        expect(tab.page.locator(".reason")).to_contain_text("The record says that")


def test_a_state_that_nobody_serves_is_unavailable(
    visit: Visit, world: Spectacle, battle: int
) -> None:
    match = visit.page.request.get(f"{world.url}/v1/matches/{battle}", max_retries=RETRIES).json()
    held = list(world.stage.folder.rglob(f"*{match['state_b'][2:]}*"))
    places = [path for path in held if world.stage.host.home in path.parents]
    places += [path for path in held if world.stage.published in path.parents]
    kept = {path: path.read_bytes() for path in places}
    assert kept
    visit.expects("status of 404")
    for path in kept:
        path.unlink()
    try:
        visit.page.goto(f"{world.url}/#/battles/{battle}")
        seal = visit.page.locator("#seal")
        expect(seal).to_have_attribute("data-verdict", "unavailable")
        expect(seal).to_contain_text("The state that B fought with cannot be fetched")
        expect(visit.page.locator("#story")).to_contain_text("Turn 1 of")
    finally:
        for path, data in kept.items():
            path.write_bytes(data)


def test_final_matches_make_a_leaderboard(visit: Visit, world: Spectacle, battle: int) -> None:
    visit.go("#/leaderboard")
    expect(visit.page.locator(".notice")).to_be_visible()
    world.finish(battle)
    expect(visit.page.locator(".podium li")).to_have_count(2)
    expect(visit.page.locator("table .mention")).to_have_count(2)
    fits_a_phone(visit)
    visit.page.locator(".podium a").first.click()
    expect(visit.page.locator(".facts .figures")).to_contain_text("#1")
    expect(visit.page.locator(".ring .bout.final")).to_have_count(1)


def test_a_dispute_appears_and_ends_in_a_slash(visit: Visit, world: Spectacle) -> None:
    liar = world.hatch(world.rival)
    world.train(world.rival, liar)
    lie = world.cheat(liar)
    world.train(world.rival, liar)
    visit.go("#/disputes")
    expect(visit.page.locator(".notice")).to_be_visible()

    world.justice()
    case = visit.page.get_by_role("link", name="Case 1")
    expect(case).to_be_visible()
    case.dispatch_event("click")  # between a hand's two halves of it, the row may be made anew
    expect(visit.page.locator(".stamp")).to_have_text("upheld")
    expect(visit.page.locator(".strip .wrong")).to_contain_text(f"{LIE_STEP // 8}: wrong")
    expect(visit.page.locator(".timeline .filed .deadline")).to_be_visible()
    expect(visit.page.locator(".scales")).to_contain_text("1 later window fell with it")
    expect(visit.page.locator(".evidence code")).to_contain_text(
        "chainbeasts dispute verify-bundle"
    )

    visit.page.goto(f"{world.url}/#/beasts/{liar}")
    expect(visit.page.locator(".bead.slashed")).to_have_count(1)
    expect(visit.page.locator(".bead.void")).to_have_count(1)
    expect(visit.page.locator(".bead").nth(lie)).to_have_class(re.compile("slashed"))
    world.rest()


def test_seasons_on_the_way_are_shown(visit: Visit, world: Spectacle) -> None:
    visit.go("#/season")
    expect(visit.page.locator(".notice")).to_contain_text("Nothing is proposed")
    rules = visit.page.locator(".constants li > p:first-child")
    expect(rules.first).to_be_visible()
    told = rules.all_inner_texts()
    assert all(text.endswith(".") and "_" not in text for text in told), "a constant only named"
    world.stage.host.do("season", "propose", "--set", "block_gain=40")
    expect(visit.page.locator(".proposal")).to_contain_text("block_gain")
    schedule_by_hand(world)
    hidden = visit.page.locator(".proposal").nth(1)
    expect(hidden).to_contain_text("It calls Energy.transfer")
    expect(hidden).to_contain_text("1,000,000 ENERGY")
    expect(hidden.locator(".unknown")).to_contain_text("Unknown call")
    expect(hidden.locator(".unknown pre")).to_have_text(f"0x{RAW.hex()}")
    expect(hidden).to_contain_text("scheduled by")


def schedule_by_hand(world: Spectacle) -> None:
    """Something that no command of ours made: ENERGY given away, and bytes for a stranger."""
    host, url = world.stage.host, world.stage.rpc_url
    deployment = Deployment.load(host.home / "deployments", DEVNET_CHAIN_ID)
    chain = Chain(connect(url), url, deployment)
    thief = devnet_account(7).address
    given = chain.energy.encode_abi("transfer", args=[thief, 10**24])
    targets, data = [chain.energy.address, thief], [given, RAW]
    delay = chain.call(chain.timelock.functions.getMinDelay())
    call = chain.timelock.functions.scheduleBatch(targets, [0, 7], data, ZERO32, ZERO32, delay)
    sender = TransactionManager(chain, devnet_account(host.number), host.home / "locks")
    sender.send(call, label="schedule by hand")


def fits_a_phone(visit: Visit) -> None:
    """Nothing of the view is beside the screen, it has one heading, and keeps still if asked to."""
    visit.page.set_viewport_size({"width": 360, "height": 740})
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360, visit.page.url
    assert visit.page.locator("h1").count() == 1, visit.page.url
    assert visit.page.evaluate("document.getAnimations().length") == 0, visit.page.url
    nameless = visit.page.locator("button, a[href], input, canvas, svg[role=img]").evaluate_all(
        "all => all.filter(e => !(e.getAttribute('aria-label') || e.textContent"
        " || e.labels?.length) && !e.closest('[aria-hidden=true]')).map(e => e.outerHTML)"
    )
    assert nameless == []


def test_every_view_fits_a_phone_and_works_by_keyboard(
    visit: Visit, beasts: tuple[int, int], battle: int
) -> None:
    for view in (*VIEWS, f"beasts/{beasts[0]}", f"battles/{battle}"):
        visit.go(f"#/{view}")
        fits_a_phone(visit)
    visit.go("#/beasts")
    visit.page.locator("#nav a").nth(2).focus()
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Battles")
    expect(visit.page.locator("main")).to_be_focused()


def test_the_keyboard_alone_leads_from_home_to_a_replayed_turn(visit: Visit, battle: int) -> None:
    def tab_to(address: str) -> None:
        focused = "document.activeElement.getAttribute('href')"
        visit.wait_until(
            f"{address} is reached",
            lambda: visit.page.keyboard.press("Tab") or visit.page.evaluate(focused) == address,
        )

    visit.go("#/")
    tab_to("#/battles")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Battles")
    tab_to(f"#/battles/{battle}")
    visit.page.keyboard.press("Enter")
    expect(visit.page.locator("#seal")).to_have_attribute("data-verdict", "verified")
    visit.page.keyboard.press("ArrowRight")
    expect(visit.page.get_by_role("slider", name="Turn")).to_have_value("1")


def test_colours_follow_the_system_and_the_button(visit: Visit) -> None:
    def paper() -> str:
        shown = str(visit.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        drawn = visit.page.evaluate("import('/theme.js').then((theme) => theme.ink('paper'))")
        assert drawn == shown  # canvases have the page's colours
        return shown

    visit.page.emulate_media(color_scheme="light")
    visit.go("#/beasts")
    day = paper()
    visit.page.emulate_media(color_scheme="dark")
    night = paper()
    assert day != night
    button = visit.page.locator("#theme")
    button.click()
    assert paper() == day
    visit.page.reload()
    expect(button).to_have_attribute("aria-label", re.compile("light"))
    assert paper() == day
    button.click()
    assert paper() == night


def test_what_is_not_there_is_said_in_words(visit: Visit) -> None:
    visit.expects("status of 404")
    visit.go("#/beasts/999")
    expect(visit.page.get_by_role("alert")).to_contain_text("There is no beast 999.")
    visit.go("#/nowhere")
    expect(visit.page.get_by_role("alert")).to_contain_text("There is nothing at this address.")


def test_a_server_that_is_behind_says_by_how_much(visit: Visit) -> None:
    def late(route: Route) -> None:
        answer = route.fetch(max_retries=RETRIES).json()
        route.fulfill(json=answer | {"blocks_behind": 12, "seconds_behind": 150})

    visit.page.route("**/v1/status", late)
    visit.go("#/beasts")
    expect(visit.page.locator("#status .late").last).to_have_text("12 blocks behind (2 min 30 s)")


def test_no_answer_becomes_markup(visit: Visit) -> None:
    """A server that would run a script in the reader's browser only gets it shown."""
    visit.expects("status of 418")
    visit.go("#/beasts")
    attack = "<img src=x onerror=\"document.title='owned'\">"
    answer = {"detail": attack, "hint": attack}
    visit.page.route("**/v1/beasts/1", lambda route: route.fulfill(status=418, json=answer))
    visit.go("#/beasts/1")
    expect(visit.page.get_by_role("alert")).to_contain_text(attack)
    assert visit.page.locator("main img").count() == 0
