"""What each route says about a chain with beasts, disputes, matches and a proposal."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from sqlalchemy import func, select

from chainbeasts.backend.battle.logs import parse_peers
from chainbeasts.backend.chain.openings import RecordsOpening
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.kernel.merkle import root
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import (
    State,
    deserialize_weights,
    hash_header,
    state_hash,
    weights_root,
)
from chainbeasts.backend.kernel.tables import KERNEL_ID
from chainbeasts.backend.store.facts import BlockRow, EventRow
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.state_files import unpack
from chainbeasts.backend.store.words import word_key
from tests.api.conftest import LIE_STEP, Scene, Served, services_of, serving, spell, word_of
from tests.support.patience import PATIENCE
from tests.support.protocol import ETHER

DIGEST = "0x" + "ab" * 32


def test_the_status_names_the_chain_and_how_far_it_has_been_read(
    scene: Scene, served: Served
) -> None:
    found = served.json("/v1/status")
    block = scene.chain.block(found["indexed"]["number"])
    assert found["indexed"] == {
        "number": block.number, "hash": spell(block.hash), "time": block.timestamp,
    }  # fmt: skip
    assert found["kernel_id"] == spell(KERNEL_ID)
    assert found["genesis"] == scene.chain.deployment.genesis
    assert found["addresses"]["Arena"] == scene.world.arena.address
    assert found["counts"] == {
        "beasts": 11, "checkpoints": 22, "pending": 13, "disputes": 5, "open_disputes": 3,
        "matches": 1,
    }  # fmt: skip


def test_the_status_names_the_kernel_of_the_contracts(
    scene: Scene, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.chain.deployment, "kernel_id", DIGEST)
    assert served.json("/v1/status")["kernel_id"] == DIGEST


def test_a_beast_tells_where_its_training_stands(scene: Scene, served: Served) -> None:
    beast = scene.honest
    found = served.json(f"/v1/beasts/{beast.beast}")
    windows = [window.checkpoint for window in beast.windows]
    assert found["owner"] == beast.trainer
    assert found["dna"] == spell(beast.dna)
    assert found["head"] == spell(windows[-1].payload.h128)
    assert (found["head_count"], found["final_count"], found["pending_count"]) == (3, 2, 1)
    assert int(found["energy_spent"]) == sum(one.payload.energyBurn for one in windows)
    assert int(found["energy_locked"]) == windows[-1].locked
    assert found["last_loss"] == windows[-1].payload.windowLoss / 128
    assert found["private"] is False
    on_chain = scene.world.head(beast.beast)
    assert (found["epoch"], found["season"]) == (on_chain.epoch, on_chain.season)


def test_every_beast_stands_where_the_ledger_says(scene: Scene, served: Served) -> None:
    beasts = served.all("/v1/beasts", 4)
    assert {found["epoch"] for found in beasts} == {0, 1}
    for found in beasts:
        head = scene.world.head(found["id"])
        assert (found["head"], found["head_count"], found["final_count"]) == (
            spell(head.h128), head.headCount, head.finalCount,
        )  # fmt: skip
        assert (found["epoch"], found["season"]) == (head.epoch, head.season)
        assert found["active_mask"] == head.activeMask


def test_a_beast_says_what_going_on_costs_and_what_is_locked_until_when(
    scene: Scene, served: Served
) -> None:
    beast, head = scene.honest.beast, scene.world.head(scene.honest.beast)
    found = served.json(f"/v1/beasts/{beast}/price")
    burn, bond = scene.chain.quote(beast, head.activeMask)
    assert (int(found["price"]), int(found["bond"]), found["growth"]) == (burn, bond, "0")
    assert (found["first"], found["windows"]) == (head.headCount, 1)
    assert (found["energy_price"], found["coin_price"], found["coin_lock"]) == ("0", None, None)
    terms, last = scene.chain.season(1).economics, scene.honest.windows[-1].checkpoint
    latest = terms.challenge_period + terms.response_window + terms.proof_window
    assert (found["locked_seconds"], found["locked_seconds_most"]) == (
        terms.challenge_period, latest,
    )  # fmt: skip
    assert found["pending"] == {
        "windows": 1, "energy": str(last.locked),
        "first_at": last.submittedAt + terms.challenge_period,
        "last_at": last.submittedAt + terms.challenge_period,
        "last_at_most": last.submittedAt + latest,
    }  # fmt: skip
    for served_beast in served.all("/v1/beasts", 4):  # one that can grow still: most can
        beast, head = served_beast["id"], scene.world.head(served_beast["id"])
        if head.activeMask != 0xFF:
            break
    found, terms = (
        served.json(f"/v1/beasts/{beast}/price"),
        scene.chain.season(head.season).economics,
    )
    burn = int(found["price"])
    assert burn == scene.chain.quote(beast, head.activeMask)[0]
    sleeping = next(bit for bit in range(8) if not head.activeMask >> bit & 1)
    slot = f"{'sa'[sleeping // 4]}{sleeping % 4}"
    at = head.headCount + 1
    plan = served.json(f"/v1/beasts/{beast}/price?windows=3&grow={slot}%40{at}")
    grown, _ = scene.chain.quote(beast, head.activeMask | 1 << sleeping)
    assert int(plan["growth"]) == terms.growth_cost
    assert int(plan["price"]) == burn + 2 * grown - terms.growth_cost
    assert plan["gas"] > found["gas"] > 50_000
    awake = next(bit for bit in range(8) if head.activeMask >> bit & 1)
    known = f"{'sa'[awake // 4]}{awake % 4}"
    refused = served.get(f"/v1/beasts/{beast}/price?windows=3&grow={known}%40{at}")
    assert (refused.status_code, refused.json()["detail"]) == (
        422, f"{known}@{at}: {known} is awake already.",
    )  # fmt: skip
    for path, status in ((f"{beast}/price?windows=0", 422), (f"{beast}/price?grow=x", 422),
                         ("99/price", 404)):  # fmt: skip
        assert served.get(f"/v1/beasts/{path}").status_code == status


def test_the_books_of_energy_are_the_contracts(scene: Scene, served: Served) -> None:
    found, world = served.json("/v1/energy"), scene.world
    terms = scene.chain.season(scene.chain.current_season()).economics
    assert (found["price"], found["hatch_cost"]) == ("0", str(terms.hatch_cost))
    asked = int(world.beasts.functions.lastBeastId().call())
    assert int(found["burned_by_hatching"]) == asked * scene.chain.season(1).economics.hatch_cost
    burned = sum(scene.chain.burned_of(beast) for beast in range(1, asked + 1))
    assert int(found["burned_by_training"]) == burned > 0
    credited = sum(scene.chain.rewarded_of(fighter.beast) for fighter in scene.fighters)
    assert int(found["rewards"]) == credited > 0
    assert (found["sold"], found["proceeds"]) == ("0", "0")


def test_slashed_and_void_checkpoints_are_counted_and_shown(scene: Scene, served: Served) -> None:
    beast = scene.liar.beast
    found = served.json(f"/v1/beasts/{beast}")
    assert (found["slashed_count"], found["void_count"], found["head_count"]) == (1, 1, 1)
    assert found["head"] == spell(scene.liar.windows[0].checkpoint.payload.h128)
    items = served.all(f"/v1/beasts/{beast}/checkpoints")
    assert [(one["index"], one["state"]) for one in items] == [
        (2, "void"), (1, "slashed"), (0, "pending"),
    ]  # fmt: skip
    assert items[1]["dispute"] == 1


def test_a_checkpoint_has_every_field_of_its_record(scene: Scene, served: Served) -> None:
    (third, second, first) = served.all(f"/v1/beasts/{scene.honest.beast}/checkpoints")
    record = scene.honest.windows[1].checkpoint
    assert second["h128"] == spell(record.payload.h128)
    assert second["parent"] == first["h128"]
    assert second["source"] == "self_play"
    assert second["loss"] == record.payload.windowLoss / 128
    assert (second["energy_burn"], second["bond"]) == (
        str(record.payload.energyBurn), str(record.bond),
    )  # fmt: skip
    assert [one["state"] for one in (first, second, third)] == ["final", "final", "pending"]
    assert first["settled_block"] is not None
    period = scene.world.season.economics.challengePeriod
    assert third["final_from"] == third["submitted_at"] + period


def test_private_windows_are_unopened_and_disputed_ones_are_marked(
    scene: Scene, served: Served
) -> None:
    (private,) = served.all(f"/v1/beasts/{scene.secretive.beast}/checkpoints")
    (disputed,) = served.all(f"/v1/beasts/{scene.doubted.beast}/checkpoints")
    assert (private["openness"], private["source"]) == ("unopened", "private")
    beast = served.json(f"/v1/beasts/{scene.secretive.beast}")
    assert (beast["private"], beast["believed_since"]) == (True, None)  # it is still pending
    assert (disputed["openness"], disputed["state"], disputed["dispute"]) == (
        "replayable", "disputed", 2,
    )  # fmt: skip
    assert served.json(f"/v1/beasts/{scene.doubted.beast}")["disputed_count"] == 1


def test_a_curve_stands_for_all_live_windows(scene: Scene, served: Served) -> None:
    losses = [one.checkpoint.payload.windowLoss / 128 for one in scene.honest.windows]
    whole = served.json(f"/v1/beasts/{scene.honest.beast}/curve")
    assert (whole["loss"], whole["step"]) == (losses, [128, 256, 384])
    thin = served.json(f"/v1/beasts/{scene.honest.beast}/curve?points=2")
    assert thin["windows"] == 3
    assert thin["index"] == [1, 2]
    assert thin["low"] == [min(losses[:2]), losses[2]]
    assert served.json(f"/v1/beasts/{scene.liar.beast}/curve")["windows"] == 1


def test_the_portrait_is_the_one_of_the_token(scene: Scene, served: Served) -> None:
    for beast in range(1, 8):
        uri = scene.world.beasts.functions.tokenURI(beast).call()
        image = json.loads(base64.b64decode(uri.partition(",")[2]))["image"]
        drawn = base64.b64decode(image.partition(",")[2])
        answer = served.get(f"/v1/beasts/{beast}/portrait.svg")
        assert answer.content == drawn
        assert answer.headers["content-type"] == "image/svg+xml"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_dispute_tells_each_move_and_who_was_paid(scene: Scene, served: Served) -> None:
    found = served.json("/v1/disputes/1")
    who = scene.world.accounts
    moves = found["timeline"]
    assert [(move["kind"], move["opening"], move["by"]) for move in moves] == [
        ("filed", None, who[3]), ("opened", "segments", None), ("opened", "state", None),
        ("proofs", None, None), ("upheld", None, who[4]),
    ]  # fmt: skip
    filed, _, _, proofs, upheld = moves
    economics = scene.world.season.economics
    assert filed["deadline"] == filed["time"] + economics.responseWindow
    assert found["response_deadline"] == filed["deadline"]
    published = found["openings"][1]["published_at"]
    assert proofs["deadline"] == found["proof_deadline"] == published + economics.proofWindow
    assert found["head_start_end"] == published + economics.proofWindow // 4
    assert (found["status"], found["conviction"], found["bond_outcome"]) == (
        "upheld", "segment", "returned",
    )  # fmt: skip
    assert (found["segment"], found["steps"]) == (LIE_STEP // 8, [8, 15])
    assert found["segments"] == [spell(h) for h in scene.lie.segments]
    assert found["checkpoint"]["state"] == "slashed"
    slashing = found["slashing"]
    taken = sum(one.checkpoint.locked for one in scene.liar.windows[1:])
    assert (slashing["voided"], slashing["tx"]) == (1, upheld["tx"])
    assert (slashing["filer"], slashing["prover"], slashing["offender"]) == (
        who[3], who[4], who[2],
    )  # fmt: skip
    energy, stake = (
        {name: int(wei) for name, wei in slashing[coin].items()} for coin in ("energy", "stake")
    )
    locked = scene.lie.checkpoint.locked
    assert energy["taken"] == taken == energy["burned"] + energy["filing"] + energy["proof"]
    assert energy["filing"] == locked * economics.filingBps // 10_000
    assert energy["proof"] == locked * economics.proofBps // 10_000
    rest = stake["taken"] - stake["debts"]
    assert rest == stake["burned"] + stake["filing"] + stake["proof"]
    assert stake["filing"] == rest * economics.filingBps // 10_000
    assert stake["proof"] == rest * economics.proofBps // 10_000
    assert slashing["reward"] == "held"
    bond = int(found["opening_bond"]) + int(found["opening_surplus"])
    outcome = {name: int(wei) for name, wei in found["opening_outcome"].items()}
    assert outcome == {"returned": bond, "kept": 0, "burned": 0}


def test_silence_convicts_a_whole_window(scene: Scene, served: Served) -> None:
    found = served.json("/v1/disputes/5")
    assert (found["conviction"], found["segment"], found["steps"]) == ("timeout", None, None)
    assert [move["kind"] for move in found["timeline"]] == ["filed", "upheld"]
    assert found["missing"] == ["segments", "state"]
    assert [one["made"] for one in found["openings"]] == [False, False]
    assert found["slashing"]["filer"] == found["slashing"]["prover"] == found["filer"]
    assert (found["checkpoint"]["state"], found["slashing"]["voided"]) == ("slashed", 1)


def test_an_open_dispute_has_no_end_yet(scene: Scene, served: Served) -> None:
    found = served.json("/v1/disputes/2")
    assert (found["open"], found["slashing"], found["bond_outcome"]) == (True, None, "locked")
    assert (found["segments"], found["missing"]) == ([], ["segments"])
    assert (found["proof_deadline"], found["deadline"]) == (None, found["response_deadline"])
    assert [move["kind"] for move in found["timeline"]] == ["filed", "advanced"]
    advanced = found["timeline"][1]
    assert (found["steps_done"], advanced["steps_done"]) == (8, 8)
    # Nobody had committed to them.
    assert (advanced["by"], advanced["counted"]) == (scene.world.accounts[5], False)
    assert [one["id"] for one in served.all("/v1/disputes")] == [5, 4, 3, 2, 1]
    assert [one["id"] for one in served.all("/v1/disputes?open=true")] == [4, 3, 2]
    assert [one["id"] for one in served.all("/v1/disputes?open=false")] == [5, 1]
    assert [one["id"] for one in served.all(f"/v1/disputes?beast={scene.liar.beast}")] == [1]


def test_filings_over_an_open_dispute_are_counted_and_the_newest_told(
    scene: Scene, tmp_path: Path
) -> None:
    database = Database(f"sqlite:///{tmp_path}/again.sqlite3")
    Indexer(scene.chain, database).sync()
    services = services_of(scene.chain, database, tmp_path, follows=False)
    told: list[str] = []
    with serving(services) as served:
        before = served.json("/v1/disputes/2")
        with database.session() as session:
            (filed,) = session.scalars(
                select(EventRow).where(
                    EventRow.name == "DisputeFiled", EventRow.beast_id == before["beast"]
                )
            )
            tip = session.scalar(select(func.max(BlockRow.number)))
            topic = keccak(b"FilingIgnored(uint256,uint256,uint32,address)")
            for n, number in enumerate([2] * 20 + [3] * 7):
                about = (number, before["beast"], before["index"])
                told += [spell(n.to_bytes(32))] if number == 2 else []
                session.add(
                    EventRow(
                        block_number=tip,
                        log_index=1000 + n,
                        tx_hash=n.to_bytes(32),
                        address=filed.address,
                        data=(1).to_bytes(32),
                        topics=topic + b"".join(one.to_bytes(32) for one in about),
                        name="FilingIgnored",
                        beast_id=before["beast"],
                    )
                )
        after = served.json("/v1/disputes/2")
    database.close()
    assert (before["filed_again"], after["filed_again"]) == (0, 20)
    moves, again = after["timeline"][:-5], after["timeline"][-5:]
    assert moves == before["timeline"]
    assert [(move["kind"], move["tx"]) for move in again] == [
        ("filed_again", tx) for tx in told[-5:]
    ]


def test_a_private_window_is_replayable_once_its_dataset_is_public(
    scene: Scene, served: Served
) -> None:
    (window,) = served.all(f"/v1/beasts/{scene.revealed.beast}/checkpoints")
    assert (window["source"], window["openness"]) == ("private", "replayable")
    found = served.json("/v1/disputes/3")
    assert [(move["kind"], move["opening"]) for move in found["timeline"]] == [
        ("revealed", None), ("filed", None), ("opened", "segments"), ("opened", "records"),
        ("proofs", None),
    ]  # fmt: skip
    assert found["timeline"][-1]["deadline"] == found["deadline"] == found["proof_deadline"]


def test_openings_are_made_and_paid(scene: Scene, served: Served) -> None:
    (window,) = served.all(f"/v1/beasts/{scene.opened.beast}/checkpoints")
    assert (window["source"], window["openness"]) == ("private", "opened")
    found = served.json("/v1/disputes/4")
    assert (found["status"], found["missing"]) == ("opened", [])
    segments, records = found["openings"]
    assert [segments["opening"], records["opening"]] == ["segments", "records"]
    assert segments["made"]
    assert records["made"]
    assert (segments["published_at"], records["published_at"]) == (
        None, found["proof_deadline"] - scene.world.season.economics.proofWindow,
    )  # fmt: skip
    bond = scene.world.opening_bond(4)
    paid = sum(int(one["paid"]) for one in (segments, records))
    waiting = sum(int(one["waiting"]) for one in (segments, records))
    assert (paid, waiting) == (bond.paid, bond.waiting)
    assert paid + waiting > 0


def test_a_disputed_window_comes_with_what_it_is_computed_from(
    scene: Scene, served: Served
) -> None:
    for dispute, window in ((1, scene.lie), (2, scene.doubted.windows[0])):
        found = served.json(f"/v1/disputes/{dispute}/window")
        context = window.context
        assert found["dna"] == spell(context.dna)
        assert found["epoch_seed"] == spell(context.epoch_seed)
        assert found["heads"] == context.heads
        assert Rules(**found["rules"]) == context.rules
        assert found["opened"] is None
    found = served.json("/v1/disputes/4/window")
    context, opened = scene.opened.windows[0].context, found["opened"]
    opening = RecordsOpening(
        bytes.fromhex(opened["secret"][2:]),
        bytes(opened["order"]),
        tuple(int(word, 16) for word in opened["words"]),
        tuple(bytes.fromhex(sibling[2:]) for sibling in opened["siblings"]),
    )
    assert spell(keccak(opening.secret)) == opened["owner_secret_hash"]
    root_of_opening = opening.root(context.dna, opened["dataset_length"], found["index"])
    assert root_of_opening == context.records_root
    assert spell(root_of_opening) == opened["records_root"]


def test_what_is_at_risk_is_what_the_ledger_holds(scene: Scene, served: Served) -> None:
    found, trainee = served.json("/v1/disputes/2/risk"), scene.doubted
    record, economics = trainee.windows[0].checkpoint, scene.world.season.economics
    assert (found["trainer"], found["windows"]) == (trainee.trainer, 1)
    assert int(found["lock"]) == int(found["own_lock"]) == record.locked
    stake = scene.chain.stake_of(trainee.beast, trainee.trainer).amount
    assert (int(found["stake"]), int(found["debts"])) == (stake, 0)
    assert stake > 0
    shares = (found["filing_bps"], found["proof_bps"])
    assert shares == (economics.filingBps, economics.proofBps)
    opened = served.json("/v1/disputes/4/risk")
    assert int(opened["debts"]) == scene.world.opening_bond(4).paid
    ended = served.json("/v1/disputes/1/risk")
    assert {ended[name] for name in ("lock", "own_lock", "stake", "debts")} == {"0"}
    assert ended["windows"] == 0


def test_a_lineage_that_was_believed_is_marked(scene: Scene, served: Served) -> None:
    """Its private window became final unopened; nobody else can compute what grew from it."""
    beast = served.json(f"/v1/beasts/{scene.believed.beast}")
    assert beast["believed_since"] == 0
    assert beast["openness"] == {"replayable": 0, "opened": 0, "unopened": 2}
    second, first = served.all(f"/v1/beasts/{scene.believed.beast}/checkpoints")
    assert (first["source"], first["openness"]) == ("private", "unopened")
    assert (second["source"], second["openness"]) == ("curriculum", "unopened")
    honest = served.json(f"/v1/beasts/{scene.honest.beast}")
    assert (honest["believed_since"], honest["openness"]["replayable"]) == (None, 3)
    assert {one["believed_since"] for one in served.json("/v1/leaderboard")["items"]} == {None}


def test_a_bundle_is_served_if_there_is_one(scene: Scene, served: Served) -> None:
    missing = served.get("/v1/disputes/1/bundle")
    assert missing.status_code == 404
    assert "chainbeasts dispute bundle 1" in missing.json()["hint"]
    folder = served.services.bundles
    folder.mkdir(exist_ok=True)
    (folder / "dispute-1.zip").write_bytes(b"PK evidence")
    try:
        answer = served.get("/v1/disputes/1/bundle")
        assert (answer.content, answer.headers["content-type"]) == (
            b"PK evidence",
            "application/zip",
        )
        has = {"If-None-Match": answer.headers["etag"]}
        again = served.get("/v1/disputes/1/bundle", headers=has)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == answer.headers["etag"]
        assert served.json("/v1/disputes/1")["bundle"] is True
    finally:
        (folder / "dispute-1.zip").unlink()


def test_a_match_can_be_played_again_from_its_answer(scene: Scene, served: Served) -> None:
    found = served.json(f"/v1/matches/{scene.bout.number}")
    a, b = scene.fighters
    assert (found["beast_a"], found["beast_b"]) == (a.beast, b.beast)
    assert (found["dna_a"], found["dna_b"]) == (spell(a.dna), spell(b.dna))
    assert found["state_a"] == spell(state_hash(a.state))
    assert int(found["battle_seed"], 16) == scene.bout.seed
    assert found["log"] == [word_of(word) for word in scene.bout.played.words]
    assert found["log_root"] == spell(root([int(word, 16) for word in found["log"]]))
    assert (found["status"], found["turns"]) == ("final", len(found["log"]))
    assert found["result"] == ("a", "b", "draw")[scene.bout.truth.result]
    assert Rules(**found["rules"]).values() == tuple(scene.world.season.rules)
    (lie,) = found["disproofs"]
    assert (lie["lie"], lie["turn"]) == ("end", len(found["log"]) - 1)
    assert lie["challenger"] == scene.bout.challenger
    sent = scene.chain.w3.eth.get_transaction(lie["tx"])
    assert (sent["from"], sent["to"]) == (scene.bout.challenger, scene.world.arena.address)
    assert int(lie["reward"]) + int(lie["burned"]) == scene.world.season.arena.recordBond


def test_the_leaderboard_is_made_of_final_matches(scene: Scene, served: Served) -> None:
    board = served.json("/v1/leaderboard")
    assert board["matches"] == 1
    first, second = board["items"]
    winner, loser = scene.fighters if scene.bout.truth.result == 0 else scene.fighters[::-1]
    assert (first["beast"], first["rank"], first["won"], first["lost"]) == (winner.beast, 1, 1, 0)
    assert (second["beast"], second["rank"], second["won"], second["lost"]) == (
        loser.beast, 2, 0, 1,
    )  # fmt: skip
    assert first["rating"] > second["rating"]
    assert first["last_match"] == scene.bout.number
    assert served.all("/v1/leaderboard", 1) == board["items"]
    rating = served.json(f"/v1/beasts/{winner.beast}")["rating"]
    assert rating == {name: first[name] for name in rating}
    assert served.json(f"/v1/beasts/{scene.liar.beast}")["rating"] is None


def test_matches_are_listed_by_beast_and_by_status(scene: Scene, served: Served) -> None:
    number, beast = scene.bout.number, scene.fighters[1].beast
    assert [one["id"] for one in served.all("/v1/matches")] == [number]
    assert [one["id"] for one in served.all(f"/v1/matches?beast={beast}&status=final")] == [number]
    assert served.all("/v1/matches?status=recorded") == []
    assert served.all(f"/v1/matches?beast={scene.liar.beast}") == []


def test_seasons_and_what_is_proposed(scene: Scene, served: Served) -> None:
    (season,) = served.json("/v1/seasons")["items"]
    assert season["rules"]["block_gain"] == scene.world.season.rules.blockGain
    assert season["economics"]["base_cost"] == str(scene.world.season.economics.baseCost)
    current = served.json("/v1/season")
    (proposal,) = current["pending"]
    assert current["season"] == 1
    (call,) = proposal["calls"]
    assert (call["contract"], call["function"]) == ("SeasonRegistry", "addSeason")
    assert proposal["scheduled_by"] == scene.world.accounts[0]
    assert proposal["predecessor"] is None
    assert proposal["ready_at"] == proposal["scheduled"]["time"] + 3_600
    assert {(one["part"], one["name"], one["then"]) for one in call["changes"]} == {
        ("rules", "block_gain", "40"),
        ("economics", "base_cost", str(2 * ETHER // 1_000)),
    }


def test_a_state_can_be_verified_by_whoever_asks_for_it(scene: Scene, served: Served) -> None:
    state = scene.honest.windows[0].end
    digest = state_hash(state)
    head = served.json(f"/v1/states/{digest.hex()}")
    weights = served.get(f"/v1/states/{spell(digest)}/weights")
    assert len(weights.content) == head["weights_bytes"] == 33_792
    root = weights_root(deserialize_weights(weights.content))
    assert spell(root) == head["weights_root"]
    header = state.header
    assert (head["beast"], head["global_step"], head["parent"]) == (
        str(header.beast_id), header.global_step, spell(header.parent),
    )  # fmt: skip
    assert hash_header(header, root) == digest
    packed = served.get(f"/v1/snapshots/{digest.hex()}")
    found: State = unpack(packed.content, digest)
    assert (found.weights == deserialize_weights(weights.content)).all()
    for answer in (weights, packed):
        assert "immutable" in answer.headers["cache-control"]


def test_only_states_that_the_chain_knows_and_somebody_published(
    scene: Scene, served: Served
) -> None:
    unpublished = spell(scene.doubted.windows[0].checkpoint.payload.h128)
    for digest, said in ((DIGEST, "no checkpoint"), (unpublished, "no published state")):
        for route in ("snapshots/{}", "states/{}", "states/{}/weights"):
            answer = served.get(f"/v1/{route.format(digest)}")
            assert answer.status_code == 404
            assert said in answer.json()["detail"]


def test_words_of_matches_are_served_by_their_key(scene: Scene, served: Served) -> None:
    word = scene.bout.played.words[3].to_bytes(32)
    answer = served.get(f"/v1/words/{spell(keccak(word))}")
    assert (answer.content, len(answer.content)) == (word, 32)
    assert "immutable" in answer.headers["cache-control"]
    assert served.get(f"/v1/words/{DIGEST}").status_code == 404


def test_another_index_fetches_words_from_here(
    scene: Scene, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.backend.battle.logs.PEER_SECONDS", PATIENCE)
    words = set(scene.bout.played.words)
    keys = {word_key(word): word for word in words}
    peers = replace(parse_peers(f"{served.url}/"), seconds=PATIENCE)
    assert peers.fetch([*keys, bytes(32)]) == keys


@pytest.mark.parametrize(
    "path",
    ["beasts/99", "beasts/99/portrait.svg", "beasts/99/checkpoints", "beasts/99/curve",
     "beasts/99/changes",
     "disputes/99", "disputes/99/bundle", "matches/99", "beasts/0"],
)  # fmt: skip
def test_an_unknown_id_is_told_what_there_is(served: Served, path: str) -> None:
    answer = served.get(f"/v1/{path}")
    assert answer.status_code == 404
    found = answer.json()
    assert (found["code"], found["status"]) == ("not_found", 404)
    assert found["detail"].startswith("There is no ")
    assert "GET /v1/" in found["hint"]
