"""A dispute as people see it, from its filing to the slash, and its evidence offline."""

from __future__ import annotations

import base64
import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from chainbeasts.validator.evidence import archive
from scripts.lib.spectacle import LIE_STEP, Spectacle
from tests.browser.conftest import Visit

WRONG = LIE_STEP // 8
SEGMENTS = 16
PHONE = {"width": 320, "height": 640}


@pytest.fixture(scope="module")
def case(world: Spectacle) -> int:
    """A dispute over a window of which one weight was changed; nothing is opened yet."""
    liar = world.hatch(world.rival)
    world.train(world.rival, liar)
    index = world.cheat(liar)
    filed = world.validator.do("dispute", "file", liar, index, "--yes")
    world.catch_up()  # else the page asks for what its server does not know yet
    return int(filed["dispute"])


@pytest.fixture(scope="module")
def opened(world: Spectacle, case: int) -> int:
    """The same, once its trainer has opened everything."""
    world.rival.do("trainer", "defend", "--once", "--no-finalize")
    return case


@pytest.fixture(scope="module")
def bundle(world: Spectacle, opened: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its evidence."""
    path = tmp_path_factory.mktemp("evidence") / "case.zip"
    world.validator.do("dispute", "bundle", opened, "-o", path)
    return path


def segments(visit: Visit, kind: str) -> Locator:
    return visit.page.locator(f".strip .{kind}")


def fits_a_phone(visit: Visit) -> None:
    visit.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    wide = visit.page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"], visit.page.url


def test_an_unanswered_dispute_says_whose_move_it_is_and_what_is_at_risk(
    visit: Visit, world: Spectacle, case: int
) -> None:
    visit.go(f"#/disputes/{case}")
    page = visit.page
    expect(page.locator("#turn")).to_have_text("The trainer has to move")
    clock = page.locator(".turn .countdown")
    first = clock.text_content()
    assert first is not None
    assert "chain's clock" in first
    expect(clock).not_to_have_text(first)  # it ticks
    expect(page.locator(".openings .owed")).to_have_count(2)

    # Nobody has said a hash but the last: the browser knows the true ones, and only that differs.
    expect(segments(visit, "computed")).to_have_count(SEGMENTS - 1)
    expect(segments(visit, "wrong")).to_have_text([r"15: wrong, steps 120 to 127"])
    expect(page.locator(".wrong-steps")).to_contain_text("The claimed end")
    expect(page.locator(".weights tbody tr").first).to_be_visible()

    expect(page.locator(".money tbody tr").first).to_contain_text("goes back")
    page.get_by_label("Dismissed").check()
    expect(page.locator(".money tbody tr").first).to_contain_text("burned")
    expect(page.locator(".flow.burned")).not_to_have_count(0)
    fits_a_phone(visit)


def test_what_is_claimed_is_never_green(visit: Visit, opened: int) -> None:
    """Without the state that the window starts from nothing is computed, so nothing is agreed."""
    visit.expects("404")
    visit.page.route("**/v1/states/**", lambda route: route.fulfill(status=404, body="{}"))
    visit.go(f"#/disputes/{opened}")
    expect(visit.page.locator(".segments")).to_contain_text("It could not be computed here")
    expect(segments(visit, "claimed")).to_have_count(SEGMENTS)
    expect(segments(visit, "agreed")).to_have_count(0)
    expect(visit.page.locator(".verdict")).to_contain_text("proves nothing yet")


def names_the_lie(visit: Visit) -> None:
    """Segments agreed and wrong, the step, and the weight as claimed and as computed."""
    expect(segments(visit, "agreed")).to_have_count(WRONG)
    expect(segments(visit, "wrong")).to_contain_text(f"{WRONG}: wrong")
    expect(segments(visit, "after")).to_have_count(SEGMENTS - WRONG - 1)
    finding = visit.page.locator(".wrong-steps .finding")
    expect(finding).to_contain_text("instead of")
    said = re.match(r"Steps? (\d+)(?: to (\d+))?", finding.inner_text())
    assert said is not None, finding.inner_text()
    # Steps around it that leave the weight alone cannot be told from it: the page says all of them.
    assert int(said[1]) <= LIE_STEP <= int(said[2] or said[1]), said[0]
    row = visit.page.locator(".weights tbody tr")
    expect(row).to_have_count(1)
    expect(row).to_contain_text("+128")  # what a drill adds to a weight
    expect(visit.page.locator(".steps tbody tr")).to_have_count(8)
    expect(visit.page.locator("svg.position")).to_be_visible()


def test_evidence_is_verified_without_a_connection(visit: Visit, bundle: Path) -> None:
    members = archive.read(bundle)
    false = members[archive.MANIFEST].replace(b'"verdict":"invalid"', b'"verdict":"valid"')
    false = false.replace(b'"verdict": "invalid"', b'"verdict": "valid"')
    assert false != members[archive.MANIFEST]
    liar = bundle.with_name("false.zip")
    liar.write_bytes(archive.pack(members | {archive.MANIFEST: false}))
    junk = bundle.with_name("junk.zip")
    junk.write_bytes(b"nothing of the kind")

    visit.go("#/evidence")
    page = visit.page
    expect(page.get_by_text("Ready.")).to_be_visible()
    visit.expects("ERR_INTERNET_DISCONNECTED")
    page.context.set_offline(True)
    page.get_by_label("Drop an evidence bundle").set_input_files(bundle)
    expect(page.locator(".bundle-verdict.good")).to_contain_text("is wrong")
    names_the_lie(visit)
    fits_a_phone(visit)
    page.get_by_label("Drop an evidence bundle").set_input_files(liar)
    expect(page.locator(".bundle-verdict.bad")).to_contain_text("not as it claims: verdict")
    page.get_by_label("Drop an evidence bundle").set_input_files(junk)
    expect(page.locator(".notice")).to_contain_text("This is no evidence bundle")
    drop(visit, bundle)
    expect(page.locator(".bundle-verdict.good")).to_be_visible()


def test_of_two_files_only_the_last_one_is_spoken_of(
    visit: Visit, bundle: Path, tmp_path: Path
) -> None:
    junk = tmp_path / "junk.zip"
    junk.write_bytes(b"nothing of the kind")
    visit.go("#/evidence")
    zone = visit.page.get_by_label("Drop an evidence bundle")
    zone.set_input_files(bundle)
    zone.set_input_files(junk)  # while the first one is computed again
    expect(visit.page.locator(".notice")).to_contain_text("This is no evidence bundle")


def test_what_was_dropped_stays_while_the_chain_goes_on(
    visit: Visit, world: Spectacle, bundle: Path
) -> None:
    visit.go("#/evidence")
    page = visit.page
    page.get_by_label("Drop an evidence bundle").set_input_files(bundle)
    verdict, zone = page.locator(".bundle-verdict.good"), page.locator(".dropzone")
    expect(verdict).to_be_visible()
    zone.evaluate("element => (element.known = true)")
    for _ in range(2):  # what is told of the second beast is told after all that the first one did
        beast = world.hatch(world.owner)
        expect(page.locator("#status")).to_contain_text(f"{beast} beasts")
    assert zone.evaluate("element => element.known")
    expect(verdict).to_be_visible()


def drop(visit: Visit, path: Path) -> None:
    """Let go of a file over the page."""
    data = base64.b64encode(path.read_bytes()).decode()
    transfer = visit.page.evaluate_handle(
        """([data, name]) => {
            const transfer = new DataTransfer();
            const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [data, path.name],
    )
    visit.page.dispatch_event(".dropzone", "drop", {"dataTransfer": transfer})


def test_a_case_is_followed_to_its_slash(visit: Visit, world: Spectacle, opened: int) -> None:
    visit.go(f"#/disputes/{opened}")
    page = visit.page
    expect(page.locator("#turn")).to_have_text("Whoever doubts has to move")
    names_the_lie(visit)
    page.locator("#hashes summary").click()
    world.validator.do("dispute", "prove", opened)
    expect(page.locator(".stamp")).to_have_text("upheld")
    expect(page.locator(".turn")).to_have_count(0)
    expect(page.locator(".scales")).to_contain_text("What was slashed, and who was paid")
    expect(page.locator(".scales .flow.filer").first).to_be_attached()
    names_the_lie(visit)  # what was computed here stays, and is not computed again
    expect(page.locator("#hashes")).to_have_attribute("open", "")
    fits_a_phone(visit)
