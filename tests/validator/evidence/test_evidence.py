"""Evidence bundles: made on a chain, verified without one, and hostile ones refused."""

from __future__ import annotations

import io
import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.validator.cli.dispute import app as dispute
from chainbeasts.validator.evidence import archive
from chainbeasts.validator.evidence.bundle import make_bundle
from chainbeasts.validator.evidence.check import verify
from chainbeasts.validator.judge.windows import check
from tests.validator.conftest import OTHER, VALIDATOR, Rig, Submitted
from tests.validator.test_commands import done, invoke, refused
from tests.validator.test_daemon import one_weight, write_dataset

NOWHERE = "http://127.0.0.1:9"


def verified(path: Path) -> dict[str, Any]:
    """What `verify-bundle` prints on a machine with no node, no home and no deployment."""
    home = path.parent / "elsewhere"
    words = ["verify-bundle", str(path), "--json", "--home", str(home), "--rpc-url", NOWHERE]
    result = CliRunner().invoke(dispute, words)
    if result.exception is not None:
        raise result.exception
    assert not home.exists()
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def disputed(rig: Rig) -> tuple[int, Submitted]:
    """A wrong second window under a dispute that its trainer has answered; segment 4 is wrong."""
    beast = rig.hatch()
    honest = rig.train(beast)
    cheat = rig.train(beast, honest, tamper=(37, one_weight))
    done(rig, "dispute", "file", str(beast), "1", "--yes", who=VALIDATOR)
    rig.open_all(beast, cheat, honest)
    return beast, cheat


_bundles: list[bytes] = []


@pytest.fixture
def evidence(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The bundle of a dispute whose chain may be gone: what is verified offline is made once."""
    path = tmp_path / "evidence.zip"
    if not _bundles:
        rig: Rig = request.getfixturevalue("rig")
        disputed(rig)
        done(rig, "dispute", "bundle", "1", "-o", str(path))
        _bundles.append(path.read_bytes())
    path.write_bytes(_bundles[0])
    return path


def test_a_dispute_is_verified_by_who_has_only_the_file(rig: Rig, tmp_path: Path) -> None:
    beast, cheat = disputed(rig)
    path = tmp_path / "evidence.zip"
    bundled = done(rig, "dispute", "bundle", "1", "-o", str(path))
    assert (bundled["verdict"], bundled["bytes"]) == ("invalid", path.stat().st_size)
    found = verified(path)
    assert (found["verdict"], found["first_wrong_segment"]) == ("invalid", 4)
    assert (found["beast"], found["checkpoint"]) == (beast, 1)
    assert found["h128"] == "0x" + cheat.checkpoint.payload.h128.hex()
    assert found["h128"] != found["replayed"]
    assert not found["compared_with_chain"]
    assert done(rig, "dispute", "verify-bundle", str(path), "--with-chain")["compared_with_chain"]

    before = path.read_bytes()
    done(rig, "dispute", "bundle", "1", "-o", str(path))
    assert path.read_bytes() == before  # the same facts, the same bytes
    done(rig, "dispute", "prove", "1", who=OTHER)
    refused(rig, "exists", "dispute", "bundle", "1", "-o", str(path), who=None)
    assert path.read_bytes() == before
    done(rig, "dispute", "bundle", "1", "-o", str(path), "--force")
    manifest = json.loads(archive.read(path)[archive.MANIFEST])
    assert (manifest["dispute"]["status"], manifest["dispute"]["conviction"]) == (
        "upheld",
        "segment",
    )
    names = [event["name"] for event in manifest["events"]]
    assert names[:3] == ["CheckpointSubmitted", "DisputeFiled", "SegmentsOpened"]
    assert names.count("OpeningAccepted") == 2  # the segments, and the state that it starts from
    assert names[-2:] == ["ProofWindowOpened", "DisputeUpheld"]
    assert verified(path)["verdict"] == "invalid"
    done(rig, "dispute", "verify-bundle", str(path), "--with-chain")


def test_a_wrong_dispute_makes_evidence_for_the_trainer(rig: Rig, tmp_path: Path) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    done(rig, "dispute", "file", str(beast), "0", "--yes", who=VALIDATOR)
    rig.open_all(beast, honest)
    path = tmp_path / "evidence.zip"
    done(rig, "dispute", "bundle", "1", "-o", str(path))
    found = verified(path)
    assert (found["verdict"], found["first_wrong_segment"]) == ("valid", None)
    assert found["h128"] == found["replayed"]


def test_a_private_dataset_is_in_it_only_once_it_is_public(rig: Rig, tmp_path: Path) -> None:
    rules = rig.chain.season(1).rules
    words = [random_position(seed, None, rules) for seed in range(8)]
    beast = rig.hatch(words)
    first = rig.train(beast, source=Source.PRIVATE)
    rig.train(beast, first, source=Source.PRIVATE, tamper=(3, one_weight))
    write_dataset(rig, beast, rig.home / "beasts")
    path = tmp_path / "evidence.zip"
    workspace = rig.workspace()
    workspace.sync()
    case = workspace.reader.find(beast, 1)
    window, judgement = check(workspace.states, case)
    with pytest.raises(ChainBeastsError, match="no dispute has opened them"):
        make_bundle(workspace.states, case, window, judgement)
    files = [str(rig.home / "beasts" / name) for name in ("anything", "else.hex")]
    reveal = ("--dataset", files[0], "--secret-file", files[1], "--yes")
    done(rig, "dispute", "file", str(beast), "1", *reveal, who=VALIDATOR)
    done(rig, "dispute", "bundle", "1", "-o", str(path))
    assert archive.read(path)[archive.DATASET] == rig.private[beast].compressed
    found = verified(path)
    assert (found["verdict"], found["first_wrong_segment"]) == ("invalid", None)
    done(rig, "dispute", "verify-bundle", str(path), "--with-chain")


Change = Callable[[dict[str, Any]], None]


def changed(path: Path, change: Change) -> Path:
    """The bundle with another manifest."""
    members = archive.read(path)
    manifest = json.loads(members[archive.MANIFEST])
    change(manifest)
    members[archive.MANIFEST] = json.dumps(manifest).encode()
    other = path.with_name("other.zip")
    other.write_bytes(archive.pack(members))
    return other


def put(*where: str, value: Any) -> Change:
    def change(manifest: dict[str, Any]) -> None:
        for name in where[:-1]:
            manifest = manifest[name]
        manifest[where[-1]] = value

    return change


def another_terrain(manifest: dict[str, Any]) -> None:
    """A seed whose last six bits, which choose the terrain, are sure to be others."""
    seed = int(manifest["context"]["epoch_seed"], 16) ^ 1
    manifest["context"]["epoch_seed"] = f"0x{seed:064x}"


ZEROS, SOME = "0x" + "00" * 32, "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (put("claim", "verdict", value="valid"), "another verdict"),
        (put("claim", "reason", value="because"), "another reason"),
        (put("claim", "segments", value=[SOME] * 16), "another segment hashes"),
        (put("claim", "first_divergent", value=3), "another first wrong segment"),
        (put("dispute", "segments", value=[SOME] * 16), "do not end in h128"),
        (another_terrain, "another segment hashes"),
        (put("context", "heads", value=2), "context.heads"),
        (put("context", "rules", value={"damage_k": 1}), "no season's"),
        (put("context", "rules", value={"damage": 1}), "no season's"),
        (put("context", "rules", "max_turns", value=4_000_000_000), "no season's"),
        (put("checkpoint", "bond", value="7"), "digest"),
        (put("checkpoint", "bond", value=7.5), "checkpoint.bond"),
        (put("checkpoint", "bond", value="9" * 100), "checkpoint.bond"),
        (put("checkpoint", "index", value=-1), "checkpoint.index"),
        (put("checkpoint", "payload", "source", value=3), "digest"),
        (put("chain_id", value=1), "digest"),
        (put("kernel_id", value=ZEROS), "kernel"),
        (put("kernel_id", value="0x12"), "kernel_id"),
        (put("format", value="chainbeasts-evidence-2"), "format"),
        (put("more", value=1), "more"),
        (put("events", value=[{}] * 300), "events"),
    ],
)
def test_a_changed_manifest_is_found_out(change: Change, said: str, evidence: Path) -> None:
    with pytest.raises(ChainBeastsError) as caught:
        verified(changed(evidence, change))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_only_the_chain_knows_is_compared_with_it(rig: Rig, tmp_path: Path) -> None:
    disputed(rig)
    path = tmp_path / "evidence.zip"
    done(rig, "dispute", "bundle", "1", "-o", str(path))
    changes = {
        "another checkpoint": put("dispute", "filer", value="0x" + "11" * 20),
        "no such submission": put("events", value=[]),
        "other facts": put("context", "epoch_seed", value=SOME),
        "another deployment": put("court", value="0x" + "11" * 20),
    }
    for said, change in changes.items():
        other = changed(path, change)
        result = invoke(rig, "dispute", "verify-bundle", str(other), "--with-chain")
        assert isinstance(result.exception, ChainBeastsError)
        assert said in str(result.exception)


def test_hostile_files_are_refused_with_one_sentence(evidence: Path, tmp_path: Path) -> None:
    members = archive.read(evidence)

    def file(compression: int = zipfile.ZIP_STORED, **more: bytes) -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", compression) as made:
            for name, data in (members | more).items():
                made.writestr(name, data)
        return buffer.getvalue()

    def twice() -> bytes:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            made.writestr(archive.MANIFEST, b"{}")
            with pytest.warns(UserWarning, match="Duplicate"):
                made.writestr(archive.MANIFEST, b"{}")
        return buffer.getvalue()

    good = evidence.read_bytes()
    hostile = {
        "compressed": file(zipfile.ZIP_DEFLATED),
        "member '../../etc": file(**{"../../etc/passwd": b""}),
        "there twice": twice(),
        "parent.state has": file(**{archive.PARENT: bytes(40_000)}),
        "guard bit": file(**{archive.PARENT: bytes(33_984)}),
        "another hash": file(**{archive.PARENT: members[archive.PARENT][:-1] + b"\xff"}),
        "lacks the parent": archive.pack({archive.MANIFEST: members[archive.MANIFEST]}),
        "manifest is missing": archive.pack({archive.PARENT: members[archive.PARENT]}),
        "dataset and no private": file(**{archive.DATASET: b"x"}),
        "does not fit": file(**{archive.MANIFEST: b"[" * 60_000}),
        "manifest.json": file(**{archive.MANIFEST: b"\xff\xfe"}),
        "no evidence bundle": good[: len(good) // 2],
        "more than": good + bytes(760_000),
        "zip": b"",
    }
    for said, data in hostile.items():
        path = tmp_path / "hostile.zip"
        path.write_bytes(data)
        with pytest.raises(ChainBeastsError) as caught:
            verified(path)
        assert said in str(caught.value), (said, str(caught.value))
        assert "\n" not in str(caught.value)
    with pytest.raises(ChainBeastsError, match="cannot be read"):
        verified(tmp_path / "absent.zip")


def test_no_damage_does_more_than_be_refused(evidence: Path) -> None:
    good = evidence.read_bytes()
    dice = random.Random(5)
    interesting = [*range(200), *range(len(good) - 300, len(good))]
    for _ in range(300):
        damaged = bytearray(good)
        for _ in range(dice.randint(1, 3)):
            damaged[dice.choice(interesting)] = dice.randrange(256)
        try:
            found = verify(archive.unpack(bytes(damaged)))
        except ChainBeastsError:
            continue
        assert found.bundle.manifest.encode() == archive.unpack(good)[archive.MANIFEST]
