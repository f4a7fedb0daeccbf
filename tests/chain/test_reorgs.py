"""Reorgs under a move: it is made once, whatever was taken back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from chainbeasts.backend.chain.anvil import DEVNET_CHAIN_ID, rpc
from chainbeasts.backend.chain.attempts import Attempts
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.transactions import Receipt, SignedTransaction
from chainbeasts.backend.store.session import Database
from tests.chain.conftest import DEPLOYER, Senders
from tests.chain.minting import TO, mine, mint, row
from tests.support.forked import Program
from tests.support.patience import eventually
from tests.support.snapshots import settled
from tests.support.steady import tick
from tests.support.worlds import RECORD, deployed_world


@pytest.fixture
def chain(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    """The deployment on a young chain of the test's own.

    After 500 blocks Anvil writes old states to disk, and after snapshots it takes the newest for an
    old one. A reorg down to a block whose state is on disk loses the code of all contracts.
    """
    world = deployed_world(tmp_path_factory, program)
    with world.node() as child:
        tick(child.url)
        deployment = Deployment.load((world.home / RECORD).parent, DEVNET_CHAIN_ID)
        yield Chain.connect(child.url, deployment)


def pause_until_energy(chain: Chain, amount: int) -> None:
    """Wait as a daemon does: in the middle of a reorg the node may know no contract at all."""

    def look() -> bool:
        try:
            return chain.energy_of(TO) == amount
        except NodeUnavailableError:
            return False

    eventually(look)


def test_what_a_reorg_takes_out_while_we_wait_goes_out_again(chain: Chain, sender: Senders) -> None:
    signed: list[SignedTransaction] = []
    manager = sender(DEPLOYER, journal=signed.append, depth=2)
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(manager.send, mint(chain), label="mint")
        pause_until_energy(chain, 1)
        with manager._lock:  # it has seen its receipt
            mine(chain)
        assert not waiter.done()  # one block on top is not two
        with manager._lock:  # Anvil loses what it mines while it takes blocks back
            settled(partial(rpc, chain.rpc_url))
            rpc(chain.rpc_url, "anvil_reorg", 2, [])
        pause_until_energy(chain, 1)
        assert not waiter.done()
        mine(chain, 2)
        found = waiter.result()
    assert found.hash in {one.hash for one in signed}
    assert len({one.nonce for one in signed}) == 1  # whatever the node said in the reorg
    assert chain.energy_of(TO) == 1


def test_what_a_reorg_takes_back_later_is_no_longer_done(
    chain: Chain, sender: Senders, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Attempts, "_bump", lambda *_: None)  # short, for the gap to be filled soon
    outbox = Outbox(database, sender(DEPLOYER, bump_after=0.2))
    plain = outbox.sender.send(chain.energy.functions.approve(TO, 10), label="approve")
    made = outbox.send_once("mint", "once", mint(chain), label="mint")
    assert made is not None
    settled(partial(rpc, chain.rpc_url))
    rpc(chain.rpc_url, "anvil_reorg", chain.block().number - plain.block_number + 1, [])
    pause_until_energy(chain, 0)
    assert not outbox.is_done("mint", "once")
    assert outbox.recover() == 1  # the nonce below went to nobody; it is filled
    assert outbox.is_done("mint", "once")
    done = row(database)
    assert (done.tx_hash, done.nonce) == (made.hash, made_nonce(chain, made))
    assert chain.energy_of(TO) == 1
    assert outbox.send_once("mint", "once", mint(chain), label="mint") is None


def made_nonce(chain: Chain, receipt: Receipt) -> int:
    return int(chain.w3.eth.get_transaction(receipt.hash)["nonce"])  # type: ignore[arg-type]
