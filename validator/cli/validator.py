"""``chainbeasts validator run``: the daemon; the noun's other verbs register beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
import typer
from filelock import FileLock, Timeout

from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli.ending import ended_by_signals, when_there
from chainbeasts.backend.cli.options import HealthPortOption, PollOption
from chainbeasts.backend.cli.sending import refuse_contracts
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.monitoring.server import serve
from chainbeasts.backend.redact import redact_url
from chainbeasts.validator.cli import backfill, matches, status, verification
from chainbeasts.validator.cli.options import (
    CORES,
    DEFAULT_RECHECK,
    DISK_MB,
    MEMORY_MB,
    AllowOption,
    ConfirmationsOption,
    DatasetsOption,
    DefendOption,
    DefensiveOption,
    DenyOption,
    DiskBudgetOption,
    DryRunOption,
    EnergyBudgetOption,
    EnergyPriceOption,
    GasBudgetOption,
    MaxBondsOption,
    MemoryBudgetOption,
    OnceOption,
    OpenAfterOption,
    OpenBudgetOption,
    OpenRateOption,
    PayoutOption,
    RecheckOption,
    SchedulerOption,
    SnapshotsOption,
    StrategyOption,
    WorkersOption,
    amount,
)
from chainbeasts.validator.cli.status import show_status
from chainbeasts.validator.cli.workspace import workspace_of
from chainbeasts.validator.daemon import Validator
from chainbeasts.validator.enforce.policy import GAS_BUDGET, OPEN_AFTER, OPEN_RATE, Policy
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.judge.cluster import Cluster
from chainbeasts.validator.operations.metrics import ValidatorMetrics
from chainbeasts.validator.scope import Scope, parse_names
from chainbeasts.validator.setup import ValidatorWorkspace, make_validator

log = structlog.get_logger()


app = typer.Typer(help="Replay what trainers submit, and act on what is wrong.")


@command(app, "run", signs=True, example="chainbeasts validator run --account devnet:2")
def run(
    session: Session,
    strategy: StrategyOption = Strategy.CHEAP,
    once: OnceOption = False,
    dry_run: DryRunOption = False,
    workers: WorkersOption = CORES,
    datasets: DatasetsOption = None,
    snapshots: SnapshotsOption = None,
    scheduler: SchedulerOption = None,
    recheck: RecheckOption = DEFAULT_RECHECK,
    memory_budget: MemoryBudgetOption = MEMORY_MB,
    disk_budget: DiskBudgetOption = DISK_MB,
    max_bonds: MaxBondsOption = None,
    defensive: DefensiveOption = False,
    defend: DefendOption = False,
    gas_budget: GasBudgetOption = GAS_BUDGET,
    energy_budget: EnergyBudgetOption = None,
    energy_price: EnergyPriceOption = None,
    open_after: OpenAfterOption = OPEN_AFTER,
    open_rate: OpenRateOption = OPEN_RATE,
    open_budget: OpenBudgetOption = None,
    allow: AllowOption = None,
    deny: DenyOption = None,
    payout: PayoutOption = None,
    confirmations: ConfirmationsOption = 0,
    poll: PollOption = 1.0,
    health_port: HealthPortOption = 0,
) -> None:
    """Follow the chain: replay every window, dispute the wrong ones, prove, and collect.

    Windows that cannot be replayed are disputed on doubt, within budgets: their trainer opens them,
    or falls.
    """
    monitor, waker = ValidatorMetrics(), Waker(session.rpc_url, poll)
    cluster = None if scheduler is None else Cluster(scheduler, recheck)

    def set_up() -> tuple[ValidatorWorkspace, TransactionManager | None, Validator]:
        policy = Policy(
            strategy,
            amount(max_bonds, "--max-bonds"),
            defensive=defensive,
            defend=defend,
            scope=Scope(
                parse_names(allow or (), "--allow", session.resolve),
                parse_names(deny or (), "--deny", session.resolve),
            ),
            open_after=open_after,
            open_rate=open_rate,
            open_budget=amount(open_budget, "--open-budget"),
            gas_budget=gas_budget,
            energy_budget=amount(energy_budget, "--energy-budget"),
            energy_price=amount(energy_price, "--energy-price"),
        )
        receiver = None if payout is None else session.resolve(payout)
        if receiver is not None:
            refuse_contracts(session, receiver)
        workspace = workspace_of(
            session,
            datasets=datasets,
            snapshots=snapshots,
            confirmations=confirmations,
            memory_budget=memory_budget,
            disk_budget=disk_budget,
        )
        sender = None if dry_run else session.sender
        validator = make_validator(
            workspace,
            sender,
            policy=policy,
            workers=workers,
            cluster=cluster,
            payout=receiver,
            monitor=monitor,
            waker=waker,
        )
        return workspace, sender, validator

    with ended_by_signals(waker.stop), serve(monitor, health_port) as port:
        made = (
            set_up()
            if once
            else when_there(set_up, waker.pause, lambda: waker.stopped, monitor.failed)
        )
        if made is None:
            return
        workspace, sender, validator = made
        with _only_one(session, None if sender is None else sender.address):
            log.info(
                "validator started",
                chain=session.chain.deployment.chain_id,
                node=redact_url(session.rpc_url),
                account=None if sender is None else sender.address,
                strategy=str(strategy),
                health=f"http://127.0.0.1:{port}",
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
        show_status(session, workspace.reader)


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


status.register(app)
verification.register(app)
backfill.register(app)
matches.register(app)
