"""``chainbeasts beast``: hatch, look, let somebody else train, and give away."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.chain.amounts import show_coin
from chainbeasts.backend.chain.chunks import is_large, transactions_for
from chainbeasts.backend.chain.costs import HATCH_GAS
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.growth import LAST_WINDOW, parse_growth
from chainbeasts.backend.chain.outbox import Outbox
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.output import energy, fields, note
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.kernel.combat import stats_from_dna
from chainbeasts.backend.kernel.constants import WINDOW_STEPS
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.samples import Source
from chainbeasts.backend.store.private import SECRET_FILE
from chainbeasts.trainer.cli import beast_list, progress
from chainbeasts.trainer.cli.quotes import locks_view, quote_of, quote_view
from chainbeasts.trainer.cli.submitted import loss_of
from chainbeasts.trainer.datasets.generate import DEFAULT_RECORDS, DEFAULT_SEED, sample_csv
from chainbeasts.trainer.datasets.pack import pack_dataset
from chainbeasts.trainer.datasets.reader import read_records
from chainbeasts.trainer.hatch.transactions import Hatched, Hatcher
from chainbeasts.trainer.plan.plan import Plan
from chainbeasts.trainer.submit.funds import count
from chainbeasts.trainer.submit.stake import required_stake
from chainbeasts.trainer.workspace import TrainerWorkspace, open_workspace

app = typer.Typer(help="Beasts: hatch, show, authorise, transfer.", no_args_is_help=True)

BeastId = Annotated[int, typer.Argument(min=1, help="The beast's id.")]

beast_list.register(app)


@command(app, "hatch", signs=True, example="chainbeasts beast hatch --dataset battles.csv")
def hatch(
    session: Session,
    dataset: Annotated[
        Path | None,
        typer.Option(help="Battle records, CSV (.csv) or 32-byte words, as private curriculum."),
    ] = None,
    resume: Annotated[
        int | None, typer.Option(min=1, metavar="ID", help="Hatch a beast already asked for.")
    ] = None,
    yes: YesOption = False,
) -> None:
    """Hatch a beast, in two transactions. An interrupted hatch goes on with the same command.

    The request burns the season's hatch cost, in ENERGY of the wallet (`energy price` tells it).
    """
    if resume is not None and dataset is not None:
        raise ChainBeastsError(
            "--resume takes the dataset of the request.", "Leave --dataset away."
        )
    words = None if dataset is None else read_records(dataset)
    workspace = open_workspace(session.settings, session.chain)
    hatcher = Hatcher(workspace, Outbox(workspace.database, session.sender))
    if resume is not None:
        _show_receipt(session, workspace, hatcher.resume(resume))
        return
    packed = None if words is None else pack_dataset(words)
    if packed is not None:
        _warn_of_size(len(packed.compressed))
    wanted = None if packed is None else packed.commitments.records_root
    begun = None
    for pending in hatcher.pending_hatches():
        if (pending.commitments.records_root if pending.commitments else None) == wanted:
            note("Going on with the hatch that was interrupted.")
            begun = pending
            break
    cost = 0
    if begun is None or not hatcher.is_requested(begun):
        cost = hatcher.cost()
        spent = Cost(energy=cost, burned=cost, gas=HATCH_GAS)
        confirm(session, "Hatching a beast", spent, yes=yes)
    _show_receipt(session, workspace, hatcher.carry_on(begun or hatcher.begin(packed), cost))


def _warn_of_size(size: int) -> None:
    if is_large(size):
        note(
            f"The compressed dataset has {size:,} bytes: revealing the whole of it in a dispute "
            f"takes the challenger {transactions_for(size)} transactions."
        )


def _facts(workspace: TrainerWorkspace, beast_id: int) -> dict[str, Any]:
    """What a hatch fixed."""
    birth = workspace.chain.birth(beast_id)
    mask = genesis_mask(birth.dna)
    stats = stats_from_dna(birth.dna)
    return {
        "beast": beast_id,
        "owner": workspace.chain.owner_of(beast_id),
        "dna": birth.dna,
        "stats": stats,
        "genesis_mask": mask,
        "season": birth.season,
        "epoch_seed": birth.epoch_seed,
        "commitments": workspace.chain.commitments(beast_id),
    }


def _view(facts: dict[str, Any]) -> dict[str, object]:
    """The facts for people."""
    stats, committed = facts["stats"], facts["commitments"]
    shown: dict[str, object] = {
        "owner": facts["owner"],
        "dna": "0x" + facts["dna"].hex(),
        "stats": f"power {stats.power}, defense {stats.defense}, stamina {stats.stamina}, "
        f"hp {stats.hp}",
        "slots at hatch": slots(facts["genesis_mask"]),
    }
    if committed:
        shown |= {
            "private records": committed.dataset_length,
            "C_dataset": "0x" + committed.c_dataset.hex(),
            "records root": "0x" + committed.records_root.hex(),
            "hash of the secret": "0x" + committed.owner_secret_hash.hex(),
        }
    else:
        shown["private records"] = "none"
    return shown


def slots(mask: int) -> str:
    """A mask of awake slots for people."""
    sensors = [str(i) for i in range(4) if mask >> i & 1]
    appendages = [str(i) for i in range(4) if mask >> (4 + i) & 1]
    return f"sensors {' '.join(sensors)}, appendages {' '.join(appendages)} ({mask:#04x})"


def _show_receipt(session: Session, workspace: TrainerWorkspace, hatched: Hatched) -> None:
    facts = _facts(workspace, hatched.beast_id)
    secret = None if hatched.private is None else hatched.private.absolute() / SECRET_FILE
    view = _view(facts)
    if secret is not None:
        view["secret"] = f"{secret} (back this folder up: nobody can make it again)"
    elif facts["commitments"]:
        note("This beast's private files are not under this home; it cannot train on them here.")
    value = facts | {"secret_file": secret}
    session.show(value, lambda: fields(f"Beast {hatched.beast_id} has hatched", view))


@command(app, "show", example="chainbeasts beast show 1 --windows 40 --grow s1@20")
def show(
    session: Session,
    beast: BeastId,
    windows: Annotated[
        int | None,
        typer.Option(min=1, max=LAST_WINDOW, help="Also what so many windows cost together."),
    ] = None,
    grow: Annotated[
        str | None, typer.Option(help="Slots that wake among them: slot@window, as s1@20,a2@40.")
    ] = None,
) -> None:
    """Show a beast: what it was born with, how far its training is, what going on costs."""
    growth = () if grow is None else parse_growth(grow)
    if growth and windows is None:
        raise ChainBeastsError("Among how many windows is that growth?", "Add --windows N.")
    workspace = open_workspace(session.settings, session.chain)
    facts = _facts(workspace, beast)
    workspace.sync()
    head, open_ = workspace.chain.head(beast), workspace.openness(beast)
    # What a run would refuse has no price: it would be told as growth that costs nothing.
    Plan(rest=(Source.CURRICULUM,), growth=growth).check(head.head_count, head.active_mask, windows)
    quote = quote_of(workspace.chain, head)
    plan = None if windows is None else quote_of(workspace.chain, head, windows, growth)
    locked = workspace.locks(beast)
    rewarded = workspace.chain.rewarded_of(beast)
    allowance = workspace.chain.reward_allowance_of(beast)
    required, stakes = required_stake(workspace.chain, beast), workspace.stakes(beast)
    training = {
        "head": head.h128,
        "checkpoints": head.head_count,
        "final": head.final_count,
        "epoch": head.epoch,
        "active_mask": head.active_mask,
        "window_loss": head.window_loss,
        "loss": head.window_loss / WINDOW_STEPS,
        "slashings": head.generation,
        "next_energy": quote.cost.price,
        "next_bond": quote.cost.bond,
        "next_window": quote.values(),
        "plan": None if plan is None else plan.values(),
        "locked": locked,
        "openness": open_,
        "rewarded": rewarded,
        "reward_allowance": allowance,
        "required_stake": required,
        "stakes": stakes,
    }
    view = _view(facts) | {
        "checkpoints": f"{head.head_count}, of which {head.final_count} final; "
        f"{head.generation} slashings",
        "head": "0x" + head.h128.hex(),
        "epoch of the next window": head.epoch,
        "slots awake": slots(head.active_mask),
        "locked now": locks_view(locked),
        "rewards": f"{energy(rewarded)} so far, {energy(allowance)} more at most until it has "
        "trained on",
    }
    view |= {f"next window {name}": value for name, value in quote_view(quote).items()}
    if plan is not None:
        view |= {f"{windows} windows: {name}": v for name, v in quote_view(plan).items()}
    view["stake of each trainer"] = f"{show_coin(required)} are required now"
    for stake in stakes:
        view[f"stake of {stake.trainer}"] = show_coin(stake.amount)
    if head.head_count:
        view["replayable by anybody"] = _of(open_.replayable, open_.windows)
        view["opened in a dispute"] = _of(open_.opened, open_.windows)
        view["never opened"] = _of(open_.unopened, open_.windows)
        if open_.believed_since is not None:
            view["believed, not checked"] = (
                f"all from window {open_.believed_since} on: private, and final without ever "
                "having been opened"
            )
        last = f"{loss_of(head.window_loss)} a step ({Source(head.source).name.lower()})"
        view["loss of the last window"] = last
    session.show(facts | training, lambda: fields(f"Beast {beast}", view))


def _of(count: int, windows: int) -> str:
    return f"{count} of {windows} windows"


@command(app, "authorise", signs=True, example="chainbeasts beast authorise 1 alice")
def authorise(
    session: Session,
    beast: BeastId,
    who: Annotated[
        str, typer.Argument(metavar="WHO", help="Whoever may train it: address, or name.")
    ],
    revoke: Annotated[bool, typer.Option("--revoke", help="Take the permission back.")] = False,
) -> None:
    """Let an account submit windows for the beast, on its own bond; a transfer ends it."""
    trainer = session.resolve(who)
    function = session.chain.beasts.functions.setTrainer(beast, trainer, not revoke)
    session.sender.send(function, label="set the trainer")
    allowed = session.chain.is_trainer(beast, trainer)
    value = {"beast": beast, "trainer": trainer, "allowed": allowed}
    session.show(value, lambda: fields(f"Beast {beast}", value))


@command(app, "transfer", signs=True, example="chainbeasts beast transfer 1 alice")
def transfer(
    session: Session,
    beast: BeastId,
    who: Annotated[str, typer.Argument(metavar="WHO", help="The new owner: address, or name.")],
    yes: YesOption = False,
) -> None:
    """Give a beast to another owner, for ever.

    Trainers that were authorised lose their right, and an open challenge ends. Windows that are
    pending stay the liability of whoever trained them. A private dataset and its secret do not go
    along: hand the folder over.
    """
    chain, me = session.chain, session.account.address
    receiver, owner = session.resolve(who), chain.owner_of(beast)
    if owner != me:
        raise ChainBeastsError(
            f"Beast {beast} belongs to {owner}, not to {me}.",
            "Its owner alone can give it away; name your account with --account.",
        )
    if receiver == me:
        raise ChainBeastsError(f"Beast {beast} is yours already.", "Name another receiver.")
    # The safe transfer asks a contract whether it knows what to do with a beast.
    call = chain.beasts.functions.safeTransferFrom(me, receiver, beast)
    try:
        gas = session.sender.estimate(call)
    except Reverted as error:
        if not chain.has_code(receiver):
            raise
        raise ChainBeastsError(
            f"The contract at {receiver} does not take beasts ({error.name}).",
            "Name an account, or a contract that implements onERC721Received.",
        ) from None
    head = chain.head(beast)
    if pending := head.head_count - head.final_count:
        note(f"{count(pending)} of it are pending; whoever trained them stays liable for them.")
    if chain.commitments(beast):
        folder = open_workspace(session.settings, chain).private_folder(beast)
        note(f"Its private dataset does not go along; if it is here, it is in {folder}.")
    what = f"Giving beast {beast} to {session.names.show(receiver)}, for ever"
    confirm(session, what, Cost(gas=gas), yes=yes, always=True)
    receipt = session.sender.send(call, label="transfer the beast")
    value = {
        "beast": beast,
        "owner": chain.owner_of(beast),
        "transaction": receipt.hash,
        "gas_used": receipt.gas_used,
    }
    view = value | {"transaction": "0x" + receipt.hash.hex()}
    session.show(value, lambda: fields(f"Beast {beast}", view))


@command(app, "portrait", example="chainbeasts beast portrait 1 -o beast.svg")
def portrait(
    session: Session,
    beast: BeastId,
    output: Annotated[Path, typer.Option("-o", "--output", help="The SVG file to write.")],
) -> None:
    """Write the beast's portrait, as its contract draws it."""
    chain = session.chain
    svg = svg_of(str(chain.call(chain.beasts.functions.tokenURI(beast))))
    try:
        write_atomic(output, svg)
    except OSError as error:
        raise ChainBeastsError(f"{output} cannot be written ({error.strerror}).") from None
    value = {"beast": beast, "file": output, "bytes": len(svg)}
    session.show(value, lambda: fields(f"Portrait of beast {beast}", value))


def svg_of(token_uri: str) -> bytes:
    """The SVG within a token's metadata.

    Raises:
        ChainBeastsError: the metadata are not those of a beast.
    """
    try:
        metadata = json.loads(base64.b64decode(token_uri.split("base64,", 1)[1], validate=True))
        return base64.b64decode(metadata["image"].split("base64,", 1)[1], validate=True)
    except (IndexError, KeyError, ValueError, binascii.Error):
        raise ChainBeastsError("The beast's metadata hold no portrait.") from None


@command(app, "sample-dataset", example="chainbeasts beast sample-dataset -o battles.csv")
def sample_dataset(
    session: Session,
    output: Annotated[Path, typer.Option("-o", "--output", help="The CSV file to write.")],
    records: Annotated[int, typer.Option(min=1, max=65_536, help="How many.")] = DEFAULT_RECORDS,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, other matches.")] = DEFAULT_SEED,
) -> None:
    """Write battle records of matches played here; the same seed gives the same file."""
    rules = load_profile("mainnet").season.rules
    try:
        write_atomic(output, sample_csv(records, seed, rules))
    except OSError as error:
        raise ChainBeastsError(f"{output} cannot be written ({error.strerror}).") from None
    value = {"file": output, "records": records, "seed": seed}
    session.show(value, lambda: fields("Battle records", value))


progress.register(app)
