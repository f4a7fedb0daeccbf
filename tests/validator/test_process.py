"""The daemon as a process: killed at any instant it goes on; it reports, and ends in order."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from chainbeasts.backend.accounts import create_keystore, devnet_account
from chainbeasts.backend.kernel.samples import Source, random_position
from scripts.lib.faulty_node import ODD, FaultyNode
from tests.support.endpoints import get
from tests.support.forked import Program
from tests.support.patience import PATIENCE, eventually
from tests.validator.conftest import VALIDATOR, Rig
from tests.validator.test_daemon import one_weight, write_dataset

ROOT = Path(__file__).parents[2]
RUN = ("validator", "run", "--strategy", "cheap")


def arguments(rig: Rig, url: str, *more: str) -> list[str]:
    return [
        *RUN,
        *("--home", str(rig.home), "--rpc-url", url),
        *("--account", f"devnet:{VALIDATOR}"),
        *more,
    ]


def killed(rig: Rig, program: Program, when: str) -> int:
    """Run one pass that may kill itself; its exit status."""
    given = arguments(rig, rig.chain.rpc_url, "--once", "--workers", "0")
    return program.run([when, *given], os.environ, module="tests.validator.killed").returncode


def test_kill_at_any_instant_of_filing_leaves_one_dispute_and_one_bond(
    rig: Rig, program: Program
) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    for when in ("planned", "signed"):
        assert killed(rig, program, when) == -signal.SIGKILL
        assert rig.disputes == 0
    assert killed(rig, program, "sent") == -signal.SIGKILL
    eventually(lambda: rig.disputes == 1)  # Anvil mines after it has answered
    assert killed(rig, program, "never") == 0
    assert rig.disputes == 1
    locked = rig.chain.standing(rig.chain.digest(beast, cheat.checkpoint)).bond
    assert locked == 2 * cheat.checkpoint.payload.energy_burn
    assert rig.chain.escrow_of(devnet_account(VALIDATOR).address) == 0  # no second bond set aside


def wait_for(log: Path, pattern: str) -> str:
    """The first match of a pattern in a process's log."""
    found = eventually(lambda: re.search(pattern, log.read_text()), log.read_text)
    assert found is not None
    return found[1]


def told_with(status: int, url: str) -> tuple[int, str] | None:
    """What is answered, if it is answered with a status."""
    answer = get(url)
    return answer if answer[0] == status else None


def test_process_reports_its_health_and_ends_on_sigterm(rig: Rig, program: Program) -> None:
    beast = rig.hatch()
    rig.train(beast)
    given = arguments(rig, rig.chain.rpc_url.replace("http", "ws"), "--workers", "1")
    process = program.begin(given, os.environ)
    try:
        url = wait_for(process.err, r"health=(http\S+)")
        wait_for(process.err, r"(judged)")
        answer, told = eventually(lambda: told_with(200, url + "/readyz"))
        assert (answer, json.loads(told)["status"]) == (200, "ready")
        assert get(url + "/healthz")[0] == 200
        figures = get(url + "/metrics")[1]
        assert 'chainbeasts_validator_jobs{verdict="valid"} 1.0' in figures
        assert "chainbeasts_validator_replay_seconds_count 1.0" in figures
        second = program.run(given, os.environ)
        assert second.returncode == 1
        assert "already runs" in second.stderr
        assert "Traceback" not in second.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait() == 0
    finally:
        process.kill()


def test_a_daemon_waits_for_its_node_lives_through_nonsense_and_ends_by_a_silent_one(
    rig: Rig, program: Program
) -> None:
    beast = rig.hatch()
    with FaultyNode(rig.chain.rpc_url, seed=11) as node:
        node.down = True
        given = arguments(rig, node.url, "--workers", "0", "--poll", "0.1")
        process = program.begin(given, os.environ)
        try:
            wait_for(process.err, r"(waiting for the node)")
            node.behave()
            wait_for(process.err, r"(validator started)")
            node.misbehave(odd=0.15, errors=0.05)
            rig.train(beast)
            wait_for(process.err, r"(judged)")
            eventually(lambda: sum(node.faults[fault] for fault in ODD) > 0)
            node.misbehave(slow=1.0, delay=PATIENCE)
            time.sleep(0.5)  # some call waits for its answer now
            before = len(process.err.read_text())
            process.send_signal(signal.SIGTERM)
            assert process.wait() == 0
        finally:
            process.kill()
    assert "Traceback" not in process.err.read_text()
    assert "(TimeoutError)" not in process.err.read_text()[before:]  # it was not waited for


PASSWORD, KEY = "correct-horse-battery", "0123456789abcdef0123456789abcdef"


def command_lines(pid: int) -> bytes:
    """What process lists show of a process and its children."""
    shown = [Path(f"/proc/{pid}/cmdline").read_bytes()]
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended since
            shown.append(Path(f"/proc/{child}/cmdline").read_bytes())
    return b"\n".join(shown)


def test_no_secret_is_said_or_shown(rig: Rig, tmp_path: Path) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    rig.train(beast, source=Source.PRIVATE, tamper=(37, one_weight))
    write_dataset(rig, beast, tmp_path / "private")
    key = devnet_account(VALIDATOR)
    create_keystore(rig.settings.keystore_dir, "val", PASSWORD, key)
    password = tmp_path / "password"
    password.write_text(PASSWORD)
    password.chmod(0o600)
    with FaultyNode(rig.chain.rpc_url) as node:
        address = f"http://me:hush-hush@{node.url.removeprefix('http://')}/v3/{KEY}?api={KEY}"
        environment = os.environ | {
            "CHAINBEASTS_HOME": str(rig.home),
            "CHAINBEASTS_RPC_URL": address,
            "CHAINBEASTS_ACCOUNT": "val",
            "CHAINBEASTS_PASSWORD_FILE": str(password),
            "CHAINBEASTS_DATASETS": str(tmp_path / "private"),
            "CHAINBEASTS_LOG_LEVEL": "debug",
        }
        command = [
            sys.executable,
            "-m",
            "chainbeasts.backend.cli",
            *RUN,
            "--workers",
            "1",
            "--poll",
            "0.1",
        ]
        log = tmp_path / "log"
        with (
            log.open("w") as out,
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
        ):
            try:
                url = wait_for(log, r"health=(http\S+)")
                wait_for(log, r"(move made)")
                shown = command_lines(process.pid).decode()
                node.down = True
                wait_for(log, r"(waiting for the node)")
                said = get(url + "/readyz")[1] + get(url + "/metrics")[1]
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=PATIENCE)
            finally:
                process.kill()
    said += log.read_text()
    assert "http://***@127.0.0.1" in said
    assert "No node answers" in said
    assert "chainbeasts.backend.cli" in shown
    secret = rig.private[beast].secret
    secrets = (PASSWORD, "hush-hush", KEY, key.key.hex(), secret.hex(), secret.decode("latin1"))
    for hidden in secrets:
        assert hidden not in said
        assert hidden not in shown
