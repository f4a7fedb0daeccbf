"""What an operator decides: whose windows, at what risk, for whom; and what is never done."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from prometheus_client import generate_latest

import chainbeasts.validator.judge.replay
from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.types import ZERO32, DisputeStatus
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.names import Names
from chainbeasts.backend.settings import Settings
from chainbeasts.backend.store.daemons import JobRow
from chainbeasts.validator.daemon import Validator
from chainbeasts.validator.enforce import windows
from chainbeasts.validator.enforce.policy import Policy
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.judge.jobs import UNVERIFIED
from chainbeasts.validator.operations.deadlines import DeadlineAlarm
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.operations.timelock import TimelockAlarm, Waiting
from chainbeasts.validator.scope import EVERYBODY, Scope, parse_names
from chainbeasts.validator.setup import make_validator
from tests.support.forked import Program
from tests.validator.conftest import DEPLOYER, OTHER, QUIET, SHARES, TRAINER, VALIDATOR, Rig
from tests.validator.test_daemon import one_weight, wealth

ROOT = Path(__file__).parents[2]
RESPONSE_WINDOW, CHALLENGE_PERIOD = 15, 30


def daemon(rig: Rig, *, payout: str | None = None, **policy: Any) -> Validator:
    return make_validator(
        rig.workspace(),
        rig.sender(VALIDATOR),
        policy=Policy(**{"strategy": Strategy.FAST, **QUIET, **policy}),
        workers=0,
        monitor=ValidatorMetrics(),
        waker=Waker(rig.chain.rpc_url, 0.05),
        payout=payout,
    )


def test_a_right_checkpoint_whose_trainer_is_silent_is_proven(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    rig.file(OTHER, beast, honest)
    monkeypatch.setattr(windows, "LATE_SHARE", 0)
    daemon(rig, defend=True).run_once()
    assert rig.chain.dispute(1).status is DisputeStatus.FILED  # there is time to answer
    # Most of the response window, so that a slow machine has time left for re-executing it all.
    monkeypatch.setattr(windows, "LATE_SHARE", 1)
    rig.travel(1)
    daemon(rig).run_once()
    assert rig.chain.dispute(1).status is DisputeStatus.FILED
    daemon(rig, defend=True, defensive=True).run_once()
    assert rig.chain.standing(rig.chain.digest(beast, honest.checkpoint)).proven
    assert rig.live(beast, honest)


def test_a_right_checkpoint_with_a_wrong_response_is_proven(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    rig.file(OTHER, beast, honest)
    rig.open_segments(beast, honest, segments=[bytes(32), *honest.segments[1:]])
    daemon(rig).run_once()
    assert rig.chain.dispute(1).steps_done == 0  # it does not pay, and nobody asked for it
    daemon(rig, defend=True).run_once()
    assert rig.chain.standing(rig.chain.digest(beast, honest.checkpoint)).proven


def test_a_defensive_validator_files_nothing_but_ends_what_others_filed(rig: Rig) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    defensive = daemon(rig, defensive=True)
    defensive.run_once()
    assert rig.verdicts() == {(beast, 0): "invalid"}
    assert rig.disputes == 0
    rig.file(OTHER, beast, cheat)
    defensive.run_once()
    assert not rig.live(beast, cheat)


def test_lies_outside_the_scope_are_left_alone(rig: Rig) -> None:
    trainer = devnet_account(TRAINER).address
    first, second = rig.hatch(), rig.hatch()
    lies = {
        beast: rig.train(beast, tamper=(37, one_weight)).checkpoint for beast in (first, second)
    }
    for scope in (
        Scope(denied=frozenset({trainer})),
        Scope(allowed=frozenset({first, second, trainer}), denied=frozenset({trainer})),
        Scope(allowed=frozenset({devnet_account(OTHER).address, second + 1})),
    ):
        daemon(rig, scope=scope).run_once()
        assert rig.verdicts() == {}
    daemon(rig, scope=Scope(allowed=frozenset({second}))).run_once()
    assert rig.verdicts() == {(second, 0): "invalid"}
    assert rig.chain.is_live(first, lies[first])
    assert not rig.chain.is_live(second, lies[second])
    daemon(rig, scope=Scope(denied=frozenset({second}))).run_once()
    assert not rig.chain.is_live(first, lies[first])


def test_the_nearest_deadline_is_served_first(rig: Rig) -> None:
    first, second = rig.hatch(), rig.hatch()
    rig.train(second, tamper=(37, one_weight))
    rig.travel(5)
    rig.train(first, tamper=(37, one_weight))
    served: list[int] = []
    watching = daemon(rig, defensive=True)
    act = watching._enforcer._act

    def seen(file: Any) -> int:
        served.append(file.case.beast_id)
        return act(file)

    watching._enforcer._act = seen  # type: ignore[method-assign]
    watching.run_once()
    assert served[:2] == [second, first]


def test_names_of_a_scope(tmp_path: Path) -> None:
    trainer = devnet_account(TRAINER).address
    settings = Settings(home=tmp_path)
    names = Names(settings, lambda: True, dict)
    assert parse_names(["7", trainer.lower()], "--allow", names.resolve) == {7, trainer}
    assert parse_names([f"devnet:{TRAINER}"], "--allow", names.resolve) == {trainer}
    for wrong in ("-1", "0x12", "everybody", ""):
        with pytest.raises(ChainBeastsError, match=r"--deny: .*neither"):
            parse_names([wrong], "--deny", names.resolve)


def test_rewards_are_paid_out_elsewhere_and_bonds_come_back(rig: Rig) -> None:
    payout = devnet_account(7).address
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    before, there = wealth(rig, VALIDATOR), rig.chain.energy_of(payout)
    for _ in range(2):
        daemon(rig, payout=payout).run_once()
    share = (cheat.checkpoint.locked * SHARES) // 10_000
    assert abs(rig.chain.energy_of(payout) - there - share) <= 2
    assert wealth(rig, VALIDATOR) == before
    assert rig.chain.escrow_of(devnet_account(VALIDATOR).address) == 0
    daemon(rig).run_once()  # without a payout, nothing of it is collected again
    assert wealth(rig, VALIDATOR) == before


def test_a_window_without_a_verdict_is_told_of_ever_louder(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    secret = rig.train(beast, source=Source.PRIVATE, publish=False)
    watching = daemon(rig)

    def logged() -> list[tuple[str, str]]:
        with structlog.testing.capture_logs() as logs:
            watching.run_once()
            watching.run_once()
        wanted = ("no verdict yet", "unverified")
        return [(e["event"], e["log_level"]) for e in logs if e["event"] in wanted]

    assert logged() == []
    rig.travel(CHALLENGE_PERIOD // 2)
    assert logged() == [("no verdict yet", "warning")]
    rig.travel(CHALLENGE_PERIOD // 2 - 3)
    assert logged() == [("no verdict yet", "error")]
    rig.travel(CHALLENGE_PERIOD)
    rig.send(OTHER, rig.chain.ledger.functions.finalize(beast, [secret.checkpoint.to_abi()]))
    assert logged() == [("unverified", "error")]
    watching = daemon(rig)
    assert logged() == []
    assert rig.verdicts() == {(beast, 0): "unavailable"}
    with rig.workspace().database.session() as session:
        assert session.query(JobRow).one().reason.startswith(UNVERIFIED)
    workspace = rig.workspace()
    alarm = DeadlineAlarm(workspace.reader, EVERYBODY)
    assert (alarm.run(), alarm.unverified) == ([], 1)
    assert rig.disputes == 0


def test_what_waits_in_the_timelock_is_told_once_and_counted(rig: Rig) -> None:
    chain, functions = rig.chain, rig.chain.timelock.functions
    thief = devnet_account(OTHER).address
    season = chain.seasons.encode_abi("addSeason", args=[chain.season(1).to_abi()])
    mint = chain.energy.encode_abi("mint", args=[thief, 10**30])
    monitor = ValidatorMetrics()
    alarm = TimelockAlarm(chain, rig.workspace().database)

    def told() -> tuple[list[dict[str, Any]], Waiting]:
        rig.workspace().sync()
        with structlog.testing.capture_logs() as logs:
            waiting = alarm.run()
        monitor.governed(waiting.seasons, waiting.others)
        return [dict(entry) for entry in logs], waiting

    assert told() == ([], Waiting(0, 0))
    for target, data in ((chain.seasons, season), (chain.energy, mint)):
        call = functions.schedule(target.address, 0, data, ZERO32, ZERO32, 3600)
        rig.send(DEPLOYER, call)
    (proposed, hidden), waiting = told()
    assert waiting == Waiting(1, 1)
    assert (proposed["log_level"], hidden["log_level"]) == ("warning", "error")
    assert hidden["calls"] == [f"Energy.mint(to = {thief}, amount = 1,000,000,000,000 ENERGY)"]
    assert hidden["scheduled_by"] == devnet_account(DEPLOYER).address
    assert told() == ([], Waiting(1, 1))
    figures = generate_latest(monitor.registry)
    assert b'validator_timelock_operations{kind="other"} 1.0' in figures
    rig.send(DEPLOYER, functions.cancel(bytes.fromhex(hidden["operation"][2:])))
    assert told() == ([], Waiting(1, 0))
    pay = functions.schedule(thief, 10**15, b"", ZERO32, ZERO32, 3600)
    rig.send(DEPLOYER, pay)
    ((paying,), _) = told()
    assert paying["calls"] == [f"pays 0.001 native coin to {thief}"]


def test_a_fault_of_the_compiled_kernel_files_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    beast = rig.hatch()
    first = rig.train(beast)
    rig.train(beast, first)
    kernel_for = chainbeasts.validator.judge.replay.kernel_for

    class Faulty:
        def __init__(self, mask: int) -> None:
            self._kernel = kernel_for(mask)

        def run(self, ctx: Any, state: Any, *rest: Any) -> Any:
            done = self._kernel.run(ctx, state, *rest)
            one_weight(state)
            return done

    monkeypatch.setattr(chainbeasts.validator.judge.replay, "kernel_for", Faulty)
    daemon(rig).run_once()
    assert rig.disputes == 0
    assert rig.verdicts()[beast, 0] == "valid"
    assert "invalid" not in rig.verdicts().values()


def test_two_validators_on_one_fraud_file_once_and_lose_nothing(
    rig: Rig, program: Program, tmp_path: Path
) -> None:
    beast = rig.hatch()
    first = rig.train(beast)
    cheat = rig.train(beast, first, tamper=(37, one_weight))
    rig.fund(OTHER)
    others = tmp_path / "others"
    shutil.copytree(rig.home, others, ignore=shutil.ignore_patterns("*.sqlite3*", "locks"))
    before = [wealth(rig, who) for who in (VALIDATOR, OTHER)]
    commands = [
        [
            *("validator", "run", "--once", "--workers", "0"),
            *("--strategy", str(Strategy.FAST), "--home", str(home)),
            *("--rpc-url", rig.chain.rpc_url, "--account", f"devnet:{who}"),
        ]
        for home, who in ((rig.home, VALIDATOR), (others, OTHER))
    ]
    with ExitStack() as stack:
        processes = [stack.enter_context(program.begin(one, os.environ)) for one in commands]
        codes = [process.wait() for process in processes]
    said = "".join(process.err.read_text() for process in processes)
    assert codes == [0, 0], said
    assert "Traceback" not in said
    assert rig.disputes == 1
    assert not rig.live(beast, cheat)
    assert rig.live(beast, first)
    assert rig.verdicts()[beast, 0] == "valid"
    gains = [wealth(rig, who) - was for who, was in zip((VALIDATOR, OTHER), before, strict=True)]
    assert min(gains) >= 0
    locked, filing = cheat.checkpoint.locked, rig.chain.season(1).economics.filing_bps
    # Steps that both had committed to burn, and how many these are is chance; the filing is paid.
    assert locked * filing // 10_000 <= sum(gains) <= locked * SHARES // 10_000 + 2
