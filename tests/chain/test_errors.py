"""Every custom error of every contract becomes a sentence with its values."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address

from backend.chain.compile import artifacts
from backend.chain.errors import _AMOUNTS, _SENTENCES, decode_revert

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
