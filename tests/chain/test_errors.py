"""Every custom error of every contract becomes a sentence with its values."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address

from chainbeasts.backend.chain.compile import artifacts
from chainbeasts.backend.chain.errors import _AMOUNTS, _SENTENCES, Reverted, decode_revert

ADDRESS = "0x" + "ab" * 20


def all_errors() -> dict[str, tuple[list[str], list[str]]]:
    """(names, types) of each error's values, by error."""
    return {
        entry["name"]: (
            [argument["name"] for argument in entry["inputs"]],
            [collapse_if_tuple(argument) for argument in entry["inputs"]],
        )
        for artifact in artifacts().values()
        for entry in artifact.abi
        if entry["type"] == "error"
    }


def value(kind: str, number: int) -> Any:
    if kind == "address":
        return ADDRESS
    if kind.startswith("bytes"):
        return bytes([number]) * int(kind[5:] or 5)
    return {"bool": True, "string": f"text {number}"}.get(kind, number)


def test_every_error_is_decoded_with_its_values() -> None:
    errors = all_errors()
    assert len(errors) > 50
    for name, (names, types) in errors.items():
        values = [value(kind, 100 + number) for number, kind in enumerate(types)]
        selector = keccak(f"{name}({','.join(types)})".encode())[:4]
        found = decode_revert(selector + encode(types, values))
        shown = [to_checksum_address(v) if v == ADDRESS else v for v in values]
        assert (found.name, found.args_by_name) == (name, dict(zip(names, shown, strict=True)))
        assert found.message.endswith((".", ").")), found.message
        assert "{" not in str(found), name
        if name not in _SENTENCES:
            assert found.message.startswith(f"The contract refused: {name}(")
            for key in names:
                assert key in found.message


def test_no_sentence_is_about_an_error_that_no_contract_has() -> None:
    errors = all_errors()
    assert set(_SENTENCES) <= set(errors)
    for name, (_, fields) in _AMOUNTS.items():
        assert set(fields) <= set(errors[name][0])


AMOUNTS = {
    "allowance", "amount", "balance", "bond", "coin", "debt", "fee", "minOut", "needed", "out",
    "paid", "price", "required", "sent",
}  # fmt: skip
"""What contracts call values that are wei; as uint32 they are counts."""


def test_nobody_reads_raw_seconds_or_wei() -> None:
    """Whatever error a contract gets: by its values' names."""
    now, wei = int(time.time()), 15 * 10**17
    seen = 0
    for name, (names, types) in all_errors().items():
        wide = {key for key, kind in zip(names, types, strict=True) if kind == "uint256"}
        times = {key for key in wide if key.endswith(("At", "Until")) or key == "deadline"}
        amounts = {key for key in wide if key in AMOUNTS}
        if not times | amounts:
            continue
        plain = {key: value(kind, 7) for key, kind in zip(names, types, strict=True)}
        found = Reverted(
            name, plain | dict.fromkeys(times, now + 3 * 3600 + 1800) | dict.fromkeys(amounts, wei)
        )
        assert str(now)[:6] not in found.message, found.message
        assert str(wei) not in found.message, found.message
        used = _SENTENCES.get(name, ("".join(f"{{{key}}}" for key in names), ""))[0]
        if any(f"{{{key}}}" in used for key in times):
            assert " UTC (in 3 h" in found.message, found.message
        if any(f"{{{key}}}" in used for key in amounts):
            assert re.search(r"1\.5 (ENERGY|native coin)", found.message), found.message
        seen += 1
    assert seen > 10
    assert not any("unix" in sentence for pair in _SENTENCES.values() for sentence in pair)


def test_constants_of_seasons_are_shown_with_their_unit() -> None:
    def said(field: str, number: int) -> str:
        return Reverted(
            "ValueOutOfRange", {"field": field, "value": number, "min": 0, "max": number}
        ).message

    assert said("publicationAge", 60) == "publicationAge is 1 min; it must be from 0 s to 1 min."
    assert "2 ENERGY" in said("growthCost", 2 * 10**18)
    assert "0.001 native coin" in said("energyPrice", 10**15)
    assert "maxTurns is 0;" in said("maxTurns", 0)


def test_amounts_are_shown_in_energy_and_bytes_in_hex() -> None:
    kinds = ["address", "uint256", "uint256"]
    data = encode(kinds, [ADDRESS, 15 * 10**17, 2000 * 10**18])
    name = f"InsufficientEscrow({','.join(all_errors()['InsufficientEscrow'][1])})"
    found = decode_revert(keccak(name.encode())[:4] + data)
    address = to_checksum_address(ADDRESS)
    assert str(found) == (
        f"The escrow of {address} holds 1.5 ENERGY; 2,000 ENERGY are needed. "
        "Deposit more: chainbeasts energy deposit AMOUNT"
    )


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (bytes.fromhex("08c379a0") + encode(["string"], ["no luck"]), "Error", "no luck"),
        (bytes.fromhex("4e487b71") + encode(["uint256"], [17]), "Panic", "code 17"),
        (bytes.fromhex("deadbeef01"), "Unknown", "data 0xdeadbeef01"),
        (b"", "Unknown", "data 0x"),
    ],
)
def test_what_is_no_custom_error(data: bytes, name: str, said: str) -> None:
    found = decode_revert(data)
    assert found.name == name
    assert said in found.message


@pytest.mark.parametrize("word", [2**63, 2**256 - 1])
def test_a_length_beyond_all_memory_is_a_refusal_all_the_same(word: int) -> None:
    selector = bytes(keccak(b"Error(string)")[:4])
    assert decode_revert(selector + (32).to_bytes(32) + word.to_bytes(32)).name == "Unknown"


def test_a_text_that_is_none_is_a_refusal_all_the_same() -> None:
    selector = bytes(keccak(b"Error(string)")[:4])
    text = (32).to_bytes(32) + (2).to_bytes(32) + b"\xff\xfe".ljust(32, b"\0")
    assert decode_revert(selector + text).name == "Unknown"
