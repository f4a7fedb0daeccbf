"""Published vectors hold, and whatever is wrong with a file of vectors is named (K15)."""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.cli.main import main
from chainbeasts.backend.kernel.board import ATTACK, BLOCK, MOVE, REST, unpack
from chainbeasts.backend.kernel.constants import HEAD_SETS, WINDOW_STEPS
from chainbeasts.backend.kernel.tables import FORMER_KERNELS
from chainbeasts.backend.kernel.vector_cases import documents
from chainbeasts.backend.kernel.vector_check import check_case
from chainbeasts.backend.kernel.vector_fields import Fields, VectorFileError, read_document
from chainbeasts.backend.kernel.vectors import KINDS, NumpyKernel, context_of
from chainbeasts.backend.kernel.window import genesis_state, open_window, step_window

FOLDER = Path(__file__).parents[2] / "docs" / "spec" / "vectors"
NUMPY = NumpyKernel()


def published(kind: str) -> Any:
    return json.loads((FOLDER / f"{kind}.json").read_text("utf-8"))


def test_published_files_are_as_generated() -> None:
    """The same bytes from the same inputs: a change of the kernel changes a file."""
    made = documents()
    assert sorted(made) == sorted(path.name for path in FOLDER.iterdir())
    assert {name: (FOLDER / name).read_text("utf-8") for name in made} == made
    assert sum(len(text) for text in made.values()) < 400_000


@pytest.mark.parametrize("kind", KINDS)
def test_published_vectors_hold(kind: str) -> None:
    found, cases = read_document(FOLDER / f"{kind}.json", KINDS)
    assert found == kind
    assert [check_case(NUMPY, kind, case, i) for i, case in enumerate(cases)] == [[]] * len(cases)


def test_windows_cover_what_can_happen() -> None:
    windows = [w for case in published("windows")["cases"] for w in case["windows"]]
    assert {w["source"] for w in windows} == {0, 1, 2, 3}
    assert {w["heads"] for w in windows} == set(HEAD_SETS)
    assert {w["lrShift"] for w in windows} == set(range(3, 16))
    assert 524_160 in {w["loss"] for w in windows}


def test_combat_covers_what_is_refused() -> None:
    """Every way not to be valid, and matches that are over; headings kept and turned."""
    cases = published("combat")["cases"]
    refused = {case["name"] for case in cases if case["next"] is None}
    assert len([name for name in refused if name.startswith("invalid")]) == 20
    assert len([name for name in refused if name.startswith("finished")]) == 3
    turns = set()
    for case in cases:
        if case["next"] is not None:
            before, after = unpack(int(case["word"], 16)).self_, unpack(int(case["next"], 16)).enemy
            moved = before.pos != after.pos
            assert moved or before.heading == after.heading
            turns.add((after.last_action, moved, before.heading != after.heading))
    rests = {(REST, False, False), (BLOCK, False, False), (ATTACK, False, False)}
    steps = {(action, True, turned) for action in (MOVE, BLOCK, ATTACK) for turned in (False, True)}
    assert turns == rests | steps


def test_matches_cover_how_they_end() -> None:
    """A kill, one in the very last turn, and no kill, with a winner by share of hp or none."""
    ends = set()
    for case in published("matches")["cases"]:
        last, turns = unpack(int(case["last"], 16)), len(case["words"])
        killed = 0 in (last.self_.hp, last.enemy.hp)
        out_of_turns = turns == case.get("rules", {}).get("maxTurns", 60)
        ends.add((killed, out_of_turns, case["winner"] >= 0))
    assert ends == {(True, False, True), (True, True, True), (False, True, True)} | {
        (False, True, False)
    }


def trained_turns(case: Any) -> list[int]:
    """The turn of each word that a case's only window trains on."""
    fields = Fields(case, "case")
    dna, (item,) = fields.octets("dna", 32), fields.children("windows")
    ctx, _ = context_of(item, dna, fields.rules())
    state = open_window(genesis_state(fields.unsigned("beastId", 256), dna), 0xFF)
    return [unpack(step_window(ctx, state).word).turn for _ in range(WINDOW_STEPS)]


@pytest.mark.parametrize(
    ("words", "turns", "last"), [(1, 60, 0), (3, 60, 4), (127, 5, 4), (4, 8, 6), (127, 254, 48)]
)
def test_arenas_of_self_play_go_to_their_end(words: int, turns: int, last: int) -> None:
    """To the last word that the season allows, to the last turn, and on until a stand-off."""
    name = f"self-play of {words} words a match, {turns} turns"
    (case,) = (one for one in published("windows")["cases"] if one["name"] == name)
    found = trained_turns(case)
    assert set(found) == set(range(0, last + 1, 2))
    assert all(b in (0, a + 2) for a, b in pairwise(found))


def outputs(kind: str, case: Any) -> Iterator[tuple[Any, str]]:
    """(container, key) of every expected output of a case."""
    names = {
        "labels": ("valid", "move", "attack", "block"),
        "features": ("features",),
        "decoding": ("direction", "power", "block"),
        "combat": ("next",),
        "outcomes": ("winner",),
        "matches": ("words", "last", "winner", "logRoot"),
        "genesis": ("mask", "weightsRoot", "h"),
        "states": ("weightsRoot", "h"),
        "windows": ("segments", "loss"),
    }[kind]
    for holder in case["windows"] if kind == "windows" else [case]:
        yield from ((holder, name) for name in names)


def otherwise(value: Any) -> Any:
    """A value of the same type that is another one, by as little as can be."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str):
        return value[:-1] + ("1" if value[-1] == "0" else "0")
    if isinstance(value, list):
        return [*value[:-1], otherwise(value[-1])]
    return 0  # the move of a word that has none to learn


@pytest.mark.parametrize("kind", KINDS)
def test_any_output_changed_by_one_is_found(kind: str) -> None:
    case = published(kind)["cases"][0]
    if kind == "windows":
        case["windows"] = case["windows"][:1]
    for place, (_, name) in enumerate(outputs(kind, case)):
        forged = copy.deepcopy(case)
        holder, key = list(outputs(kind, forged))[place]
        right = holder[key]
        holder[key] = otherwise(right)
        found = check_case(NUMPY, kind, forged, 5)
        assert len(found) == 1, name
        assert name in found[0].field
        assert found[0].case == 5
        assert found[0].expected != found[0].actual
        del holder[key]
        missing = check_case(NUMPY, kind, forged)
        assert [m.expected for m in missing] == ["(absent)"]


@pytest.mark.parametrize("kind", ["matches", "windows", "features"])
def test_list_cut_short_is_found(kind: str) -> None:
    case = published(kind)["cases"][0]
    holder, name = next((h, n) for h, n in outputs(kind, case) if isinstance(h[n], list))
    holder[name].pop()
    assert [m.field.split()[-1] for m in check_case(NUMPY, kind, case)] == ["(length)"]


WORD = published("features")["cases"][0]["word"]
LABELS = published("labels")["cases"][0]
WINDOW = published("windows")["cases"][0]


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("labels", {"word": 5}, "word is 5, it must be 0x and 64 hex digits"),
        ("labels", {"word": WORD[:-1]}, "64 hex digits"),
        ("labels", {"word": "0x" + "g" * 64}, "64 hex digits"),
        ("labels", {"word": "0x  " + WORD[4:]}, "64 hex digits"),
        ("labels", {"wrod": 5}, "wrod is not a field"),
        ("labels", {"rules": {"damageK": 0}}, "damage_k is 0, it must be 1 to 2184"),
        ("labels", {"rules": {"damage_k": 5}}, "damage_k is not a field"),
        ("labels", {"rules": []}, "rules is not an object"),
        ("features", {"word": "0x" + "00" * 32}, "word is not valid: self and enemy stand on"),
        ("combat", {"action": {"direction": 4, "power": 0, "block": True}}, "direction is 4"),
        ("combat", {"action": {"direction": 1, "power": 16, "block": True}}, "power is 16"),
        ("combat", {"action": {"direction": 1, "power": 1, "block": 1}}, "block is 1"),
        ("combat", {"action": {"direction": True, "power": 1, "block": True}}, "direction is True"),
        ("combat", {"battleSeed": 7}, "16 hex digits"),
        ("decoding", {"logits": [0] * 7}, "logits has 7 numbers, it must have 8"),
        ("decoding", {"logits": [0] * 7 + [32_768]}, "logits[7] is 32768"),
        ("decoding", {"logits": [0] * 7 + ["1"]}, "logits[7] is '1'"),
        ("decoding", {"word": "0x" + "00" * 32}, "word is not valid"),
        ("outcomes", {"dnaA": "0x"}, "64 hex digits"),
        ("states", {"mask": 256}, "mask is 256"),
        ("states", {"weights": [{"index": 0}]}, "value is missing"),
        ("states", {"rest": 16_384}, "rest is 16384"),
        ("matches", {"actions": []}, "actions is empty"),
        ("matches", {"actions": 1}, "actions is not a list"),
        ("matches", {"brains": []}, "actions or brains: a match has one of the two"),
        ("genesis", {"beastId": 1}, "beastId is 1"),
        ("windows", {"windows": [1]}, "windows[0] is not an object"),
        ("windows", {"globalStep": 1 << 32}, "globalStep is 4294967296"),
    ],
)
def test_case_that_is_none_of_its_kind(kind: str, change: dict[str, Any], said: str) -> None:
    case = published(kind)["cases"][0] | {"name": "this one"} | change
    with pytest.raises(VectorFileError) as caught:
        check_case(NUMPY, kind, case, 3)
    assert "case 3 (this one)" in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("brain", "said"),
    [
        ({}, "mask is missing"),
        ({"mask": 256}, "mask is 256"),
        ({"mask": 1, "wildWeights": 7}, "16 hex digits"),
        ({"mask": 1, "weights": [{"index": 16_896, "value": 0}]}, "index is 16896"),
        ({"mask": 1, "weights": [{"index": 0, "value": 16_384}]}, "value is 16384"),
        ({"mask": 1, "weight": []}, "weight is not a field"),
        (None, "brains has 1 entries"),
    ],
)
def test_brain_that_is_none(brain: dict[str, Any] | None, said: str) -> None:
    case = next(one for one in published("matches")["cases"] if "brains" in one)
    case["brains"] = case["brains"][: 1 if brain is None else 2]
    if brain is not None:
        case["brains"][1] = brain
    with pytest.raises(VectorFileError, match=re.escape(said)):
        check_case(NUMPY, "matches", case)


def test_brains_that_differ_fight_otherwise() -> None:
    """A weight, or a slot that sleeps, changes the match: the brains are what plays."""
    case = next(one for one in published("matches")["cases"] if "brains" in one)
    for change in ({"mask": 0}, {"weights": []}):
        forged = copy.deepcopy(case)
        forged["brains"][0] |= change
        assert check_case(NUMPY, "matches", forged) != []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"heads": 2}, "heads is 2, it must be one of"),
        ({"lrShift": 2}, "lrShift is 2, it must be an integer 3 to 15"),
        ({"lrShift": 16}, "lrShift is 16"),
        ({"mask": 0}, "mask is 0, it drops slots"),
        ({"source": 4}, "source is 4"),
        ({"source": 2}, "records is missing"),
        ({"source": 3, "records": []}, "records has 0 words"),
        ({"source": 3, "records": [WORD]}, "ownerSecretFold is missing"),
        ({"source": 2, "records": [WORD, "0x"]}, "records[1] is '0x'"),
    ],
)
def test_window_that_is_none(change: dict[str, Any], said: str) -> None:
    case = WINDOW | {"windows": [WINDOW["windows"][0] | change]}
    with pytest.raises(VectorFileError) as caught:
        check_case(NUMPY, "windows", case)
    assert "windows[0]" in str(caught.value)
    assert said in str(caught.value)


def kernel_command(
    monkeypatch: pytest.MonkeyPatch, home: Path, *arguments: str | Path
) -> int | str | None:
    """Exit code of ``chainbeasts kernel …``."""
    monkeypatch.setenv("CHAINBEASTS_HOME", str(home))
    monkeypatch.setattr(sys, "argv", ["chainbeasts", "kernel", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return left.value.code


def test_check_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """0 for a file that holds, 1 and the place for one that does not."""
    assert kernel_command(monkeypatch, tmp_path, "check", FOLDER / "genesis.json") == 0
    assert "all 17 genesis cases agree (numpy)" in capsys.readouterr().out

    document = published("genesis")
    document["cases"][4]["mask"] ^= 8
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(document))
    assert kernel_command(monkeypatch, tmp_path, "check", forged, "--json") == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert (report["cases"], report["wrong_cases"]) == (17, 1)
    (mismatch,) = report["mismatches"]
    assert (mismatch["case"], mismatch["field"]) == (4, "mask")
    assert mismatch["expected"] == mismatch["actual"] ^ 8
    assert "1 of 17 cases" in said.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "cannot be read"),
        ("{", "is not JSON"),
        ("[]", "is not an object"),
        ({"format": "chainbeasts-vectors-1"}, "format is 'chainbeasts-vectors-1'"),
        ({"kernelId": "0x" + "00" * 32}, "kernelId is of another kernel, 0x00000000000000"),
        (
            {
                "kernelId": f"0x{next(iter(FORMER_KERNELS)).hex()}",
                "format": "chainbeasts-vectors-1",
            },
            "kernelId is of another kernel, chainbeasts-kernel-1 (0xcb485e445de339c2…); this one "
            "is chainbeasts-kernel-2",
        ),
        ({"kind": "moves"}, "kind is 'moves'"),
        ({"kind": []}, "kind is []"),
        ({"cases": []}, "cases is empty"),
        ({"cases": [5]}, "case 0 is not an object"),
        ({"cases": [{}]}, "case 0: beastId is missing"),
        ({"extra": 1}, "extra is not a field"),
        ({"about": "\ud800"}, "half a surrogate pair"),
    ],
)
def test_check_command_on_a_foreign_file(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str | dict[str, Any] | None,
    said: str,
) -> None:
    """2, one sentence, no traceback, nothing on stdout."""
    path = tmp_path / "given.json"
    if text is not None:
        path.write_text(text if isinstance(text, str) else json.dumps(published("genesis") | text))
    assert kernel_command(monkeypatch, tmp_path, "check", path) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("Error: ") == 1
    assert said in err
    assert "Traceback" not in err


def test_file_that_is_not_text(tmp_path: Path) -> None:
    path = tmp_path / "given.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(VectorFileError, match="is not JSON"):
        read_document(path, KINDS)


def test_vectors_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Writes the published files; ``--check`` names one that differs."""
    made = tmp_path / "made"
    assert kernel_command(monkeypatch, tmp_path, "vectors", "-o", made) == 0
    for path in FOLDER.iterdir():
        assert (made / path.name).read_bytes() == path.read_bytes()
    (made / "combat.json").write_text("{}")
    (made / "labels.json").unlink()
    capsys.readouterr()
    assert kernel_command(monkeypatch, tmp_path, "vectors", "-o", made, "--check") == 1
    assert "labels.json, combat.json" in capsys.readouterr().err


def test_vectors_command_where_nothing_can_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("")
    assert kernel_command(monkeypatch, tmp_path, "vectors", "-o", tmp_path / "taken") == 1
    assert "cannot be written" in capsys.readouterr().err
