"""Calldata of strangers: read as the contracts read it, and whatever is in it."""

from __future__ import annotations

import pytest
from web3 import Web3

from chainbeasts.backend.chain.calls import decode_call
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.inputs import decode_input
from chainbeasts.backend.chain.seasons import added_season, load_profile

RECORDS = Web3().eth.contract(abi=artifact("RecordArchive").abi)
BLOB, SECRET = b"x" * 33, b"s" * 32
CALL = bytes.fromhex(RECORDS.encode_abi("revealDataset", [5, BLOB, SECRET])[2:])
LENGTH = slice(4 + 96, 4 + 128)
ADDRESS = "0x" + "11" * 20


def with_length(length: int) -> bytes:
    return CALL[: LENGTH.start] + length.to_bytes(32) + CALL[LENGTH.stop :]


@pytest.mark.parametrize("data", [CALL, CALL[:-31], CALL[:-31] + b"\xff" * 31, CALL + b"more"])
def test_padding_means_nothing(data: bytes) -> None:
    found = decode_input(RECORDS, data)
    assert found is not None
    name, arguments = found
    assert name == "revealDataset"
    assert arguments == {"beastId": 5, "dataset": BLOB, "ownerSecret": SECRET}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"abc",
        CALL[:4],
        CALL[:60],
        b"\0\0\0\0" + CALL[4:],
        with_length(2**63),
        with_length(2**256 - 1),
    ],
)
def test_what_no_contract_reads_is_no_call(data: bytes) -> None:
    assert decode_input(RECORDS, data) is None
    assert not decode_call({"RecordArchive": ADDRESS}, ADDRESS, data).known
    assert added_season(data) is None


def test_only_what_can_be_a_season_is_one() -> None:
    season = load_profile("devnet").season
    registry = Web3().eth.contract(abi=artifact("SeasonRegistry").abi)
    data = bytes.fromhex(registry.encode_abi("addSeason", [season.to_abi()])[2:])
    assert added_season(data) == season
    assert added_season(data[:4] + bytes(32) + data[36:]) is None  # no damage is divided by 0
