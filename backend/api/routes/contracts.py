"""/v1/contracts: what it takes to call the contracts without this server."""

from __future__ import annotations

from functools import cache

from fastapi import Request, Response

from chainbeasts.backend.api.answers import answer
from chainbeasts.backend.api.models import ContractInterface, Contracts, ErrorWording
from chainbeasts.backend.api.routes.common import new_router
from chainbeasts.backend.api.services import ServicesDep
from chainbeasts.backend.chain.compile import artifact, artifacts
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.errors import wording_of

router = new_router("contracts")


@router.get("/contracts", response_model=Contracts, summary="Addresses, ABIs and errors")
def contracts(request: Request, services: ServicesDep) -> Response:
    """The deployment's contracts with their ABIs, and how each of their errors is told.

    The page encodes with these what its reader signs. They are this server's word: whoever does not
    run it compares the addresses (docs/guides/spectator.md).
    """
    deployment = services.chain.deployment
    hashes = deployment.code_hashes
    return answer(
        request,
        Contracts(
            chain_id=deployment.chain_id,
            genesis=_hash(deployment.genesis),
            contracts=[
                ContractInterface(
                    name=name,
                    address=deployment.addresses[name],
                    code_hash=_hash(hashes[name]) if name in hashes else None,
                    abi=artifact(name).abi,
                )
                for name in CONTRACTS
            ],
            errors=_errors(),
        ),
    )


def _hash(digits: str) -> bytes:
    return bytes.fromhex(digits.removeprefix("0x"))


@cache
def _errors() -> dict[str, ErrorWording]:
    found = {}
    for contract in artifacts(CONTRACTS).values():
        for entry in contract.abi:
            if entry["type"] == "error":
                said = wording_of(entry["name"], [one["name"] for one in entry["inputs"]])
                found[entry["name"]] = ErrorWording(
                    sentence=said.sentence, hint=said.hint, units=dict(said.units)
                )
    return found
