"""``chainbeasts validator``: the daemon, what it found, and a single window judged by hand."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
import typer
from filelock import FileLock, Timeout
from rich.console import Group

from backend.chain.seasons import parse_energy
from backend.cli.options import HealthPortOption, PollOption
from backend.cli.output import energy, table
from backend.cli.session import Session, command
from backend.errors import ChainBeastsError
from backend.indexer.follow import Waker
from backend.monitoring.server import serve
from backend.redact import redact_url
from backend.store.daemons import JobRow, MatchJobRow
from validator.cli import backfill, matches, verification
from validator.cli.options import (
    CORES,
    AllowOption,
    ConfirmationsOption,
    DatasetsOption,
    DefendOption,
    DefensiveOption,
    DenyOption,
    DryRunOption,
    MaxBondsOption,
    OnceOption,
    PayoutOption,
    RecheckOption,
    SchedulerOption,
    SnapshotsOption,
    StrategyOption,
    WorkersOption,
    address_of,
    workspace_of,
)
from validator.enforce.policy import Policy
from validator.enforce.strategy import Strategy
from validator.judge.cases import CaseReader
from validator.judge.cluster import Cluster
from validator.judge.jobs import JobStore
from validator.judge.matches import MatchJobStore
from validator.operations.metrics import ValidatorMetrics
from validator.scope import Scope, parse_names
from validator.setup import make_validator

log = structlog.get_logger()


app = typer.Typer(help="Replay what trainers submit, and act on what is wrong.")


@command(app, "run", signs=True, example="chainbeasts validator run --account devnet:2")
def run(
    session: Session,
    strategy: StrategyOption = Strategy.FAST,
    once: OnceOption = False,
    dry_run: DryRunOption = False,
    workers: WorkersOption = CORES,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    scheduler: SchedulerOption = None,
    recheck: RecheckOption = 0.01,
    max_bonds: MaxBondsOption = None,
    defensive: DefensiveOption = False,
    defend: DefendOption = True,
    allow: AllowOption = None,
    deny: DenyOption = None,
    payout: PayoutOption = None,
    confirmations: ConfirmationsOption = 0,
    poll: PollOption = 1.0,
    health_port: HealthPortOption = 0,
) -> None:
    """Follow the chain: replay every window, dispute the wrong ones, prove, and collect."""
    cap = None if max_bonds is None else parse_energy(max_bonds)
    scope = Scope(parse_names(allow or (), "--allow"), parse_names(deny or (), "--deny"))
    policy = Policy(strategy, cap, defensive=defensive, defend=defend, scope=scope)
    payout = address_of(payout, "--payout")
    cluster = None if scheduler is None else Cluster(scheduler, recheck)
    workspace = workspace_of(
        session, datasets=datasets, snapshots=snapshots, confirmations=confirmations
    )
    sender = None if dry_run else session.sender
    monitor, waker = ValidatorMetrics(), Waker(session.rpc_url, poll)
    with (
        _only_one(session, None if sender is None else sender.address),
        _signals(waker),
        serve(monitor, health_port) as port,
    ):
        log.info(
            "validator started",
            chain=session.chain.deployment.chain_id,
            node=redact_url(session.rpc_url),
            account=None if sender is None else sender.address,
            strategy=str(strategy),
            health=f"http://127.0.0.1:{port}",
        )
        validator = make_validator(
            workspace,
            sender,
            policy=policy,
            workers=workers,
            cluster=cluster,
            payout=payout,
            monitor=monitor,
            waker=waker,
        )
        try:
            if once:
                validator.run_once()
            else:
                validator.follow()
        finally:
            waker.stop()
            validator.close()
    if once:
        _show_status(session, workspace.reader)


@contextmanager
def _only_one(session: Session, address: str | None) -> Iterator[None]:
    """Hold the account's lock against a second daemon of this home."""
    if address is None:
        yield
        return
    folder = session.settings.home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    name = f"validator-{session.chain.deployment.chain_id}-{address}.lock"
    try:
        with FileLock(folder / name, timeout=0):
            yield
    except Timeout:
        raise ChainBeastsError(
            f"A validator of {address} already runs with this home.",
            "End it first, or act with another --account.",
        ) from None


@contextmanager
def _signals(waker: Waker) -> Iterator[None]:
    """End in good order on SIGTERM and SIGINT."""

    def stop(number: int, frame: object) -> None:
        waker.stop()

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@command(app, "status", example="chainbeasts validator status --json")
def status(session: Session) -> None:
    """Show the jobs and their verdicts, and the open disputes."""
    workspace = workspace_of(session)
    workspace.sync()
    _show_status(session, workspace.reader)


def _job(row: JobRow) -> dict[str, Any]:
    return {
        "beast": row.beast_id,
        "checkpoint": row.index,
        "h128": row.h128,
        "verdict": row.verdict or "waiting",
        "mode": row.mode,
        "reason": row.reason,
        "judged_at": None if row.judged_at is None else row.judged_at.isoformat(),
    }


def _match_job(row: MatchJobRow) -> dict[str, Any]:
    return {
        "match": row.match_id,
        "log_root": row.log_root,
        "verdict": row.verdict or "waiting",
        "reason": row.reason,
        "judged_at": None if row.judged_at is None else row.judged_at.isoformat(),
    }


def _show_status(session: Session, reader: CaseReader) -> None:
    jobs = JobStore(reader.database)
    rows = [_job(row) for row in jobs.all()]
    disputes = reader.open_disputes()
    bonds = sum(row.bond for row in disputes)
    match_jobs = MatchJobStore(reader.database)
    value: dict[str, Any] = {
        "verdicts": dict(jobs.counts()),
        "match_verdicts": dict(match_jobs.counts()),
        "matches": [_match_job(row) for row in match_jobs.all()],
        "open_disputes": [row.dispute_id for row in disputes],
        "bonds_in_open_disputes": bonds,
        "jobs": rows,
    }
    title = f"{len(disputes)} open disputes with {energy(bonds)} of bonds; jobs:"
    columns = ("beast", "checkpoint", "verdict", "mode", "reason")
    cells = [["" if row[name] is None else row[name] for name in columns] for row in rows]
    fought = [[row[name] for name in ("match", "verdict", "reason")] for row in value["matches"]]

    def view() -> Group:
        windows = table(title, columns, cells)
        found = [table("Records of matches:", ("match", "verdict", "reason"), fought)]
        return Group(windows, *(found if fought else ()))

    session.show(value, view)


verification.register(app)
backfill.register(app)
matches.register(app)
