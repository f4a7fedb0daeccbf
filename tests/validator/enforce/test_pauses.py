"""A move that was mined and failed is paid for: it counts, and is not made again at once."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import SignedTransaction
from chainbeasts.backend.monitoring.health import Spent
from chainbeasts.backend.store.session import Database
from chainbeasts.validator.enforce import pauses
from chainbeasts.validator.enforce.bonds import MoveSender
from chainbeasts.validator.enforce.pauses import FIRST_SECONDS, PausedError, Pauses
from chainbeasts.validator.enforce.strategy import Action
from tests.chain.conftest import after_signed
from tests.validator.conftest import TRAINER, VALIDATOR, Rig

ME, OWNER = devnet_account(VALIDATOR).address, devnet_account(TRAINER).address


def go_on(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let time pass where pauses are looked at."""
    later = SimpleNamespace(monotonic=lambda: time.monotonic() + seconds, time=time.time)
    monkeypatch.setattr(pauses, "time", later)


def test_what_was_mined_and_failed_is_counted_and_made_again_after_a_while(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.fund(TRAINER, 1)
    database = Database(f"sqlite:///{tmp_path / 'moves.sqlite3'}")
    mover = MoveSender(database, Outbox(database, rig.sender(VALIDATOR)))
    energy, allowed = rig.chain.energy.functions, rig.chain.energy.functions.approve(ME, 1)
    take, before = energy.transferFrom(OWNER, ME, 1), rig.chain.energy_of(ME)

    def take_back(_: SignedTransaction) -> None:
        rig.send(TRAINER, energy.approve(ME, 0))

    with pytest.raises(Reverted) as refused:  # in the simulation, which costs nothing
        mover.send(Action.DISMISS, "1", take, unpaid=True)
    assert (refused.value.gas_used, mover.unpaid_gas()) == (0, 0)

    rig.send(TRAINER, allowed)
    with monkeypatch.context() as patch:
        after_signed(patch, mover.outbox, take_back)
        with pytest.raises(Reverted) as failed:
            mover.send(Action.DISMISS, "1", take, unpaid=True)
    lost = failed.value.gas_used
    assert lost > 21_000
    assert (mover.unpaid_gas(), mover.spent()) == (lost, {"dismiss": Spent(0, lost)})

    rig.send(TRAINER, allowed)
    with pytest.raises(PausedError, match="1 times so far"):
        mover.send(Action.DISMISS, "1", take, unpaid=True)
    go_on(monkeypatch, FIRST_SECONDS)
    assert mover.send(Action.DISMISS, "1", take, unpaid=True)
    assert mover.unpaid_gas() > lost + 21_000
    assert mover.spent()["dismiss"].moves == 1
    assert rig.chain.energy_of(ME) == before + 1
    database.close()


def test_each_failure_doubles_the_wait_and_a_success_ends_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, passed = Pauses(), 0.0

    def fail(gas: int) -> None:
        error = Reverted("Error", {"reason": "no"})
        error.gas_used = gas
        with pytest.raises(Reverted), found.before("one"):
            raise error

    fail(0)
    for wait in (30.0, 60.0, 120.0):
        fail(1)
        go_on(monkeypatch, passed + wait - 5.0)
        with pytest.raises(PausedError), found.before("one"):
            pytest.fail("it was made")
        with found.before("another"):
            pass
        passed += wait
        go_on(monkeypatch, passed)
    with found.before("one"):
        pass
    fail(1)
    go_on(monkeypatch, passed + 30.0)
    with found.before("one"):
        pass
