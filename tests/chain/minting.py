"""A move that shows whether it was made: some ENERGY to somebody who has none."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.store.daemons import IntentRow
from chainbeasts.backend.store.session import Database
from tests.chain.conftest import OTHER

TO = devnet_account(OTHER).address


def mint(chain: Chain, amount: int = 1) -> Any:
    return chain.energy.functions.mint(TO, amount)


def mine(chain: Chain, blocks: int = 1) -> None:
    rpc(chain.rpc_url, "anvil_mine", hex(blocks))


def row(database: Database) -> IntentRow:
    with database.session() as session:
        found = session.scalar(select(IntentRow))
    assert found is not None
    return found
