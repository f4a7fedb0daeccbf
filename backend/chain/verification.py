"""Is the code on a chain what this build compiles? Compared contract by contract, byte by byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from web3 import Web3
from web3.types import TxData

from chainbeasts.backend.chain.artifact import Artifact
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.compile import artifacts
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.reading import read
from chainbeasts.backend.errors import ChainBeastsError

WORD_BYTES = 32
PUSH1, PUSH32 = 0x60, 0x7F


class Creation(StrEnum):
    """What the transaction says that made a contract."""

    AS_BUILT = "as built"
    OTHER = "other code"
    UNKNOWN = "not to be had"


@dataclass(frozen=True, slots=True)
class Verified:
    """One contract on chain beside its build.

    Attributes:
        matches: its code is the build's, but for the immutables' values.
        immutables: those values, as 0x-hex words, in the order of their places.
        creation: whether its transaction sent the build's creation code; a node may have forgotten.
        arguments: what that gave the constructor, 0x-hex; empty if it is not known.
    """

    contract: str
    address: str
    matches: bool
    immutables: tuple[str, ...]
    creation: Creation
    arguments: str

    @property
    def good(self) -> bool:
        """Whether nothing speaks against it."""
        return self.matches and self.creation is not Creation.OTHER


def verify_deployment(chain: Chain) -> Iterator[Verified]:
    """Compare every contract of a deployment with the build.

    Raises:
        NodeUnavailableError: the node does not answer.
    """
    for name, built in artifacts(CONTRACTS).items():
        address = chain.deployment.addresses[name]
        code = bytes(chain.read(lambda a=address: chain.w3.eth.get_code(a)))  # type: ignore[misc]
        values = differing_words(built.runtime, code)
        creation, arguments = _creation(chain, name, address, built)
        yield Verified(name, address, values is not None, values or (), creation, arguments)


def immutable_places(runtime: bytes) -> list[int]:
    """Where immutables go in code as compiled: the compiler pushes a word of zeros there.

    Nothing else is pushed so, since a zero has an opcode of its own (PUSH0).
    """
    places, at = [], 0
    while at < len(runtime):
        opcode = runtime[at]
        if opcode == PUSH32 and runtime[at + 1 : at + 1 + WORD_BYTES] == bytes(WORD_BYTES):
            places.append(at + 1)
        at += 1 + (opcode - PUSH1 + 1 if PUSH1 <= opcode <= PUSH32 else 0)
    return places


def differing_words(runtime: bytes, code: bytes) -> tuple[str, ...] | None:
    """The values of the immutables in deployed code, each once; None if it is other code."""
    if len(code) != len(runtime):
        return None
    blank, found = bytearray(code), []
    for place in immutable_places(runtime):
        found.append("0x" + code[place : place + WORD_BYTES].hex())
        blank[place : place + WORD_BYTES] = bytes(WORD_BYTES)
    return tuple(dict.fromkeys(found)) if bytes(blank) == runtime else None


def _creation(chain: Chain, name: str, address: str, built: Artifact) -> tuple[Creation, str]:
    made = chain.deployment.transactions.get(name)
    if not made:
        return Creation.UNKNOWN, ""
    try:
        sent: TxData = read(lambda: chain.w3.eth.get_transaction(made), chain.rpc_url)  # type: ignore[arg-type]
        receipt = read(lambda: chain.w3.eth.get_transaction_receipt(made), chain.rpc_url)  # type: ignore[arg-type]
    except ChainBeastsError:  # a node may keep no old ones
        return Creation.UNKNOWN, ""
    data = bytes(sent["input"])
    created = receipt["contractAddress"]
    here = created is not None and Web3.to_checksum_address(created) == address
    if not here or not data.startswith(built.bytecode):
        return Creation.OTHER, ""
    return Creation.AS_BUILT, "0x" + data[len(built.bytecode) :].hex()
