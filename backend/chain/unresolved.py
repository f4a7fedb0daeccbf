"""Transactions that were signed outside of a daemon's journal, and whose end nobody has seen yet.

A command is killed, or its node stops answering, between signature and receipt: run again, it must
find that transaction instead of making a second one. One small file for each account lies beside
its nonce lock, and is read and written under it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from eth_hash.auto import keccak

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.broadcast import SignedTransaction

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Unresolved:
    """One call at one nonce.

    Attributes:
        call: digest of what it does.
        last: the transaction that was signed last.
        hashes: of all that were signed for it.
    """

    call: str
    last: SignedTransaction
    hashes: tuple[bytes, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "call": self.call,
            "label": self.last.label,
            "nonce": self.last.nonce,
            "raw": self.last.raw.hex(),
            "hashes": [one.hex() for one in self.hashes],
        }

    @classmethod
    def from_json(cls, sender: str, given: dict[str, Any]) -> Unresolved:
        hashes = tuple(bytes.fromhex(one) for one in given["hashes"])
        raw = bytes.fromhex(given["raw"])
        last = SignedTransaction(str(given["label"]), sender, int(given["nonce"]), hashes[-1], raw)
        return cls(str(given["call"]), last, hashes)


def digest_of(core: dict[str, Any]) -> str:
    """Names a call by what it does: to whom, with which data and coin."""
    text = json.dumps([str(core.get("to")), bytes_of(core["data"]).hex(), core["value"]])
    return keccak(text.encode()).hex()


def bytes_of(data: bytes | str) -> bytes:
    """Call data, which web3 gives as hex."""
    return bytes.fromhex(data.removeprefix("0x")) if isinstance(data, str) else bytes(data)


class UnresolvedFile:
    """One account's, on one chain. Every method is called under the account's nonce lock."""

    def __init__(self, path: Path, sender: str) -> None:
        self._path = path
        self._sender = sender

    def find(self, call: str) -> Unresolved | None:
        """The last one that makes this call."""
        return next((one for one in reversed(self._read()) if one.call == call), None)

    def labelled(self, label: str) -> Unresolved | None:
        """The last one that was signed under a label."""
        return next((one for one in reversed(self._read()) if one.last.label == label), None)

    def others(self, call: str | None) -> list[Unresolved]:
        """Those that do not make this call."""
        return [one for one in self._read() if one.call != call]

    def has(self, nonce: int) -> bool:
        """Whether one was signed for a nonce."""
        return any(one.last.nonce == nonce for one in self._read())

    def put(self, entry: Unresolved) -> None:
        """Keep one, in place of what was kept of the same call at the same nonce."""
        kept = [one for one in self._read() if not _same(one, entry)]
        self._write([*kept, entry])

    def drop(self, entry: Unresolved) -> None:
        """Forget one whose end was seen."""
        found = self._read()
        kept = [one for one in found if not _same(one, entry)]
        if len(kept) < len(found):
            self._write(kept)

    def _read(self) -> list[Unresolved]:
        try:
            text = self._path.read_text("ascii")
        except FileNotFoundError:
            return []
        try:
            return [Unresolved.from_json(self._sender, one) for one in json.loads(text)]
        except (ValueError, KeyError, TypeError, IndexError):
            # Written whole or not at all, so somebody else did this. Nothing is lost that the chain
            # does not know, and the file must not bar the account for ever.
            log.warning("a record of transactions is damaged and not used", path=str(self._path))
            return []

    def _write(self, entries: list[Unresolved]) -> None:
        if not entries:
            self._path.unlink(missing_ok=True)
            return
        text = json.dumps([one.to_json() for one in entries], indent=1) + "\n"
        write_atomic(self._path, text.encode("ascii"), mode=0o600)


def _same(one: Unresolved, other: Unresolved) -> bool:
    return (one.call, one.last.nonce) == (other.call, other.last.nonce)
