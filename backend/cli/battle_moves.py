"""``chainbeasts battle``: what is done with matches on chain, from challenge to reward."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from web3.logs import DISCARD

from chainbeasts.backend.battle.publication import Entry, publication
from chainbeasts.backend.battle.recording import expect
from chainbeasts.backend.battle.recording import expire as expire_match
from chainbeasts.backend.battle.recording import record as record_match
from chainbeasts.backend.battle.workspace import ArenaWorkspace
from chainbeasts.backend.chain.amounts import show_moment, show_time
from chainbeasts.backend.chain.kernel_check import check_kernel
from chainbeasts.backend.chain.transactions import Receipt
from chainbeasts.backend.chain.types import MatchStatus
from chainbeasts.backend.chain.waiting import await_time
from chainbeasts.backend.cli.battle_publication import published
from chainbeasts.backend.cli.battle_views import MatchId, synced
from chainbeasts.backend.cli.confirm import Cost, YesOption, confirm
from chainbeasts.backend.cli.options import PlacesOption
from chainbeasts.backend.cli.output import energy, fields, note
from chainbeasts.backend.cli.sending import refuse_contracts
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.indexer.records import checkpoint_of
from chainbeasts.backend.store.facts import CheckpointRow

CheckpointOption = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="INDEX", help="The final checkpoint it fights with; the latest if not given."
    ),
]
MyBeast = Annotated[int, typer.Argument(min=1, metavar="BEAST", help="Your beast's id.")]


def _done(session: Session, receipt: Receipt, **values: Any) -> None:
    facts = {**values, "transaction": receipt.hash, "gas_used": receipt.gas_used}
    shown = {
        name.replace("_", " "): ", ".join(map(str, v)) if isinstance(v, list) else v
        for name, v in values.items()
    }
    shown |= {"transaction": "0x" + receipt.hash.hex(), "gas used": receipt.gas_used}
    session.show(facts, lambda: fields(receipt.label.capitalize(), shown))


def _event(event: Any, receipt: Receipt) -> Any:
    """The arguments of the event of a kind in a receipt; None if there is none."""
    found = event.process_receipt(receipt.raw, errors=DISCARD)
    return found[0]["args"] if found else None


def _own(
    session: Session, workspace: ArenaWorkspace, beast: int, index: int | None
) -> CheckpointRow:
    """A final checkpoint of a beast of the acting account.

    Raises:
        ChainBeastsError: it is another account's, or has no such checkpoint.
    """
    owner = workspace.chain.owner_of(beast)
    if owner != session.account.address:
        raise ChainBeastsError(
            f"Beast {beast} belongs to {owner}, not to {session.account.address}.",
            "Its owner alone decides about its matches; name your account with --account.",
        )
    return workspace.checkpoint(beast, index, final=True)


def challenge(
    session: Session,
    beast: MyBeast,
    opponent: Annotated[int, typer.Argument(min=1, help="The id of the beast to challenge.")],
    checkpoint: CheckpointOption = None,
    snapshots: PlacesOption = None,
    yes: YesOption = False,
) -> None:
    """Challenge another owner's beast. One that is open to challenges accepts at once.

    A state that is not in the archive yet, or has been there for too long, is published first, for
    some 1.4 million gas.
    """
    workspace = synced(session, snapshots)
    other = workspace.chain.owner_of(opponent)
    row = _own(session, workspace, beast, checkpoint)
    if other == session.account.address:
        raise ChainBeastsError(
            f"Beast {opponent} is yours, too."
            if opponent != beast
            else f"Beast {beast} cannot fight itself.",
            f"On chain two owners fight; try it off chain: chainbeasts battle simulate {beast} "
            f"{opponent}",
        )
    entries = [Entry(beast, row.h128)]
    if (open_ := workspace.chain.open_challenge(opponent)).owner == other:
        entries.append(Entry(opponent, open_.state))  # it accepts at once
    shown = published(session, workspace, entries, yes=yes)
    call = workspace.chain.arena.functions.challenge(beast, checkpoint_of(row).to_abi(), opponent)
    receipt = session.sender.send(call, label="challenge")
    match = int(_event(workspace.chain.arena.events.MatchChallenged(), receipt)["matchId"])
    accepted = _event(workspace.chain.arena.events.MatchAccepted(), receipt) is not None
    verb = "record" if accepted else "accept"
    _done(
        session,
        receipt,
        match=match,
        beast_a=beast,
        beast_b=opponent,
        checkpoint=row.index,
        published=shown,
        accepted=accepted,
        next=f"chainbeasts battle {verb} {match}",
    )


def accept(
    session: Session,
    match: MatchId,
    checkpoint: CheckpointOption = None,
    snapshots: PlacesOption = None,
    yes: YesOption = False,
) -> None:
    """Accept a challenge of your beast. The block that this is mined in seeds the match.

    A state that is not in the archive yet, or has been there for too long, is published first, for
    some 1.4 million gas.
    """
    workspace = synced(session, snapshots)
    asked = expect(workspace, match, MatchStatus.CHALLENGED)
    row = _own(session, workspace, asked.beast_b, checkpoint)
    entries = [Entry(asked.beast_b, row.h128), Entry(asked.beast_a, asked.state_a)]
    shown = published(session, workspace, entries, yes=yes)
    agreed = (asked.state_a, checkpoint_of(row).to_abi())
    call = workspace.chain.arena.functions.accept(match, *agreed)
    receipt = session.sender.send(call, label="accept")
    _done(
        session,
        receipt,
        match=match,
        beast_a=asked.beast_a,
        beast_b=asked.beast_b,
        checkpoint=row.index,
        published=shown,
        next=f"chainbeasts battle record {match}",
    )


def open_(
    session: Session,
    beast: MyBeast,
    checkpoint: CheckpointOption = None,
    snapshots: PlacesOption = None,
    yes: YesOption = False,
) -> None:
    """Let a beast take on every challenge from now on, with the state of a final checkpoint.

    The state is published first if need be, for some 1.4 million gas.
    """
    workspace = synced(session, snapshots)
    row = _own(session, workspace, beast, checkpoint)
    shown = published(session, workspace, [Entry(beast, row.h128)], yes=yes)
    call = workspace.chain.arena.functions.openChallenge(beast, checkpoint_of(row).to_abi())
    receipt = session.sender.send(call, label="open to challenges")
    _done(session, receipt, beast=beast, checkpoint=row.index, published=shown)


def publish(
    session: Session,
    beast: Annotated[int, typer.Argument(min=1, metavar="BEAST", help="The beast's id.")],
    checkpoint: CheckpointOption = None,
    snapshots: PlacesOption = None,
    yes: YesOption = False,
) -> None:
    """Put the state of a final checkpoint on chain in full, where everybody can read it.

    Every beast needs this before it fights, so that everybody can replay its matches; `challenge`,
    `accept` and `open` do it by themselves. It takes some 1.4 million gas and shows the brain, not
    the dataset.
    """
    workspace = synced(session, snapshots)
    row = workspace.checkpoint(beast, checkpoint, final=True)
    call = publication(workspace, Entry(beast, row.h128))
    cost = Cost(gas=session.sender.estimate(call))
    confirm(session, f"Publishing the state of beast {beast}", cost, yes=yes)
    receipt = session.sender.send(call, label="publish the state")
    _done(session, receipt, beast=beast, checkpoint=row.index, state="0x" + row.h128.hex())


def close(session: Session, beast: MyBeast) -> None:
    """Let a beast take on no more challenges by itself."""
    receipt = session.sender.send(
        session.chain.arena.functions.closeChallenge(beast), label="close to challenges"
    )
    _done(session, receipt, beast=beast)


def cancel(session: Session, match: MatchId) -> None:
    """Take back a challenge that nobody has accepted."""
    call = session.chain.arena.functions.cancel(match)
    receipt = session.sender.send(call, label="cancel")
    _done(session, receipt, match=match)


def record(
    session: Session,
    match: MatchId,
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the disproof period, then make it final.")
    ] = False,
    snapshots: PlacesOption = None,
) -> None:
    """Play a match that was agreed on and record it, with its whole log and a bond. Anybody may.

    Draws the seed first, and deposits in the arena's escrow what the bond needs. The bond comes
    back when the record is final; a wrong record loses it.
    """
    workspace = synced(session, snapshots)
    check_kernel(session.chain)  # before a bond stands on a log that its referee finds wrong
    made = record_match(workspace, session.sender, match)
    if made.deposited:
        note(f"Deposited {energy(made.deposited)} in the arena's escrow for the bond.")
    if wait:
        note(f"Waiting until the record can no longer be disproved, {show_time(made.final_at)}…")
        _finalize(session, workspace, match, made.final_at)
    facts: dict[str, Any] = {
        "match": match,
        "battle_seed": f"0x{made.battle_seed:016x}",
        "result": made.result.name.lower(),
        "turns": made.turns,
        "log_root": "0x" + made.log_root.hex(),
        "bond": made.bond,
        "final_at": made.final_at,
        "status": "final" if wait else "recorded",
    }
    _done(session, made.receipt, **facts)


def expire(session: Session, match: MatchId) -> None:
    """End a match whose seed nobody drew, or that nobody recorded, in time. Anybody may.

    Nobody earns or loses anything by it; the two beasts may fight again.
    """
    receipt = expire_match(synced(session), session.sender, match)
    gone = _event(session.chain.arena.events.MatchExpired(), receipt)
    before = MatchStatus(gone["previousStatus"]).name.lower()
    _done(session, receipt, match=match, before=before, status="expired")


def _finalize(session: Session, workspace: ArenaWorkspace, match: int, final_at: int) -> Receipt:
    await_time(workspace.chain, final_at)
    call = workspace.chain.arena.functions.finalize(match)
    return session.sender.send(call, label="finalize")


def finalize(session: Session, match: MatchId) -> None:
    """Make a record final that nobody disproved: the bond goes back to the reporter's escrow
    (`energy withdraw --arena`), and the rewards can be claimed."""
    workspace = synced(session)
    final_at = expect(workspace, match, MatchStatus.RECORDED).final_at
    if workspace.chain.now() < final_at:
        raise ChainBeastsError(
            f"The record of match {match} can be disproved until "
            f"{show_moment(final_at, workspace.chain.now())}.",
            "Finalize it after that; `chainbeasts battle record --wait` waits by itself.",
        )
    receipt = _finalize(session, workspace, match, final_at)
    done = _event(workspace.chain.arena.events.MatchFinalized(), receipt)
    rewards = {"reward_a": int(done["rewardA"]), "reward_b": int(done["rewardB"])}
    _done(session, receipt, match=match, **rewards)


def claim(
    session: Session,
    to: Annotated[
        str | None,
        typer.Option(metavar="WHO", help="Who gets them: address, or name; you if not given."),
    ] = None,
) -> None:
    """Mint the rewards of your beasts' final matches."""
    me = session.account.address
    target = me if to is None else session.resolve(to)
    refuse_contracts(session, target)
    amount = session.chain.rewards_of(me)
    if not amount:
        raise ChainBeastsError(
            f"{me} has no rewards to claim.",
            "A beast earns when its match is final: chainbeasts battle list",
        )
    call = session.chain.arena.functions.claimRewards(target)
    receipt = session.sender.send(call, label="claim rewards")
    _done(session, receipt, to=target, amount=amount)


def register(app: typer.Typer) -> None:
    """Add the verbs to their noun."""
    for name, verb, example in (
        ("challenge", challenge, "challenge 1 2 --account devnet:1"),
        ("accept", accept, "accept 1 --account devnet:2"),
        ("open", open_, "open 1"),
        ("publish", publish, "publish 1"),
        ("close", close, "close 1"),
        ("cancel", cancel, "cancel 1"),
        ("record", record, "record 1 --wait"),
        ("expire", expire, "expire 1"),
        ("finalize", finalize, "finalize 1"),
        ("claim", claim, "claim --to alice"),
    ):
        command(app, name, signs=True, example=f"chainbeasts battle {example}")(verb)
