"""Fighter files: what is written is read again, and what is no fighter is refused."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chainbeasts.backend.battle.fighter_files import (
    FighterFile,
    decode_fighter,
    encode_fighter,
    write_fighter,
)
from chainbeasts.backend.battle.sides import read_side
from chainbeasts.backend.battle.workspace import ArenaWorkspace
from chainbeasts.backend.cli.battle import app
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.window import genesis_state
from chainbeasts.backend.store.state_files import pack

DNA, BODY = bytes(range(32)), bytes(range(50, 82))
STATE = genesis_state(7, DNA)
ODD = Rules(crit_odds=3, max_turns=11)
FILE = FighterFile(DNA, STATE, ODD)


def no_chain() -> ArenaWorkspace:
    raise AssertionError("a fighter's file needs no chain")


def test_what_is_written_is_read_again() -> None:
    found = decode_fighter(encode_fighter(FILE))
    assert (found.dna, found.rules) == (DNA, ODD)
    assert state_hash(found.state) == state_hash(STATE)
    fighter = found.fighter
    assert (fighter.dna, fighter.active_mask) == (DNA, STATE.header.active_mask)
    assert (fighter.weights == STATE.weights).all()


def test_a_side_may_be_a_file_and_its_brain_may_have_another_body(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    write_fighter(path, FILE)
    side = read_side(str(path), no_chain)
    assert (side.fighter.dna, side.h, side.rules) == (DNA, state_hash(STATE), ODD)
    assert (side.name, side.beast_id) == ("mine.json", None)
    moved = read_side(f"{path}:0x{BODY.hex()}", no_chain)
    assert (moved.fighter.dna, moved.h) == (BODY, side.h)


def changed(**values: Any) -> bytes:
    return json.dumps(json.loads(encode_fighter(FILE)) | values).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "is no fighter"),
        (changed(format="chainbeasts-fighter-9"), "format is not chainbeasts-fighter-1"),
        (changed(kernel_id="0x" + "1" * 64), "written by the kernel 0x1111"),
        (changed(kernel_id=7), "kernel_id is not 32 bytes"),
        (changed(dna="0x12"), "dna is not 32 bytes"),
        (changed(dna="0x" + "x" * 64), "dna is not 32 bytes"),
        (changed(active_mask=STATE.header.active_mask ^ 1), "active_mask is not its state's"),
        (changed(rules={"crit_odds": 3}), "rules are not this kernel's"),
        (changed(rules=json.loads(encode_fighter(FILE))["rules"] | {"max_turns": 0}), "max_turns"),
        (changed(rules=json.loads(encode_fighter(FILE))["rules"] | {"max_turns": 1.5}), "integers"),
        (changed(state="%%"), "not base64"),
        (changed(state=7), "not base64"),
        (changed(state=base64.b64encode(b"zstd").decode()), "its state is none"),
        (changed(state=base64.b64encode(pack(genesis_state(8, DNA))).decode()), "another hash"),
        (changed(name="Rex"), "name"),
        (b'{"format": "chainbeasts-fighter-1"}', "lacks"),
    ],
)  # fmt: skip
def test_what_is_no_fighter_is_refused_with_its_reason(
    data: bytes, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "wrong.json"
    path.write_bytes(data)
    with pytest.raises(ChainBeastsError, match=said) as caught:
        read_side(str(path), no_chain)
    assert "trainer simulate -o" in caught.value.hint


def test_a_folder_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ChainBeastsError, match="cannot be written"):
        write_fighter(tmp_path / "file" / "mine.json", FILE)


def test_fighters_of_two_seasons_are_told_to_name_one(tmp_path: Path) -> None:
    one, other = tmp_path / "one.json", tmp_path / "other.json"
    write_fighter(one, FILE)
    write_fighter(other, FighterFile(BODY, genesis_state(0, BODY), Rules()))
    common = ["--home", str(tmp_path), "--rpc-url", "http://127.0.0.1:1", "--seeds", "2", "--json"]

    def simulate(*arguments: str) -> Any:
        given = ["simulate", *arguments, *common]
        return CliRunner().invoke(app, given, catch_exceptions=False)

    with pytest.raises(ChainBeastsError, match="rules of different seasons"):
        simulate(str(one), str(other))
    assert simulate(str(one), str(other), "--profile", "devnet").exit_code == 0
    # A newborn brings no rules along, so the file's own count: eleven turns are its season's most.
    told = json.loads(simulate(str(one), BODY.hex()).stdout)
    assert all(match["turns"] <= 11 for match in told["matches"])
