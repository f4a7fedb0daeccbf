"""What the page hands to wallets: encoded as eth_abi does, followed to its end whatever happens."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple

from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.errors import decode_revert, wording_of
from chainbeasts.backend.kernel.rng import split_mix64
from tests.page.runner import run_node


class _Values:
    """Values for any ABI type, a new one for each."""

    def __init__(self) -> None:
        self._count = 0

    def _draw(self) -> int:
        self._count += 1
        return sum(split_mix64(4 * self._count + k) << 64 * k for k in range(4))

    def of(self, kind: Mapping[str, Any]) -> Any:
        """A value as eth_abi takes it."""
        name = kind["type"]
        if name.endswith("]"):
            inner, _, size = name[:-1].rpartition("[")
            length = int(size) if size else self._draw() % 4
            return [self.of({**kind, "type": inner}) for _ in range(length)]
        if name == "tuple":
            return tuple(self.of(one) for one in kind["components"])
        r = self._draw()
        if name == "bool":
            return bool(r & 1)
        if name == "address":
            return "0x" + (r % (1 << 160)).to_bytes(20).hex()
        if name == "string":
            return "Straße " * (r % 9)
        if name == "bytes":
            return r.to_bytes(32)[: r % 33] * (r % 3)
        if name.startswith("bytes"):
            return r.to_bytes(32)[: int(name[5:])]
        return r % (1 << int(name[4:]))


def _spelled(value: Any) -> Any:
    """A value as JSON has it; numbers as text, for they are larger than its own."""
    if isinstance(value, list | tuple):
        return [_spelled(one) for one in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


def _data(entry: Mapping[str, Any], values: Sequence[Any]) -> str:
    types = [collapse_if_tuple(one) for one in entry["inputs"]]
    chosen = keccak(f"{entry['name']}({','.join(types)})".encode())[:4]
    return "0x" + (chosen + encode(types, values)).hex()


def _sentence(entry: Mapping[str, Any], data: str) -> str:
    """As the commands tell it; empty where a time, an amount or an account is in it, which the page
    spells otherwise."""
    name, inputs = entry["name"], entry["inputs"]
    said = wording_of(name, [one["name"] for one in inputs])
    spelled = said.units or any(one["type"] in ("address", "bool") for one in inputs)
    if not said.sentence or spelled or name in ("WrongMatchStatus", "ValueOutOfRange"):
        return ""
    return decode_revert(bytes.fromhex(data[2:])).message


def test_page_encodes_and_decodes_as_the_reference(tmp_path: Path) -> None:
    made, seen = _Values(), set[str]()
    functions: list[dict[str, Any]] = []
    reverts: list[dict[str, Any]] = []
    for name in CONTRACTS:
        for entry in artifact(name).abi:
            if entry["type"] not in ("function", "error"):
                continue
            values = [made.of(one) for one in entry["inputs"]]
            data = _data(entry, values)
            if entry["type"] == "function":
                functions.append({"entry": entry, "given": _spelled(values), "data": data})
            elif entry["name"] not in seen:
                seen.add(entry["name"])
                names = [one["name"] for one in entry["inputs"]]
                case = {"name": entry["name"], "data": data, "names": names}
                reverts.append(
                    case | {"given": _spelled(values), "sentence": _sentence(entry, data)}
                )
    assert sum(bool(one["sentence"]) for one in reverts) > 20
    wordings = {one["name"]: wording_of(one["name"], one["names"]) for one in reverts}
    contracts = {
        "chain_id": 31_337,
        "genesis": "0x" + "00" * 32,
        "contracts": [
            {"name": name, "address": "0x" + "11" * 20, "abi": artifact(name).abi}
            for name in CONTRACTS
        ],
        "errors": {
            name: {"sentence": one.sentence, "hint": one.hint, "units": dict(one.units)}
            for name, one in wordings.items()
        },
    }
    path = tmp_path / "cases.json"
    path.write_text(
        json.dumps({"functions": functions, "reverts": reverts, "contracts": contracts})
    )
    run_node("wallet.test.mjs", CHAINBEASTS_PAGE_CASES=str(path))


def test_nothing_is_sent_twice_and_every_end_is_told() -> None:
    run_node("sending.test.mjs")


def test_each_step_of_a_match_is_offered_in_its_time() -> None:
    run_node("act.test.mjs")
