"""What commands print on, how they are interrupted, and the schema of what they print."""

from __future__ import annotations

import codecs
import io
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from chainbeasts.backend.cli import main, output, units
from chainbeasts.backend.cli.output import plain, table
from tests.support.patience import PATIENCE

ROOT = Path(__file__).parents[2]
SCHEMA = (ROOT / "docs" / "guides" / "json.md").read_text("utf-8")
PROGRAM = [sys.executable, "-m", "chainbeasts.backend.cli"]


def started(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """A real process of its own, and not a fork of a loaded one."""
    # Unmeasured: coverage.py begins before the program, costs time, and does not hold signals back.
    own = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    environment = {**own, "NO_COLOR": "1", **options.pop("env", {})}
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    return subprocess.Popen([*PROGRAM, *arguments], cwd=ROOT, env=environment, **given)


def test_the_version_costs_little() -> None:
    # Load only adds to what a process computes.
    assert any(version_seconds() < 0.3 for _ in range(5))


def version_seconds() -> float:
    """What ``--version`` computes."""
    process = started("--version")
    assert process.stdout is not None
    assert process.stdout.read().startswith(b"chainbeasts ")
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    process.communicate()
    return used.ru_utime + used.ru_stime


def test_the_arithmetic_of_other_chains_keystores_is_loaded_when_one_is_made() -> None:
    script = """if True:
        from chainbeasts import backend
        import sys, web3
        from eth_account import Account
        assert "py_ecc.bls" not in sys.modules
        made = Account.create()
        kept = Account.encrypt(made.key, "secret", kdf="pbkdf2", iterations=1)
        assert Account.decrypt(kept, "secret") == made.key
        import eth_keyfile.keyfile
        assert eth_keyfile.keyfile.create_keyfile_json is eth_keyfile.create_keyfile_json
        assert "py_ecc.bls" not in sys.modules
        beacon = eth_keyfile.create_keyfile_json(
            bytes(31) + b"1", b"secret", version=4, kdf="pbkdf2", iterations=1
        )
        from py_ecc.bls import G2ProofOfPossession
        assert beacon["pubkey"] == G2ProofOfPossession.SkToPk(ord("1")).hex()
        assert eth_keyfile.decode_keyfile_json(beacon, b"secret") == bytes(31) + b"1"
        assert sys.getrecursionlimit() == backend.RECURSION_LIMIT
    """
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


FIGHT = ("battle", "simulate", "11" * 32, "22" * 32, "--seeds", "1000000")
"""A command that takes long and needs no node."""

TICK = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_ctrl_c_at_any_moment_is_quiet() -> None:
    """While modules are loaded and while the command runs; by its own time, as load shifts ours."""
    most = max(version_seconds() for _ in range(3))
    moments = (max(0.15, 2 * most), 0.6, 1.8)
    running = [started(*FIGHT) for _ in moments]
    for process, moment in zip(running, moments, strict=True):
        while cpu_seconds(process.pid) < moment:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
    for process, moment in zip(running, moments, strict=True):
        said, told = process.communicate(timeout=PATIENCE)
        assert (process.returncode, said, told) == (130, b"", b""), moment


FINALIZER = """
import time

class Ended:
    def __del__(self):
        raise KeyboardInterrupt

Ended()
while True:
    time.sleep(0.01)
"""

SET_NAME = """
class Named:
    def __set_name__(self, owner, name):
        raise KeyboardInterrupt

class Owner:
    name = Named()
"""


@pytest.mark.parametrize(
    "interrupted",
    ["raise KeyboardInterrupt", SET_NAME, FINALIZER],
    ids=["code", "name", "finalizer"],
)
def test_ctrl_c_in_an_odd_place_is_quiet(interrupted: str, tmp_path: Path) -> None:
    """In code that is made from text, as of all dataclasses, and where Python wraps or only tells
    errors."""
    (tmp_path / "interrupted.py").write_text(
        "from chainbeasts.backend.cli import commands, main\n"
        f"commands.run = lambda command, arguments: exec({interrupted!r}, {{}})\n"
        "main.main()\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    program = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(
        program, env=environment, capture_output=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("arguments", [("--version",), ("kernel", "id")])
def test_a_closed_or_full_stdout_is_no_traceback(arguments: tuple[str, ...]) -> None:
    shell = ("sh", "-c", 'exec "$@" >&-', "sh", *PROGRAM, *arguments)
    done = subprocess.run(shell, cwd=ROOT, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    with open("/dev/full", "wb") as full:
        _, told = (process := started(*arguments, stdout=full)).communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert b"Traceback" not in told
    if arguments == ("--version",):
        return
    assert told == b"Error: No space left on device.\n"
    reader, writer = os.pipe()
    os.close(reader)
    _, told = (process := started(*arguments, stdout=writer)).communicate(timeout=PATIENCE)
    os.close(writer)
    assert (process.returncode, told) == (1, b"")


def test_a_stream_without_a_character_or_a_width_is_written_all_the_same() -> None:
    bare = {"PYTHONIOENCODING": "ascii", "COLUMNS": "0"}
    said, told = started("kernel", "id", env=bare).communicate(timeout=PATIENCE)
    assert told == b""
    assert re.search(r"id\W+0x[0-9a-f]{64}", said.decode("ascii")), said


def test_what_an_encoding_lacks_is_spelled_otherwise() -> None:
    codecs.register_error("spelled", main._spell)
    assert "no…such×file – π".encode("ascii", "spelled") == b"no...suchxfile - ?"


def drawn(view: Any, width: int) -> str:
    """A view on a terminal of that width."""
    file = io.StringIO()
    Console(file=file, width=width, soft_wrap=True, highlight=False).print(view)
    return file.getvalue()


def test_a_table_that_does_not_fit_is_written_row_by_row() -> None:
    address = "0x" + "ab" * 20
    rows = [(1, address, "waiting for its block"), (2, address, "")]
    view = table("Things", ("thing", "owner", "state"), rows)
    assert f"│ {address} │" in drawn(view, 100)
    narrow = drawn(view, 40).splitlines()
    assert narrow[:5] == [
        "Things", "", "thing: 1", f"owner: {address}", "state: waiting for its block",
    ]  # fmt: skip
    assert narrow[5:] == ["", "thing: 2", f"owner: {address}"]
    pairs = drawn(output.fields("Thing", {"owner": address, "bond": 5 * 10**17}), 40)
    assert pairs.splitlines() == ["Thing", f"owner: {address}", "bond: 0.5 ENERGY"]


def test_the_guide_lists_the_fields_that_are_amounts_and_times() -> None:
    rows = dict(
        re.findall(r"^\| (wei of ENERGY|wei of native coin|time) \| (.+) \|$", SCHEMA, re.M)
    )
    named = {unit: set(re.findall(r"`([a-z_0-9]+)`", text)) for unit, text in rows.items()}
    assert named["wei of ENERGY"] == units.ENERGY
    assert named["wei of native coin"] == units.COIN
    assert named["time"] == units.TIMES | {"_at", "_at_most", "_deadline", "_until"}
    assert not units.ENERGY & units.COIN


def test_amounts_are_strings_and_times_are_iso_8601() -> None:
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    seconds = int(moment.timestamp())
    found = plain(
        {
            "bond": 0, "reward": [1, 10**18], "final_at": seconds, "withdrawable_at": 0,
            "judged_at": moment, "naive_at": moment.replace(tzinfo=None), "gas_used": 5,
            "seed": 1 << 60, "proven": True, "response_deadline": None,
        }
    )  # fmt: skip
    time_ = "2026-01-31T12:00:00Z"
    assert found == {
        "bond": "0", "reward": ["1", str(10**18)], "final_at": time_, "withdrawable_at": None,
        "judged_at": time_, "naive_at": time_, "gas_used": 5, "seed": str(1 << 60), "proven": True,
        "response_deadline": None,
    }  # fmt: skip
    shown = drawn(table("", ("bond", "final at"), [(5 * 10**17, seconds)]), 80)
    assert "0.5 ENERGY" in shown
    assert "2026-01-31 12:00:00 UTC" in shown
