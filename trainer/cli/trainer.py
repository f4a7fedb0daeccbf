"""``chainbeasts trainer``: train windows, stake, answer disputes, and drill validators."""

from __future__ import annotations

from typing import Annotated

import structlog
import typer
from web3 import Web3
from web3.logs import DISCARD

from chainbeasts.backend.chain.amounts import parse_coin
from chainbeasts.backend.chain.anvil import is_local_chain
from chainbeasts.backend.chain.escrow import ensure_allowance
from chainbeasts.backend.chain.kernel_check import check_kernel
from chainbeasts.backend.chain.prices import window_lock, window_price
from chainbeasts.backend.chain.types import ZERO_ADDRESS
from chainbeasts.backend.cli.ending import ended_by_signals, when_there
from chainbeasts.backend.cli.options import HealthPortOption, PollOption
from chainbeasts.backend.cli.output import energy, fields, table
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.monitoring.server import HOST, serve
from chainbeasts.trainer.cli.options import (
    CURRICULUM,
    SnapshotsOption,
    SourceOption,
    outbox_of,
    trainer_of,
)
from chainbeasts.trainer.cli.prune import EXAMPLE as PRUNE_EXAMPLE
from chainbeasts.trainer.cli.prune import prune
from chainbeasts.trainer.cli.run import EXAMPLE as RUN_EXAMPLE
from chainbeasts.trainer.cli.run import run
from chainbeasts.trainer.cli.simulate import EXAMPLE as SIMULATE_EXAMPLE
from chainbeasts.trainer.cli.simulate import simulate
from chainbeasts.trainer.cli.stake import (
    STAKE_EXAMPLE,
    STATUS_EXAMPLE,
    UNSTAKE_EXAMPLE,
    stake,
    status,
    unstake,
)
from chainbeasts.trainer.cli.submitted import submitted_facts
from chainbeasts.trainer.defend.defender import Defender
from chainbeasts.trainer.defend.depth import Depth
from chainbeasts.trainer.defend.guard import Guard
from chainbeasts.trainer.defend.metrics import DefenderMetrics
from chainbeasts.trainer.drills.blind import blind_start, invented_commitments
from chainbeasts.trainer.drills.lies import BLIND, Kind, make_drill
from chainbeasts.trainer.hatch.transactions import Hatcher
from chainbeasts.trainer.plan.sources import source_text, training_source_of
from chainbeasts.trainer.plan.text import parse_training_source
from chainbeasts.trainer.train.job import Submitted
from chainbeasts.trainer.train.pruning import SnapshotPruner
from chainbeasts.trainer.train.window_store import WindowStore
from chainbeasts.trainer.workspace import open_workspace

log = structlog.get_logger()

app = typer.Typer(help="Train beasts, answer disputes.", no_args_is_help=True)

command(app, "run", signs=True, example=RUN_EXAMPLE)(run)
command(app, "simulate", example=SIMULATE_EXAMPLE)(simulate)
command(app, "stake", signs=True, example=STAKE_EXAMPLE)(stake)
command(app, "unstake", signs=True, example=UNSTAKE_EXAMPLE)(unstake)
command(app, "prune", example=PRUNE_EXAMPLE)(prune)
command(app, "status", signs=True, example=STATUS_EXAMPLE)(status)


@command(app, "defend", signs=True, example="chainbeasts trainer defend --account trainer")
def defend(
    session: Session,
    once: Annotated[bool, typer.Option(help="Make the moves that are due now, and end.")] = False,
    finalize: Annotated[
        bool, typer.Option(help="Also finalize checkpoints whose challenge period is over.")
    ] = True,
    confirmations: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Blocks on top of a filing before it is answered; 0 on a local chain, else 12, or "
            "as many as a quarter of the response window holds. After half of that window it is "
            "answered anyhow.",
            show_default=False,
        ),
    ] = None,
    protect: Annotated[
        bool,
        typer.Option(
            help="Prove another trainer's right window on chain if ours stand on it, its trainer "
            "keeps silent, and we would lose more than that costs."
        ),
    ] = True,
    energy_price: Annotated[
        str | None,
        typer.Option(
            metavar="COIN",
            help="What one ENERGY is worth in native coin, for that; the season's price if not "
            "given.",
        ),
    ] = None,
    poll: PollOption = 1.0,
    health_port: HealthPortOption = 0,
    snapshots: SnapshotsOption = None,
) -> None:
    """Make the openings that disputes over the account's checkpoints ask for. Runs for months."""
    monitor = DefenderMetrics()

    def set_up() -> Defender:
        check_kernel(session.chain)
        workspace = open_workspace(session.settings, session.chain, snapshots=snapshots or ())
        store = WindowStore(workspace.database, workspace.snapshots)
        outbox = outbox_of(session, workspace)
        local = is_local_chain(session.chain.deployment.chain_id, session.rpc_url)
        # Nobody mines a local chain's next block unless there is something to put into it.
        depth = Depth(0 if confirmations is None and local else confirmations)
        price = None if energy_price is None else parse_coin(energy_price)
        guard = Guard(workspace, outbox, price) if protect else None
        return Defender(
            workspace,
            store,
            outbox,
            depth=depth,
            finalize=finalize,
            guard=guard,
            monitor=monitor,
            pruner=SnapshotPruner(workspace),
        )

    if once:
        answers = set_up().once()
        rows = [(a.kind, a.beast_id, a.index, a.gas) for a in answers]
        session.show(answers, lambda: table("Moves", ("move", "beast", "checkpoint", "gas"), rows))
        return
    waker = Waker(session.rpc_url, poll)
    with ended_by_signals(waker.stop), serve(monitor, health_port) as port:
        defender = when_there(set_up, waker.pause, lambda: waker.stopped, monitor.failed)
        if defender is not None:
            me, health = session.account.address, f"http://{HOST}:{port}"
            log.info("defender started", account=me, health=health)
            defender.run(waker)


@command(app, "appoint", signs=True, example="chainbeasts trainer appoint alice")
def appoint(
    session: Session,
    who: Annotated[
        str,
        typer.Argument(
            metavar="WHO", help="Who may answer besides the account: address, or name; 0x0: none."
        ),
    ],
) -> None:
    """Let another account answer disputes over the acting account's checkpoints."""
    none = who in ("0x0", ZERO_ADDRESS)
    target = Web3.to_checksum_address(ZERO_ADDRESS) if none else session.resolve(who)
    receipt = session.sender.send(
        session.chain.court.functions.setDefender(target), label="appoint a defender"
    )
    facts = {"trainer": session.account.address, "defender": target, "gas": receipt.gas_used}
    session.show(facts, lambda: fields("Appointed", facts))


@command(app, "drill", signs=True, example="chainbeasts trainer drill weight 1 --step 77")
def drill(
    session: Session,
    kind: Annotated[Kind, typer.Argument(help="What is wrong with the window.")],
    beast: Annotated[
        int | None,
        typer.Argument(min=1, help="The beast's id; invented hatches one if none is given."),
    ] = None,
    step: Annotated[
        int, typer.Option(min=0, max=WINDOW_STEPS - 1, help="The micro-step that goes wrong.")
    ] = 77,
    weight: Annotated[
        int | None,
        typer.Option(
            min=0, help="Flat index of the weight to change; one that matters if not given."
        ),
    ] = None,
    by: Annotated[int, typer.Option(help="How much the weight changes; 4096 is 1.0.")] = 128,
    source: SourceOption = CURRICULUM,
    snapshots: SnapshotsOption = None,
) -> None:
    """Submit a wrong window on purpose; whoever proves it gets the bond. Local chains only."""
    chain = session.chain
    if not is_local_chain(chain.deployment.chain_id, session.rpc_url):
        raise ChainBeastsError(
            "Drills cost the trainer's bond; they run on a local chain only.",
            "Start one with `chainbeasts devnet up`.",
        )
    if beast is None:
        beast = _hatch_for(session, kind)
    private = kind is Kind.PRIVATE
    training_source = Source.PRIVATE if private else parse_training_source(source)
    _, store, submitter, trainer = trainer_of(session, beast, training_source, snapshots)
    submitter.recover()
    blind = kind in BLIND
    start = blind_start(chain, beast) if blind else trainer.window_start(training_source)
    economics = chain.season(start.head.season).economics
    mask = start.head.active_mask
    drilled = make_drill(
        kind, start, mask, window_price(economics, mask, mask), step=step, weight=weight, by=by
    )
    if not drilled.blind:
        store.keep(drilled.window)
    if not drilled.answered:
        store.forget(drilled.window.h128)
    lock = window_lock(economics, mask, mask)
    receipt = submitter.submit([drilled.window], lock)
    submitted = Submitted.of(
        drilled.window, lock, receipt["gasUsed"], bytes(receipt["transactionHash"])
    )
    facts = {
        "kind": kind,
        "lie": drilled.lie,
        "step": drilled.step,
        "segment": drilled.segment,
        **submitted_facts(submitted),
    }
    payload = submitted.payload
    known = {name: "" if value is None else value for name, value in facts.items()}
    view = {name: value for name, value in known.items() if not isinstance(value, bytes)} | {
        "source": source_text(training_source_of(Source(payload.source), payload.source_id)),
        "energy_burn": energy(payload.energy_burn),
    }
    session.show(facts, lambda: fields("A wrong window was submitted", view))


def _hatch_for(session: Session, kind: Kind) -> int:
    """A beast with invented commitments, for a drill that needs no other; its id."""
    if kind is not Kind.INVENTED:
        raise ChainBeastsError(
            f"Name the beast for the drill {kind}.", "See: chainbeasts beast list"
        )
    chain = session.chain
    ensure_allowance(chain, session.sender, chain.beasts, chain.hatch_cost(), exact=True)
    request = chain.beasts.functions.requestHatch(*invented_commitments().to_abi())
    receipt = session.sender.send(request, label="request the hatch")
    event = chain.beasts.events.HatchRequested()
    (asked,) = event.process_receipt(receipt.raw, errors=DISCARD)
    workspace = open_workspace(session.settings, chain)
    return (
        Hatcher(workspace, outbox_of(session, workspace)).resume(asked["args"]["beastId"]).beast_id
    )
