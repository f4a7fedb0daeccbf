"""Answers about the contracts themselves: where they stand, and how they are called."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from chainbeasts.backend.api.models.base import Account, Answer, Hex32


class ContractInterface(Answer):
    """A contract of the deployment, and its ABI as the compiler wrote it."""

    name: str = Field(examples=["Arena"])
    address: Account
    code_hash: Hex32 | None = Field(
        description="keccak256 of its code when it was deployed; null if the record has none."
    )
    abi: list[dict[str, Any]]


class ErrorWording(Answer):
    """How a custom error of any of the contracts is told."""

    sentence: str = Field(
        description="With the error's own values in braces; empty if there is none.",
        examples=["The price is {minOut}."],
    )
    hint: str = Field(description="What to do next on the command line; may be empty.")
    units: dict[str, str] = Field(
        description="Value → energy or coin (wei), seconds, or time (unix seconds)."
    )


class Contracts(Answer):
    """All that it takes to call the contracts through a node of one's own."""

    chain_id: int
    genesis: Hex32 = Field(
        description="Hash of block 0: tells chains of the same id from each other."
    )
    contracts: list[ContractInterface]
    errors: dict[str, ErrorWording] = Field(description="By the error's name.")
