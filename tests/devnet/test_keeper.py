"""An idle devnet neither grows for ever nor forgets, and its log stays short."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.devnet.keeper import Keeper, keep, shorten_log
from tests.support.patience import eventually
from tests.support.ports import free_port


class Clock:
    """Seconds that pass when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keeper(anvil: Anvil, clock: Clock, tmp_path: Path) -> Keeper:
    return Keeper(anvil.url, tmp_path / "state.json", tmp_path / "anvil.log", 1.0, clock)


def block(anvil: Anvil) -> int:
    return int(str(rpc(anvil.url, "eth_blockNumber")), 16)


def test_a_quiet_chain_slows_down_until_the_next_transaction(
    anvil: Anvil, keeper: Keeper, clock: Clock
) -> None:
    mined = {}
    first = block(anvil)
    for clock.now in (0.0, 1.0, 1.5, 2.0, 3.0, 600.0, 605.0, 609.0, 610.5):
        keeper.look()
        mined[clock.now] = block(anvil) - first
    assert mined == {
        0.0: 0, 1.0: 1, 1.5: 1, 2.0: 2, 3.0: 3,  # every second at first
        600.0: 4, 605.0: 4, 609.0: 4, 610.5: 5,  # after ten minutes every ten seconds
    }  # fmt: skip
    accounts = rpc(anvil.url, "eth_accounts")
    assert isinstance(accounts, list)
    rpc(anvil.url, "eth_sendTransaction", {"from": accounts[0], "to": accounts[1], "value": "0x1"})
    eventually(lambda: block(anvil) > first + 5)  # the transaction's own
    before = block(anvil)
    for clock.now in (611.0, 612.0, 613.0):
        keeper.look()
    assert block(anvil) - before == 2


def test_a_week_alone_makes_hundreds_of_blocks(keeper: Keeper, clock: Clock) -> None:
    """Counted without a node: it would mine each of them."""
    asked: list[str] = []
    heads = [7]

    def call(method: str, *_: object) -> object:
        asked.append(method)
        heads[0] += method == "evm_mine"
        return hex(heads[0])

    counted = Counted(keeper.url, keeper.state, keeper.log, 1.0, clock)
    counted.answer = call
    while clock.now < 7 * 86_400:
        counted._mine()
        clock.now += max(1.0, clock.now / 600)
    assert 400 < asked.count("evm_mine") < 800


class Counted(Keeper):
    """A keeper whose node is a function."""

    answer: object

    def _call(self, method: str, *params: object) -> object:
        assert callable(self.answer)
        return self.answer(method, *params)


def test_it_saves_what_is_new_and_nothing_else(anvil: Anvil, keeper: Keeper, clock: Clock) -> None:
    keeper.look()
    written = keeper.state.stat().st_mtime_ns
    clock.now = 0.9
    rpc(anvil.url, "evm_mine")
    keeper.look()
    assert keeper.state.stat().st_mtime_ns == written, "it saves without a pause"
    clock.now = 1_000.0
    keeper.look()
    newer = keeper.state.stat().st_mtime_ns
    assert newer > written
    keeper.block_time = 10**6
    clock.now = 2_000.0
    keeper.look()
    assert keeper.state.stat().st_mtime_ns == newer, "it saves what has not changed"


def test_a_long_log_is_begun_anew_under_its_writer(tmp_path: Path) -> None:
    log = tmp_path / "anvil.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old " * 1000)
        shorten_log(log, limit=4_000)
        assert log.stat().st_size == 4_000
        shorten_log(log, limit=3_999)
        writer.write(b"new")
    assert log.read_bytes() == b"new"
    assert log.with_name("anvil.log.1").read_bytes() == b"old " * 1000
    shorten_log(tmp_path / "none")


def test_a_node_that_does_not_answer_is_complained_about_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = Keeper(f"http://127.0.0.1:{free_port()}", tmp_path / "s", tmp_path / "l", 1.0)
    looks = iter([True] * 7 + [False] * 3)
    pauses: list[float] = []
    keep(gone, lambda: next(looks), pauses.append)
    assert capsys.readouterr().err.count("not kept at the moment") == 1
    assert pauses
