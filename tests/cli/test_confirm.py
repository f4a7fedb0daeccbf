"""What is asked before something is signed: what burns, what is much, what cannot be undone."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chainbeasts.backend.cli import confirm as asking
from chainbeasts.backend.cli.confirm import Cost, confirm
from chainbeasts.backend.cli.session import Session
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings

ENERGY = COIN = 10**18
GWEI = 10**9


class Stage(Session):
    """A session whose chain asks 2 gwei for a gas."""

    chain = cast("Any", SimpleNamespace(
        read=lambda call: call(), w3=SimpleNamespace(eth=SimpleNamespace(gas_price=2 * GWEI))
    ))  # fmt: skip


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Stage(Settings(home=tmp_path), as_json=False)


def asked(session: Session, cost: Cost, **more: Any) -> bool:
    """Whether something is asked, with nobody there to answer."""
    try:
        confirm(session, "Doing it", cost, yes=False, **more)
    except ChainBeastsError as error:
        return (error.message, error.hint) == (
            "Nothing was sent: there is no terminal to ask on.",
            "Say --yes to what is shown.",
        )
    return False


def test_little_is_not_asked_for_and_much_is(session: Session) -> None:
    assert not asked(session, Cost(energy=10 * ENERGY, gas=1_000_000))
    assert asked(session, Cost(energy=10 * ENERGY + 1))
    assert not asked(session, Cost(coin=COIN // 20))
    assert asked(session, Cost(coin=COIN // 20, gas=21_000))  # gas counts
    assert asked(session, Cost(gas=30_000_000))
    assert asked(session, Cost(), always=True)


def test_whatever_burns_is_asked_for(session: Session) -> None:
    assert asked(session, Cost(energy=1, burned=1))


def test_the_limits_are_settings(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, confirm_above_energy="0", confirm_above_coin="1000")
    careful = Stage(settings, as_json=False)
    assert asked(careful, Cost(energy=1))
    assert not asked(careful, Cost(coin=999 * COIN))
    wrong = Stage(Settings(home=tmp_path, confirm_above_coin="much"), as_json=False)
    with pytest.raises(ChainBeastsError, match="CHAINBEASTS_CONFIRM_ABOVE_COIN is 'much'"):
        confirm(wrong, "Doing it", Cost(coin=1), yes=True)


def test_the_sum_is_shown_in_both_coins(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(asking, "note", said.append)
    cost = Cost(energy=12 * ENERGY, burned=2 * ENERGY, coin=COIN, gas=100_000)
    confirm(session, "Doing it", cost, yes=True)
    confirm(session, "All of it", Cost(energy=ENERGY, burned=ENERGY), yes=True)
    assert said == [
        "Doing it: 12 ENERGY (burns: 2 ENERGY) and 1 native coin and 0.0002 native coin for about "
        "100,000 gas.",
        "All of it: 1 ENERGY (burns).",
    ]


def test_a_no_sends_nothing(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking.sys.stdin, "isatty", lambda: True, raising=False)
    answers = iter((False, True))
    monkeypatch.setattr(asking.typer, "confirm", lambda question, err: next(answers))
    with pytest.raises(ChainBeastsError, match=r"^Nothing was sent\.$"):
        confirm(session, "Doing it", Cost(), yes=False, always=True)
    confirm(session, "Doing it", Cost(), yes=False, always=True)
