"""States as bytes and as hashes: every field counts, and only one encoding exists (K9, K10)."""

from __future__ import annotations

import itertools
from dataclasses import fields, replace

import numpy as np
import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chainbeasts.backend.kernel.constants import STATE_BYTES, WEIGHT_MAX, WEIGHT_MIN, WEIGHTS
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.state import (
    ENCODED_BYTES,
    Header,
    MalformedStateError,
    State,
    decode_state,
    deserialize_weights,
    encode_state,
    leaf_hashes,
    serialize_weights,
    state_hash,
    weights_root,
)
from chainbeasts.backend.kernel.tables import EXP, FORMER_KERNELS, KERNEL_ID, TEMPLATES, kernel_name
from tests.support.strategies import bytes32, masks, u32, u256, weights

headers = st.builds(Header, u256, bytes32, u32, masks, u32, u256)
ABI = ["uint256", "bytes32", "uint32", "uint8", "uint32", "uint256"]


def parts(header: Header) -> list[object]:
    return [getattr(header, field.name) for field in fields(Header)]


@given(headers, weights())
def test_bytes(header: Header, w: Weights) -> None:
    data = encode_state(State(header, w))
    assert len(data) == ENCODED_BYTES
    assert data[:192] == encode(ABI, parts(header))
    words = np.frombuffer(data[192:], dtype=">u2")
    assert (words == w.astype(np.int64) + 0xC000).all()
    assert (words >= 0x8000).all()
    back = decode_state(data)
    assert back.header == header
    assert (back.weights == w).all()
    assert back.weights.dtype == np.int16


@given(headers, weights())
def test_hash_is_the_abi_encoding(header: Header, w: Weights) -> None:
    state = State(header, w)
    body = encode(["bytes32", *ABI, "bytes32"], [KERNEL_ID, *parts(header), weights_root(w)])
    assert state_hash(state) == keccak(body)


@given(weights())
def test_the_root_by_its_leaves(w: Weights) -> None:
    """232 leaves and 15 groups: row after row, W4 by eight, sixteen leaves of one layer."""
    data, leaves = serialize_weights(w), []
    for _ in range(32):
        leaves.append(keccak(data[:256]))
        data = data[256:]
    while data:
        leaves.append(keccak(data[:128]))
        data = data[128:]
    assert len(leaves) == 232
    ends = [16, 32, *range(48, 161, 16), 176, 192, 208, 224, 232]
    groups = [keccak(b"".join(leaves[a:b])) for a, b in itertools.pairwise([0, *ends])]
    assert len(groups) == 15
    assert weights_root(w) == keccak(b"".join(groups))
    assert [leaf for layer in leaf_hashes(serialize_weights(w)) for leaf in layer] == leaves


@given(headers, weights(), st.integers(0, WEIGHTS - 1))
def test_every_field_and_weight_counts(header: Header, w: Weights, index: int) -> None:
    before = state_hash(State(header, w))
    changed = [
        replace(header, beast_id=header.beast_id ^ 1),
        replace(header, parent=bytes([header.parent[0] ^ 1]) + header.parent[1:]),
        replace(header, global_step=header.global_step ^ 1),
        replace(header, active_mask=header.active_mask ^ 128),
        replace(header, window_loss=header.window_loss ^ 1),
        replace(header, arena=header.arena ^ 1 << 255),
    ]
    assert before not in [state_hash(State(other, w)) for other in changed]
    other = w.copy()
    other[index] ^= 1
    assert state_hash(State(header, other)) != before


@pytest.mark.parametrize("index", [0, 1, 16_895])
def test_clear_guard_bit(index: int) -> None:
    data = bytearray(serialize_weights(np.full(WEIGHTS, WEIGHT_MAX, dtype=np.int16)))
    assert data[:2] == b"\xff\xff"
    data[2 * index] &= 0x7F
    with pytest.raises(MalformedStateError, match=f"guard bit of weight {index}"):
        deserialize_weights(bytes(data))


def test_the_lowest_weight_has_its_guard_bit() -> None:
    lowest = np.full(WEIGHTS, WEIGHT_MIN, dtype=np.int16)
    assert set(serialize_weights(lowest)[::2]) == {0x80}
    assert (deserialize_weights(serialize_weights(lowest)) == WEIGHT_MIN).all()


@pytest.mark.parametrize("size", [0, STATE_BYTES - 1, STATE_BYTES + 1, ENCODED_BYTES])
def test_wrong_length_of_weights(size: int) -> None:
    with pytest.raises(MalformedStateError, match=str(size)):
        deserialize_weights(b"\xff" * size)


@pytest.mark.parametrize("place", [64, 96 + 30, 128])
def test_header_field_beyond_its_type(place: int) -> None:
    data = bytearray(Header(1, bytes(32), 2, 3, 4, 5).encode())
    data[place] = 1
    with pytest.raises(MalformedStateError, match="beyond its type"):
        Header.decode(bytes(data))
    with pytest.raises(MalformedStateError, match="191"):
        Header.decode(bytes(data[:191]))


def test_kernel_id_preimage() -> None:
    preimage = b"chainbeasts-kernel-2" + b"".join(value.to_bytes(2, "big") for value in EXP)
    for walls, hazards in TEMPLATES:
        preimage += walls.to_bytes(8, "big") + hazards.to_bytes(8, "big")
    assert len(preimage) == 20 + 512 + 1024
    assert keccak(preimage) == KERNEL_ID
    former = preimage.replace(b"kernel-2", b"kernel-1")  # with the same tables
    assert {keccak(former): "chainbeasts-kernel-1"} == FORMER_KERNELS


def test_kernels_are_named_by_their_version_where_it_is_known() -> None:
    assert kernel_name(KERNEL_ID) == f"chainbeasts-kernel-2 (0x{KERNEL_ID.hex()[:16]}…)"
    assert kernel_name(next(iter(FORMER_KERNELS))) == "chainbeasts-kernel-1 (0xcb485e445de339c2…)"
    assert kernel_name(bytes(32)) == "0x0000000000000000…"
