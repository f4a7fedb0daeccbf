"""Verifies a bundle: by itself first, and against a chain where there is one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from eth_abi.abi import encode
from eth_hash.auto import keccak
from web3.logs import DISCARD

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.errors import NotThereError, Reverted
from chainbeasts.backend.chain.types import Checkpoint
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.store.daemons import Verdict
from chainbeasts.validator.evidence.bundle import SUBMITTED, Bundle, open_bundle
from chainbeasts.validator.judge.cases import court_agrees
from chainbeasts.validator.judge.replay import Judgement, first_divergent, judge


@dataclass(frozen=True, slots=True)
class Finding:
    """What a replay of the bundle found.

    Attributes:
        first_divergent: the first wrong one of the opened segments; None without them, or if all
            are right.
        differences: where that is not what the bundle claims.
    """

    bundle: Bundle
    judgement: Judgement
    first_divergent: int | None
    differences: tuple[str, ...]


def verify(members: Mapping[str, bytes]) -> Finding:
    """Replay a bundle by the reference. Needs nothing but the bundle.

    Raises:
        ChainBeastsError: something in it is not what its hash says, or it cannot be computed.
    """
    bundle = open_bundle(members)
    judgement = judge(bundle.window)
    if judgement.verdict is Verdict.UNAVAILABLE:
        raise ChainBeastsError(f"The bundle's window is {judgement.reason}.")
    claim, dispute = bundle.manifest.claim, bundle.manifest.dispute
    posted = dispute.segments if dispute is not None else None
    divergent = None if posted is None else first_divergent(judgement.segments, posted)
    found = (
        ("verdict", str(judgement.verdict), claim.verdict),
        ("reason", judgement.reason, claim.reason),
        ("segment hashes", judgement.segments, tuple(claim.segments)),
        ("first wrong segment", divergent, claim.first_divergent),
    )
    differences = [name for name, ours, theirs in found if ours != theirs]
    if posted is not None and posted[-1] != bundle.window.checkpoint.payload.h128:
        differences.append("the opened segments, which do not end in h128")
    return Finding(bundle, judgement, divergent, tuple(differences))


def against_chain(bundle: Bundle, chain: Chain) -> list[str]:
    """Where a bundle's facts are not the chain's; empty if all are.

    Raises:
        ChainError: the node is away.
    """
    return list(_contradictions(bundle, chain))


def _contradictions(bundle: Bundle, chain: Chain) -> Iterator[str]:
    manifest, deployment = bundle.manifest, chain.deployment
    named = (manifest.chain_id, manifest.ledger.lower(), manifest.court.lower())
    ledger, court = (deployment.addresses[n] for n in ("CheckpointLedger", "DisputeCourt"))
    if named != (deployment.chain_id, ledger.lower(), court.lower()):
        yield "the bundle is about another deployment"
        return
    if not _submitted(bundle, chain):
        yield "the chain has no such submission in the transaction that the bundle names"
    if not _same_context(bundle, chain):
        yield "the court would judge the window by other facts"
    dispute = manifest.dispute
    if dispute is None:
        return
    known = chain.dispute(dispute.dispute_id)
    if (known.digest, known.filer.lower()) != (manifest.digest, dispute.filer.lower()):
        yield "the dispute is about another checkpoint"
    if dispute.segments is not None:
        opened = keccak(encode(["bytes32[16]"], [dispute.segments]))
        if opened != known.segments_hash:
            yield "the dispute has other segments"


def _submitted(bundle: Bundle, chain: Chain) -> bool:
    manifest = bundle.manifest
    events = [event for event in manifest.events if event.name == SUBMITTED]
    for event in events[:1]:
        tx = event.transaction
        try:
            receipt = chain.read(lambda: chain.w3.eth.get_transaction_receipt(tx))  # type: ignore[arg-type]  # noqa: B023
        except NotThereError:
            return False
        logs = chain.ledger.events.CheckpointSubmitted().process_receipt(receipt, errors=DISCARD)
        ledger = manifest.ledger.lower()
        for log in logs:
            args = log["args"]
            record = Checkpoint.from_abi(args["checkpoint"])
            found = (log["address"].lower(), args["beastId"], record)
            if found == (ledger, manifest.beast_id, bundle.window.checkpoint):
                return True
    return False


def _same_context(bundle: Bundle, chain: Chain) -> bool:
    window = bundle.window
    try:
        return court_agrees(chain, window.beast_id, window.checkpoint, window.context)
    except Reverted:
        return False
