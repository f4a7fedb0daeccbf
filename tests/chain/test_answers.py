"""Which words of a node count as data."""

from __future__ import annotations

import pytest

from chainbeasts.backend.chain.answers import has_shape


@pytest.mark.parametrize("data", ["0x", "0x0a", "0xAbCd", "0x" + "5e" * 1_000])
def test_bytes_in_hex(data: str) -> None:
    assert has_shape("eth_getCode", [], data)


@pytest.mark.parametrize(
    "data",
    ["", "0a", "0X0a", "0xa", "0xag", "0x 0a", "0x0a ", "0x0a\n", "0x\t\t", "0x٠٠", 10, None],
)
def test_what_is_no_bytes_in_hex(data: object) -> None:
    assert not has_shape("eth_getCode", [], data)
