"""Lists that are searched, sorted and filtered; what happened, accounts, prices, many states."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from chainbeasts.backend.chain.costs import HATCH_GAS
from chainbeasts.backend.chain.prices import stake_price, window_price
from chainbeasts.backend.indexer.tallies import MICRO
from chainbeasts.backend.kernel.state import ENCODED_BYTES, decode_state, encode_state, state_hash
from chainbeasts.backend.nicknames import nickname
from tests.api.conftest import Scene, Served, spell
from tests.support.training import Trainee


def ids(items: list[Any]) -> list[int]:
    return [one["id"] for one in items]


def back_and_forth(served: Served, path: str, limit: int) -> None:
    """A list's pages are the same from its end to its beginning."""
    mark = "&" if "?" in path else "?"
    pages, cursor = [], None
    while True:
        page = served.json(f"{path}{mark}limit={limit}" + (f"&cursor={cursor}" if cursor else ""))
        pages.append(page)
        cursor = page["next"]
        if cursor is None:
            break
    assert len(pages) > 1
    assert pages[0]["previous"] is None
    for before, after in pairwise(pages):
        found = served.json(f"{path}{mark}limit={limit}&cursor={after['previous']}")
        assert found["items"] == before["items"]
        assert found["previous"] is None or len(before["items"]) == limit


def test_beasts_are_sorted_and_read_both_ways(served: Served) -> None:
    beasts = served.all("/v1/beasts", 200)
    spent = {
        beast: sum(
            int(one["energy_burn"]) // MICRO
            for one in served.all(f"/v1/beasts/{beast}/checkpoints")
        )
        for beast in ids(beasts)
    }
    orders = {
        "id": lambda one: (one["id"],),
        "newest": lambda one: (-one["hatched_block"], -one["id"]),
        "windows": lambda one: (-one["head_count"], -one["id"]),
        "energy": lambda one: (-spent[one["id"]], -one["id"]),
    }
    for name, key in orders.items():
        assert ids(served.all(f"/v1/beasts?sort={name}", 3)) == ids(sorted(beasts, key=key)), name
        back_and_forth(served, f"/v1/beasts?sort={name}", 3)
    rated = served.all("/v1/beasts?sort=rating", 1)
    assert ids(rated) == [one["beast"] for one in served.json("/v1/leaderboard")["items"]]
    back_and_forth(served, "/v1/beasts?sort=rating", 1)


def test_beasts_are_found_by_what_they_are_called(scene: Scene, served: Served) -> None:
    beasts, liar = served.all("/v1/beasts", 200), scene.liar
    name = nickname(liar.dna)
    mine = served.json(f"/v1/beasts/{liar.beast}")
    assert mine["name"] == name
    for begin in (1, 3, len(name)):
        for q in (name[:begin], name[:begin].upper()):
            expected = [one["id"] for one in beasts if one["name"].startswith(name[:begin])]
            assert ids(served.all(f"/v1/beasts?q={q}", 50)) == expected
    owner = liar.trainer
    his = [one["id"] for one in beasts if one["owner"] == owner]
    for q in (owner[:4], owner, owner.lower()):
        assert ids(served.all(f"/v1/beasts?q={q}", 50)) == his
    assert ids(served.all(f"/v1/beasts?owner={owner.lower()}&sort=newest", 2)) == his[::-1]
    slashed = spell(scene.lie.checkpoint.payload.h128)
    for q in (str(liar.beast), spell(liar.dna), spell(liar.dna)[:11], slashed, slashed[:14]):
        assert ids(served.all(f"/v1/beasts?q={q}", 50)) == [liar.beast]
    assert ids(served.all(f"/v1/beasts?q={liar.beast}&owner={scene.world.accounts[7]}", 50)) == []
    for q in ("zzzz", "9" * 66, "0x" + "0" * 63, "0x" + "ee" * 31 + "e"):
        assert served.json(f"/v1/beasts?q={q}") == {"next": None, "previous": None, "items": []}


def test_a_cursor_of_another_order_is_refused(served: Served) -> None:
    cursor = served.json("/v1/beasts?sort=windows&limit=1")["next"]
    assert served.get(f"/v1/beasts?cursor={cursor}").status_code == 422
    assert served.get(f"/v1/beasts?sort=windows&cursor={cursor}").status_code == 200


def test_checkpoints_are_listed_as_they_were_submitted(scene: Scene, served: Served) -> None:
    every = served.all("/v1/checkpoints", 200)
    places = [one["block"] for one in every]
    assert places == sorted(places, reverse=True)
    assert len(every) == served.json("/v1/status")["counts"]["checkpoints"]
    for state in ("pending", "disputed", "proven", "final", "slashed", "void"):
        expected = [one for one in every if one["state"] == state]
        assert served.all(f"/v1/checkpoints?state={state}", 3) == expected
    assert {one["state"] for one in every} >= {"pending", "disputed", "final", "slashed", "void"}
    for source in ("curriculum", "self_play", "private", "battle"):
        expected = [one for one in every if one["source"] == source]
        assert served.all(f"/v1/checkpoints?source={source}", 3) == expected
        both = [one for one in expected if one["state"] == "final"]
        assert served.all(f"/v1/checkpoints?source={source}&state=final", 3) == both
    beast = scene.liar.beast
    mine = [one for one in every if one["beast"] == beast]
    assert served.all(f"/v1/checkpoints?beast={beast}", 2) == mine
    assert served.all(f"/v1/beasts/{beast}/checkpoints", 2) == mine
    assert {one["dna"] for one in mine} == {spell(scene.liar.dna)}
    back_and_forth(served, "/v1/checkpoints", 4)
    back_and_forth(served, f"/v1/checkpoints?beast={beast}", 2)


def test_what_happened_is_told_newest_first(scene: Scene, served: Served) -> None:
    found = served.all("/v1/activity", 7)
    places = [tuple(map(int, one["id"].split("-"))) for one in found]
    assert places == sorted(set(places), reverse=True)
    by_event: dict[str, list[Any]] = {}
    for one in found:
        by_event.setdefault(one["event"], []).append(one)
    counts = served.json("/v1/status")["counts"]
    assert len(by_event["CheckpointSubmitted"]) == counts["checkpoints"]
    assert len(by_event["Hatched"]) == counts["beasts"]
    assert "Transfer" not in by_event  # nothing changed hands but by hatching
    (filed,) = [one for one in by_event["DisputeFiled"] if one["dispute"] == 1]
    liar = scene.liar
    mention = {
        "id": liar.beast, "name": nickname(liar.dna), "dna": spell(liar.dna), "owner": liar.trainer,
    }  # fmt: skip
    assert filed["beasts"] == [mention]
    assert (filed["kind"], filed["index"]) == ("dispute", 1)
    assert filed["account"] == scene.world.accounts[3]
    bond = served.json("/v1/disputes/1")["bond"]
    assert filed["amounts"] == [{"name": "bond", "wei": bond, "coin": "energy"}]
    (final,) = by_event["MatchFinalized"]
    assert [one["id"] for one in final["beasts"]] == [one.beast for one in scene.fighters]
    back_and_forth(served, "/v1/activity?kind=dispute", 3)
    for kind in ("beast", "checkpoint", "dispute", "match", "season"):
        expected = [one for one in found if one["kind"] == kind]
        assert expected
        assert served.all(f"/v1/activity?kind={kind}", 5) == expected
    several = [one for one in found if one["kind"] in ("match", "season")]
    assert served.all("/v1/activity?kind=match&kind=season", 4) == several
    for beast in (liar.beast, scene.fighters[1].beast):
        expected = [one for one in found if beast in [his["id"] for his in one["beasts"]]]
        assert served.all(f"/v1/activity?beast={beast}", 5) == expected
    number = scene.bout.number
    expected = [one for one in found if one["match"] == number]
    assert served.all(f"/v1/activity?match={number}", 3) == expected
    who = scene.world.accounts[3]
    expected = [one for one in found if one["account"] == who]
    assert expected
    assert served.all(f"/v1/activity?account={who}", 3) == expected


def test_what_happened_since_is_all_that_comes_after(served: Served) -> None:
    found = served.json("/v1/activity?limit=30")
    mark = found["items"][12]["id"]
    since = served.json(f"/v1/activity?since={mark}&limit=200")
    assert since["items"] == found["items"][:12]
    assert (since["gap"], since["next"]) == (False, None)
    nothing = served.json(f"/v1/activity?since={found['newest']}")
    assert (nothing["items"], nothing["gap"]) == ([], False)
    assert served.json("/v1/activity?since=1-77")["gap"] is True


def test_an_account_shows_what_it_has_and_did(scene: Scene, served: Served) -> None:
    chain, who = scene.chain, scene.world.accounts
    for account in who[1:5]:
        found = served.json(f"/v1/accounts/{account.lower()}")
        assert found["account"] == account
        assert found["balances"] == {
            "coin": str(chain.coin_of(account)),
            "energy": str(chain.energy_of(account)),
            "escrow": str(chain.escrow_of(account)),
            "arena_escrow": str(chain.escrow_of(account, chain.arena)),
            "rewards": str(chain.rewards_of(account)),
        }
        assert int(found["credit"]) == chain.credit_of(account)
        mine = served.all(f"/v1/beasts?owner={account}&sort=newest", 50)
        assert ids(found["beasts"]) == sorted(ids(mine), reverse=True)
        for held in found["stakes"]:
            assert int(held["amount"]) == chain.stake_of(held["id"], account).amount
        assert found["disputes"] == served.all(f"/v1/disputes?filer={account}", 2)
        assert found["matches"] == served.all(f"/v1/matches?owner={account}", 2)
    filer, prover = (served.json(f"/v1/accounts/{who[n]}") for n in (3, 4))
    assert ids(filer["disputes"]) == [5, 4, 3, 2, 1]
    slashing = served.json("/v1/disputes/1")["slashing"]["stake"]
    for one, part in ((filer, "filing"), (prover, "proof")):
        held = [row for row in one["rewards"] if row["id"] == scene.liar.beast]
        assert [row[part] for row in held] == [slashing[part]]
        assert held[0]["offender"] == who[2]
    owner = served.json(f"/v1/accounts/{who[1]}")
    pending = [
        one for one in served.all("/v1/checkpoints", 200)
        if one["trainer"] == who[1] and one["state"] in ("pending", "disputed", "proven")
    ]  # fmt: skip
    assert owner["training"]["pending"] == len(pending)
    locked = sum(int(one["energy_burn"]) + int(one["bond"]) for one in pending)
    assert int(owner["training"]["locked"]) == locked
    due = [one for one in pending if one["final_from"] <= owner["time"]]
    assert owner["training"]["finalizable"] == len(due)
    stranger = served.json("/v1/accounts/0x" + "12" * 20)
    assert (stranger["beasts"], stranger["stakes"], stranger["credit"]) == ([], [], "0")
    for wrong in ("0x12", "12" * 20, "0x" + "g" * 40):
        assert served.get(f"/v1/accounts/{wrong}").status_code == 422


def test_stakes_and_rewards_that_are_left_out_are_counted(
    scene: Scene, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/accounts/{scene.world.accounts[1]}"
    whole = served.json(path)
    stakes = [one["id"] for one in whole["stakes"]]
    assert len(stakes) == whole["stake_count"] > 1
    filer = served.json(f"/v1/accounts/{scene.world.accounts[3]}")
    assert len(filer["rewards"]) == filer["reward_count"] > 0
    monkeypatch.setattr("chainbeasts.backend.api.holdings.MOST_STAKES", 1)
    cut = served.json(path)
    assert ([one["id"] for one in cut["stakes"]], cut["stake_count"]) == (stakes[:1], len(stakes))


def test_prices_are_what_the_contracts_ask_for(scene: Scene, served: Served) -> None:
    found = served.json("/v1/prices")
    economics = scene.chain.season(1).economics
    windows = {(one["sensors"], one["limbs"]): one for one in found["windows"]}
    assert len(windows) == 16
    for mask in (0x11, 0x37, 0xFF):
        slots = ((mask & 15).bit_count(), (mask >> 4).bit_count())
        assert int(windows[slots]["price"]) == window_price(economics, mask, mask)
    head = scene.world.head(scene.honest.beast)
    slots = ((head.activeMask & 15).bit_count(), (head.activeMask >> 4).bit_count())
    burn, bond = scene.chain.quote(scene.honest.beast, head.activeMask)
    assert (int(windows[slots]["price"]), int(windows[slots]["bond"])) == (burn, bond)
    assert found["hatch"] == {"energy": str(economics.hatch_cost), "coin": None, "gas": HATCH_GAS}
    assert int(found["record_bond"]) == scene.world.season.arena.recordBond
    fee = max(int(found["base_fee"]), scene.chain.limits().reference_fee)
    assert int(found["fee"]) == fee
    assert int(found["stake"]) == stake_price(economics, fee)


def test_many_states_come_in_one_answer(scene: Scene, served: Served) -> None:
    states = [window.end for window in scene.honest.windows]
    hashes = [state_hash(state) for state in states]
    answer = served.get("/v1/states?h=" + ",".join(spell(h) for h in (*hashes, hashes[0])))
    assert answer.headers["content-type"] == "application/vnd.chainbeasts.states"
    assert "immutable" in answer.headers["cache-control"]
    size = 32 + ENCODED_BYTES
    parts = [answer.content[i : i + size] for i in range(0, len(answer.content), size)]
    assert [part[:32] for part in parts] == hashes
    for part, state in zip(parts, states, strict=True):
        assert part[32:] == encode_state(state)
        assert state_hash(decode_state(part[32:])) == part[:32]
    unpublished = scene.doubted.windows[0].checkpoint.payload.h128
    asked = [hashes[1], unpublished, bytes(32), hashes[0]]
    answer = served.get("/v1/states?h=" + ",".join(h.hex() for h in asked))
    assert len(answer.content) == 2 * size
    assert answer.content[:32] == hashes[1]
    assert "immutable" not in answer.headers["cache-control"]
    most = [n.to_bytes(32) for n in range(64)]
    assert served.get("/v1/states?h=" + ",".join(map(spell, most))).content == b""
    for refused in ("", ",", "0x12", ",".join(["ab" * 32] * 65)):
        assert served.get(f"/v1/states?h={refused}").status_code in (414, 422)


def test_an_open_challenge_is_listed_until_it_is_closed(scene: Scene, served: Served) -> None:
    fighter, world = scene.fighters[0], scene.world
    assert served.json("/v1/open-challenges")["items"] == []
    state = state_hash(fighter.state)
    call = world.arena.functions.openChallenge(fighter.beast, fighter.checkpoint)
    receipt = world.send(call, fighter.owner)
    served.follow()
    (found,) = served.all("/v1/open-challenges")
    assert (found["id"], found["state"]) == (fighter.beast, spell(state))
    assert (found["name"], found["owner"]) == (nickname(fighter.dna), fighter.owner)
    assert found["since"]["block"] == receipt["blockNumber"]
    assert found["since"]["tx"] == spell(bytes(receipt["transactionHash"]))
    assert found["rating"] == served.json(f"/v1/beasts/{fighter.beast}")["rating"]
    world.send(world.arena.functions.closeChallenge(fighter.beast), fighter.owner)
    served.follow()
    assert served.json("/v1/open-challenges")["items"] == []


@pytest.mark.parametrize("number", ["+1", "01", "1_0", "１", "%201", "1.0", "0x1", "-1"])
def test_a_number_has_one_spelling(served: Served, number: str) -> None:
    for path in (
        "beasts/{}", "beasts/{}/curve", "disputes/{}", "matches/{}", "matches?beast={}",
        "disputes?beast={}", "checkpoints?beast={}", "activity?beast={}", "beasts?limit={}",
    ):  # fmt: skip
        answer = served.get("/v1/" + path.format(number.replace("+", "%2B")))
        assert answer.status_code == 422, path


def test_lists_of_contests_show_the_faces(scene: Scene, served: Served) -> None:
    (match,) = served.all("/v1/matches")
    a, b = scene.fighters
    assert (match["dna_a"], match["dna_b"]) == (spell(a.dna), spell(b.dna))
    trainees: list[Trainee] = [scene.liar, scene.doubted]
    faces = {one.beast: spell(one.dna) for one in trainees}
    for dispute in served.all("/v1/disputes"):
        expected = served.json(f"/v1/beasts/{dispute['beast']}")["dna"]
        assert dispute["dna"] == expected == faces.get(dispute["beast"], expected)
        assert served.json(f"/v1/disputes/{dispute['id']}")["dna"] == expected


def test_a_curve_names_epoch_source_rate_and_state(scene: Scene, served: Served) -> None:
    beast = scene.honest.beast
    found = served.json(f"/v1/beasts/{beast}/curve")
    every = served.all(f"/v1/beasts/{beast}/checkpoints", 50)[::-1]
    live = [one for one in every if one["state"] in ("pending", "final", "proven", "disputed")]
    for name in ("epoch", "source", "lr_shift"):
        assert found[name] == [one[name] for one in live]
    assert found["hash"] == [one["h128"] for one in live]


def test_the_changes_of_a_life_are_its_windows_without_what_is_between(
    scene: Scene, served: Served
) -> None:
    """Computed from the list of all windows, of beasts that learned, lied and were in court."""
    for trainee in (scene.honest, scene.liar, scene.doubted, scene.opened):
        found = served.json(f"/v1/beasts/{trainee.beast}/changes")
        every = served.all(f"/v1/beasts/{trainee.beast}/checkpoints", 50)
        every.sort(key=lambda one: (one["index"], one["generation"]))
        live = [one for one in every if one["state"] not in ("slashed", "void")]
        assert found["windows"] == len(live)
        nature = [(one["epoch"], one["source"], one["active_mask"]) for one in live]
        begins = [one for n, one in enumerate(live) if n == 0 or nature[n] != nature[n - 1]]
        shown = [
            one
            for one in every
            if one in begins or one == live[-1] or one not in live or one["dispute"] is not None
        ]
        for name in ("index", "generation", "dispute", "epoch", "source", "active_mask"):
            assert found[name] == [one[name] for one in shown], name
        assert found["step"] == [one["global_step"] for one in shown]
        fallen = [one["state"] if one["state"] in ("slashed", "void") else None for one in shown]
        assert fallen == [s if s in ("slashed", "void") else None for s in found["state"]]
