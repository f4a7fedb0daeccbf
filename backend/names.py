"""Names for accounts: resolved where somebody is meant, shown where an address is.

A name is a keystore's of this home, an entry of its address book, ``devnet:N`` on a local chain, or
a contract's of the deployment (``timelock``). Names are this home's alone; nothing on chain knows
them, and no secret is read for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path

from eth_utils.address import (
    is_checksum_address,
    is_checksum_formatted_address,
    to_checksum_address,
)

from chainbeasts.backend.accounts import DEVNET_ADDRESSES, NAME, list_keystores
from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock
from chainbeasts.backend.settings import Settings

ZERO = "0x" + "00" * 20
TIMELOCK = "timelock"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_HEX = re.compile(r"0[xX][0-9a-fA-F]*")
# Not one that already has its name before it, and no part of a hash.
_IN_TEXT = re.compile(r"(?<![0-9A-Za-z(])0x[0-9a-fA-F]{40}(?![0-9A-Za-z])")


def parse_address(text: str) -> str:
    """A checksummed address of 40 hex digits; in mixed case its checksum has to be right.

    Raises:
        ChainBeastsError: it is none, or a digit of it is wrong.
    """
    if not _ADDRESS.fullmatch(text):
        raise ChainBeastsError(f"{text} is not an address.", "It has 40 hex digits after 0x.")
    # One wrong digit of a mistyped address fails the checksum in all but one case of thousands.
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise ChainBeastsError(
            f"{text} is not an address: its capitals are not those of its checksum.",
            "A digit is wrong, or its case is; copy it anew.",
        )
    return str(to_checksum_address(text))


class AddressBook:
    """Addresses of others, by the names that they have in this home."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def entries(self) -> dict[str, str]:
        """Checksummed address by name, in the order of names.

        Raises:
            ChainBeastsError: the file is no address book.
        """
        try:
            found = parse_json(self._path.read_bytes())
            return {name: parse_address(found[name]) for name in sorted(found)}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, ChainBeastsError):
            raise ChainBeastsError(
                f"{self._path} is not an address book.",
                "It is a JSON object of addresses by name; mend it, or move it away.",
            ) from None

    def add(self, name: str, address: str) -> None:
        """Give an address a name, in the place of the one that had it.

        Raises:
            ChainBeastsError: the name cannot be one.
        """
        if address == ZERO:
            raise ChainBeastsError("Nobody holds the zero address.", "Name another one.")
        if not NAME.fullmatch(name) or _HEX.fullmatch(name):
            raise ChainBeastsError(
                f"{name!r} is no name for an address.",
                "Use letters, digits, '.', '-' and '_'; not what looks like an address.",
            )
        with self._lock():
            self._save(self.entries() | {name: address})

    def remove(self, name: str) -> str:
        """Forget a name; the address that it had.

        Raises:
            ChainBeastsError: nobody has it.
        """
        with self._lock():
            entries = self.entries()
            if name not in entries:
                raise _unknown(name, entries)
            address = entries.pop(name)
            self._save(entries)
        return address

    def _lock(self) -> ProcessLock:
        # Two commands that read the same book would each lose the other's entry.
        self._path.parent.mkdir(parents=True, exist_ok=True)
        return ProcessLock(
            self._path.with_suffix(".lock"), "the address book is written", seconds=60
        )

    def _save(self, entries: Mapping[str, str]) -> None:
        write_atomic(self._path, (json.dumps(entries, indent=2) + "\n").encode())


class Names:
    """Every name that an account has in this home.

    Args:
        local: whether the chain is a local one, where ``devnet:N`` names somebody.
        contracts: addresses of the deployment's contracts.
    """

    def __init__(
        self,
        settings: Settings,
        local: Callable[[], bool],
        contracts: Callable[[], Mapping[str, str]],
    ) -> None:
        self._keystores = settings.keystore_dir
        self._local = local
        self._contracts = contracts
        self.book = AddressBook(settings.book_file)
        # Read once in a command's life, and anew once it knows which chain it is on.
        self._shown: dict[tuple[bool, bool], dict[str, str]] = {}

    def resolve(self, who: str) -> str:
        """The checksummed address of a name, or of an address.

        Raises:
            ChainBeastsError: nobody is called so, or two are; or it is the zero address, which
                nobody holds.
        """
        if _HEX.match(who):
            address = parse_address(who)
            if address == ZERO:
                raise ChainBeastsError(
                    "Nobody holds the zero address; what goes there is lost.",
                    "Name another receiver.",
                )
            return address
        found = {kind: names[who] for kind, names in self._kinds().items() if who in names}
        if not found:
            known = {name for names in self._kinds().values() for name in names}
            raise _unknown(who, known)
        if len(set(found.values())) > 1:
            meant = " and ".join(f"{kind} ({address})" for kind, address in found.items())
            raise ChainBeastsError(
                f"{who} is the name of {meant}.",
                f"Give the address, or another name: chainbeasts account book remove {who}",
            )
        return next(iter(found.values()))

    def of(self, address: str) -> str | None:
        """The name that an address has here; of contracts only the timelock's."""
        key = (self._local(), bool(self._contracts()))
        if key not in self._shown:
            self._shown[key] = self._by_address()
        return self._shown[key].get(address.lower())

    def show(self, address: str) -> str:
        """An address for people, with the name that it has here."""
        name = self.of(address)
        return address if name is None else f"{name} ({address})"

    def show_in(self, text: str) -> str:
        """A text for people, its addresses with the names that they have here."""
        return _IN_TEXT.sub(lambda found: self.show(found[0]), text)

    def _kinds(self) -> dict[str, Mapping[str, str]]:
        """Addresses by name, of each kind of name."""
        contracts = self._contracts()
        timelock = contracts.get("TimelockController")
        return {
            "a keystore": list_keystores(self._keystores),
            "an entry of the address book": self.book.entries(),
            "a development account": self._development(),
            "a contract": {**contracts, **({TIMELOCK: timelock} if timelock else {})},
        }

    def _development(self) -> dict[str, str]:
        if not self._local():
            return {}
        return {f"devnet:{i}": address for i, address in enumerate(DEVNET_ADDRESSES)}

    def _by_address(self) -> dict[str, str]:
        try:
            own, book, development, contracts = self._kinds().values()
        except ChainBeastsError:
            return {}  # a broken book is named where it is asked, not wherever an address is shown
        shown = {TIMELOCK: contracts[TIMELOCK]} if TIMELOCK in contracts else {}
        # Who is named twice is shown by the name that its keystore has.
        kinds = (shown, development, book, own)
        return {address.lower(): name for names in kinds for name, address in names.items()}


def _unknown(name: str, known: Iterable[str]) -> ChainBeastsError:
    near = get_close_matches(name, list(known), n=1)
    return ChainBeastsError(
        f"Nobody is called {name} here."
        if not near
        else f"Nobody is called {name} here; did you mean {near[0]}?",
        "Give an address, or a name: chainbeasts account list, chainbeasts account book list",
    )
