"""Every command by hand, and what it says to bad input: one sentence, and nothing changed."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select
from typer.testing import CliRunner

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.amounts import show_time
from chainbeasts.backend.chain.types import DisputeStatus
from chainbeasts.backend.cli.units import iso_time
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.store.daemons import IntentRow, JobRow
from chainbeasts.validator.cli.display import shown
from chainbeasts.validator.cli.dispute import app as dispute
from chainbeasts.validator.cli.validator import app as validator
from tests.validator.conftest import OTHER, TRAINER, VALIDATOR, Rig
from tests.validator.test_daemon import one_weight, write_dataset

Apps = {"dispute": dispute, "validator": validator}


def invoke(rig: Rig, noun: str, verb: str, *args: str, who: int | None = None) -> Any:
    common = ["--home", str(rig.home), "--rpc-url", rig.chain.rpc_url, "--json"]
    signer = [] if who is None else ["--account", f"devnet:{who}"]
    result = CliRunner().invoke(Apps[noun], [verb, *args, *common, *signer])
    structlog.reset_defaults()  # its logs went to a stream that is closed by now
    return result


def done(rig: Rig, noun: str, verb: str, *args: str, who: int | None = None) -> Any:
    """The JSON that a successful command prints."""
    result = invoke(rig, noun, verb, *args, who=who)
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def verified(rig: Rig, beast: int, window: int | None = None) -> Any:
    """What ``validator verify`` prints; it must fail exactly if something is not valid."""
    only = [] if window is None else ["--window", str(window)]
    result = invoke(rig, "validator", "verify", str(beast), *only)
    value = json.loads(result.stdout)
    rows = value if window is None else [value]
    assert (result.exception is None) == all(row["verdict"] == "valid" for row in rows)
    if result.exception is not None:
        assert isinstance(result.exception, ChainBeastsError), result.exception
    return value


def refused(rig: Rig, said: str, *args: str, who: int | None = VALIDATOR) -> None:
    """Assert that a command refuses with one sentence, sends nothing and records nothing."""
    before = (rig.chain.block().number, records(rig))
    result = invoke(rig, *args, who=who)  # type: ignore[arg-type]
    error = result.exception
    assert isinstance(error, ChainBeastsError), (error, result.output)
    assert said in str(error), str(error)
    assert "\n" not in str(error)
    assert (rig.chain.block().number, records(rig)) == before


def records(rig: Rig) -> list[tuple[Any, ...]]:
    """What daemons have on record."""
    with rig.workspace().database.session() as session:
        jobs = session.execute(select(JobRow.digest, JobRow.verdict, JobRow.attempts))
        intents = session.execute(select(IntentRow.kind, IntentRow.key, IntentRow.state))
        return [tuple(row) for row in (*jobs, *intents)]


def test_a_dispute_by_hand_from_filing_to_proof(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(128, one_weight))  # so late that its effect is its own
    at = (str(beast), "0")
    assert verified(rig, beast, 0)["verdict"] == "invalid"
    refused(rig, "no terminal to ask on", "dispute", "file", *at)
    filed = done(rig, "dispute", "file", *at, "--yes", who=VALIDATOR)
    assert (filed["dispute"], filed["verdict"], rig.disputes) == (1, "invalid", 1)
    refused(rig, "are not opened", "dispute", "prove", "1")
    refused(rig, show_time(rig.chain.dispute(1).response_deadline), "dispute", "claim", "1")
    refused(rig, "lacks an opening", "dispute", "dismiss", "1")
    refused(rig, "cannot defend it", "dispute", "open", "1", who=TRAINER)
    answer = rig.home / "segments.json"
    answer.write_text(json.dumps(["0x" + h.hex() for h in cheat.segments]))
    given = ("dispute", "open", "1", "--segments", str(answer))
    refused(rig, "trainer", *given, who=OTHER)
    assert done(rig, *given, who=TRAINER)["opened"] == ["segments"]
    refused(rig, "everything that it asked for", *given, who=TRAINER)
    refused(rig, show_time(rig.chain.dispute(1).proof_deadline), "dispute", "dismiss", "1")
    refused(rig, "is right", "dispute", "prove", "1", "--segment", "0")

    why = done(rig, "dispute", "explain", "1")
    assert (why["segment"], why["steps"]) == (15, "120-127")
    assert (why["cause"]["weight"], why["cause"]["last_step"]) == (100, 127)
    moved = done(rig, "dispute", "advance", "1", "--steps", "4", who=VALIDATOR)
    assert moved["steps_done"] == rig.chain.dispute(1).steps_done == 4
    assert [row["dispute"] for row in done(rig, "dispute", "list")] == [1]
    assert done(rig, "dispute", "prove", "1", who=VALIDATOR)["segment"] == 15
    assert not rig.live(beast, cheat)
    assert done(rig, "dispute", "list") == []
    assert done(rig, "dispute", "show", "1")["conviction"] == "segment"
    got = done(rig, "dispute", "collect", who=VALIDATOR)
    assert (int(got["energy"]) > 0, int(got["native"]) > 0, got["held"]) == (True, True, [])
    assert rig.chain.credit_of(devnet_account(VALIDATOR).address) == 0
    again = done(rig, "dispute", "collect", who=VALIDATOR)
    assert (again["energy"], again["native"], again["transactions"]) == ("0", "0", 0)
    explained = done(rig, "dispute", "explain", "1")
    assert explained["cause"]["weight"] == explained["differs_most"]["weight"] == 100
    refused(rig, "has ended", "dispute", "claim", "1")
    refused(rig, "not on its chain", "dispute", "file", *at, "--yes")


def test_a_silent_or_wrong_side_by_hand(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    at = (str(beast), "0")
    refused(rig, "No contradiction", "dispute", "challenge-header", *at)
    assert verified(rig, beast, 0)["verdict"] == "valid"
    done(rig, "dispute", "file", *at, "--yes", who=VALIDATOR)
    refused(rig, "open over this checkpoint", "dispute", "file", *at, "--yes")
    assert done(rig, "dispute", "open", "1", who=TRAINER)["dispute"] == 1
    refused(rig, "nothing to prove", "dispute", "prove", "1")
    assert done(rig, "dispute", "explain", "1")["segment"] is None
    rig.travel(31)
    refused(rig, "no terminal to ask on", "dispute", "dismiss", "1", who=VALIDATOR)
    done(rig, "dispute", "dismiss", "1", who=OTHER)
    assert rig.chain.dispute(1).status is DisputeStatus.DISMISSED
    second = rig.train(beast, honest, window_loss=3)
    done(rig, "dispute", "challenge-header", str(beast), "1", who=OTHER)
    assert not rig.live(beast, second)
    rig.finalize(beast, honest)  # now nothing below the convicted window can fall any more
    trainer = devnet_account(TRAINER).address
    rig.send(OTHER, rig.chain.vault.functions.settleReward(beast, trainer))
    third = rig.train(beast, honest)
    done(rig, "dispute", "file", str(beast), "1", "--yes", who=VALIDATOR)
    rig.travel(16)
    late = show_time(rig.chain.dispute(2).response_deadline)
    refused(rig, late, "dispute", "open", "2", who=TRAINER)
    done(rig, "dispute", "claim", "2", who=OTHER)
    assert not rig.live(beast, third)


def test_a_private_dispute_may_reveal_the_dataset(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    rig.train(beast, source=Source.PRIVATE, tamper=(5, one_weight))
    filing = ("dispute", "file", str(beast), "0", "--yes")
    folder = rig.home / "found"
    write_dataset(rig, beast, folder)
    bad, secret = folder / "bad", str(folder / "else.hex")
    bad.write_bytes(b"not it")
    refused(rig, "was committed", *filing, "--dataset", str(bad), "--secret-file", secret)
    good = str(folder / "anything")
    refused(rig, "go together", *filing, "--dataset", good)
    refused(rig, "secret is not", *filing, "--dataset", good, "--secret-file", good)
    missing = str(folder / "missing")
    refused(rig, "cannot be read", *filing, "--dataset", missing, "--secret-file", secret)
    done(rig, *filing, "--dataset", good, "--secret-file", secret, who=VALIDATOR)
    assert verified(rig, beast, 0)["verdict"] == "invalid"


def test_verify_replays_the_history_from_genesis_to_head(rig: Rig) -> None:
    beast = rig.hatch()
    first = rig.train(beast, publish=False)
    second = rig.train(beast, first, publish=False)
    rows = verified(rig, beast)
    assert [(row["checkpoint"], row["verdict"]) for row in rows] == [(0, "valid"), (1, "valid")]
    assert [row["replayed"] for row in rows] == [row["h128"] for row in rows]
    assert records(rig) == []
    third = rig.train(beast, second, tamper=(9, one_weight))
    rig.train(beast, third)
    before = rig.chain.block().number
    rows = verified(rig, beast)
    assert [row["verdict"] for row in rows] == ["valid", "valid", "invalid", "falls"]
    assert "falls with checkpoint 2" in rows[3]["reason"]
    result = invoke(rig, "validator", "verify", str(beast))
    said = f"Checkpoint 2 of beast {beast} is invalid and 1 later one falls with it."
    assert said in str(result.exception)
    assert (records(rig), rig.chain.block().number) == ([], before)


def test_verify_says_what_it_could_not_judge(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(4)])
    rig.train(beast, source=Source.PRIVATE, publish=False)
    assert [row["verdict"] for row in verified(rig, beast)] == ["unavailable"]
    result = invoke(rig, "validator", "verify", str(beast))
    assert "1 of beast" in str(result.exception)
    assert "could not be judged" in str(result.exception)


def test_a_deployment_of_another_kernel_is_refused(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chainbeasts.backend.chain.kernel_check.KERNEL_ID", bytes(32))
    refused(rig, "runs kernel", "validator", "run", "--once")


def test_bad_input(rig: Rig, tmp_path: Path) -> None:
    beast = rig.hatch()
    rig.train(beast)
    refused(
        rig, "has no checkpoint 7", "validator", "verify", str(beast), "--window", "7", who=None
    )
    refused(rig, "has no standing checkpoint", "validator", "verify", "99", who=None)
    refused(rig, "has no checkpoint 0", "dispute", "file", "99", "0")
    refused(rig, "no dispute 5", "dispute", "show", "5", who=None)
    refused(rig, "no dispute 5", "dispute", "explain", "5", who=None)
    for verb in ("open", "prove", "advance", "claim", "dismiss", "next"):
        refused(rig, "no dispute 5", "dispute", verb, "5")
    refused(rig, "No account", "dispute", "file", str(beast), "0", who=None)
    refused(rig, "No account", "validator", "run", "--once", who=None)
    refused(rig, "not a folder", "validator", "run", "--snapshots", str(tmp_path / "no"))
    refused(rig, "--max-bonds", "validator", "run", "--once", "--max-bonds", "many")
    for option in ("--open-budget", "--energy-budget", "--energy-price"):
        refused(rig, option, "validator", "run", "--once", option, "many")
    held = rig.chain.energy_of(devnet_account(OTHER).address)
    rig.send(OTHER, rig.chain.energy.functions.transfer(devnet_account(VALIDATOR).address, held))
    refused(rig, "has 0 ENERGY", "dispute", "file", str(beast), "0", "--yes", who=OTHER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        refused(rig, f"Port {port}", "validator", "run", "--once", "--health-port", port)
    away = CliRunner().invoke(
        validator, ["status", "--home", str(rig.home), "--rpc-url", "http://127.0.0.1:9"]
    )
    assert isinstance(away.exception, ChainBeastsError)
    assert "No node answers" in str(away.exception)


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '["0x12"]', "[" + '"zz",' * 15 + '"zz"]'])
def test_a_file_that_is_no_response_is_refused(tmp_path: Path, text: str) -> None:
    from chainbeasts.validator.cli.openings import read_segments

    path = tmp_path / "segments.json"
    path.write_text(text)
    with pytest.raises(ChainBeastsError, match="16 hashes"):
        read_segments(path)


def test_run_once_without_an_account_only_watches(rig: Rig) -> None:
    beast = rig.hatch()
    rig.train(beast, tamper=(1, one_weight))
    block = rig.chain.block().number
    shown = done(rig, "validator", "run", "--once", "--dry-run", "--workers", "0")
    assert shown["verdicts"] == {"invalid": 1}
    assert shown["jobs"][0]["beast"] == beast
    assert rig.chain.block().number == block
    assert done(rig, "validator", "status")["verdicts"] == {"invalid": 1}


def test_next_says_what_is_due_and_does_it_on_yes(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    done(rig, "dispute", "file", str(beast), "0", "--yes", who=VALIDATOR)
    due = done(rig, "dispute", "next", "1", who=VALIDATOR)
    assert (due["move"], due["done"]) == ("open", False)
    assert due["until"] == iso_time(rig.chain.dispute(1).response_deadline)
    assert devnet_account(TRAINER).address in due["by"]
    refused(rig, "no terminal to ask on", "dispute", "next", "1", who=TRAINER)
    rig.open_segments(beast, cheat)
    waiting = done(rig, "dispute", "next", "1", who=OTHER)  # in another's head start
    assert (waiting["move"], waiting["by"]) == ("prove", devnet_account(VALIDATOR).address)
    refused(rig, "no terminal to ask on", "dispute", "next", "1")
    proved = done(rig, "dispute", "next", "1", "--yes", who=VALIDATOR)
    assert (proved["move"], proved["done"]) == ("prove", True)
    assert proved["gas"] > 1_000_000
    assert not rig.live(beast, cheat)
    assert done(rig, "dispute", "next", "1", who=OTHER)["move"] == "none"


def test_next_says_when_a_right_window_falls_or_may_be_freed(rig: Rig) -> None:
    for _ in range(2):
        beast = rig.hatch()
        rig.train(beast)
        done(rig, "dispute", "file", str(beast), "0", "--yes", who=VALIDATOR)
    done(rig, "dispute", "open", "1", who=TRAINER)
    freed = invoke(rig, "dispute", "next", "1", "--yes", who=TRAINER)
    due = json.loads(freed.stdout)
    assert (due["move"], due["done"]) == ("dismiss", False)
    assert show_time(rig.chain.dispute(1).proof_deadline + 1) in due["why"]
    rig.travel(31)
    late = done(rig, "dispute", "next", "2", who=TRAINER)  # not the trainer's to ask for
    assert (late["move"], late["done"]) == ("claim-timeout", False)


def test_people_read_amounts_and_times_not_wei_and_seconds() -> None:
    value = {
        "bond": 5 * 10**17,
        "opening_bond": 13 * 10**14,
        "until": 1_769_860_800,
        "proof_deadline": 0,
        "missing": ["state"],
    }
    assert shown(value) == {
        "bond": "0.5 ENERGY",
        "opening_bond": "0.0013 native coin",
        "until": "2026-01-31 12:00:00 UTC",
        "proof_deadline": "never",
        "missing": "state",
    }


def test_dismissing_ones_own_dispute_says_what_still_wins(
    rig: Rig, capsys: pytest.CaptureFixture[str]
) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    done(rig, "dispute", "file", str(beast), "0", "--yes", who=VALIDATOR)
    rig.open_segments(beast, cheat)
    rig.travel(31)
    result = invoke(rig, "dispute", "dismiss", "1", who=VALIDATOR)
    assert "no terminal to ask on" in str(result.exception)
    assert "chainbeasts dispute advance 1" in result.output + capsys.readouterr().err
    assert rig.live(beast, cheat)
    assert rig.chain.dispute(1).status is DisputeStatus.OPENED
    done(rig, "dispute", "next", "1", "--yes", who=VALIDATOR)  # begins to re-execute
    assert rig.chain.dispute(1).steps_done > 0 or not rig.live(beast, cheat)
