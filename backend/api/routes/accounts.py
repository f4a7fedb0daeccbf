"""/v1/accounts: what an account has and did, and what it can collect."""

from __future__ import annotations

from typing import Annotated

from anyio import to_thread
from eth_utils.address import to_checksum_address
from fastapi import Path, Request, Response

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.holdings import account_detail
from chainbeasts.backend.api.models import AccountDetail, Balances
from chainbeasts.backend.api.routes.common import ACCOUNT, new_router
from chainbeasts.backend.api.services import Services, ServicesDep

router = new_router("accounts")

Holder = Annotated[
    str,
    Path(
        pattern=ACCOUNT,
        description="40 hex digits, in any case.",
        examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"],
    ),
]


@router.get("/accounts/{account}", response_model=AccountDetail, summary="One account")
async def account(request: Request, services: ServicesDep, account: Holder) -> Response:
    """What it has, did and can collect; an account that did nothing has empty lists."""
    spelled = str(to_checksum_address(account))
    balances = await services.wallets.get(services.chain, spelled)
    found = await to_thread.run_sync(_read, services, spelled, balances)
    return answer(request, found)


def _read(services: Services, account: str, balances: Balances | None) -> AccountDetail:
    with services.session() as session:
        return account_detail(services, session, account, balances)
