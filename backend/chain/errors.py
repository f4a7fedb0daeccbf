"""What chains and contracts refuse, as sentences: custom errors decoded, with what to do next."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from eth_abi.abi import decode as abi_decode
from eth_abi.exceptions import DecodingError
from eth_hash.auto import keccak
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address

from chainbeasts.backend.chain.amounts import show_coin, show_energy, show_moment, show_span
from chainbeasts.backend.chain.artifact import Artifact
from chainbeasts.backend.chain.compile import artifacts, compiled
from chainbeasts.backend.chain.deployment import CONTRACTS
from chainbeasts.backend.chain.types import MatchStatus
from chainbeasts.backend.errors import ChainBeastsError


class ChainError(ChainBeastsError):
    """The node or the chain is not as it should be."""


class WrongChainError(ChainError):
    """The node serves another chain than the deployment's."""


class NodeUnavailableError(ChainError):
    """Nobody answers at the endpoint, or not from the deployment's state, even after retries."""


class NotThereError(ChainError):
    """The node does not have a block or a transaction: an answer, and no refusal."""


class StoppedError(NodeUnavailableError):
    """The node was not waited for any longer, because the process is to end."""


class Reverted(ChainBeastsError):  # noqa: N818 - the field's word
    """A contract refused a call.

    Attributes:
        name: the custom error, or ``Error`` / ``Panic`` / ``Unknown``.
        args_by_name: its values.
        gas_used: what was paid for it; 0 where it was refused before it was sent.
    """

    gas_used = 0

    def __init__(self, name: str, args_by_name: Mapping[str, Any]) -> None:
        message, hint = _sentence(name, args_by_name)
        super().__init__(message, hint)
        self.name = name
        self.args_by_name = dict(args_by_name)


# Error name → (sentence, hint); fields in braces are the error's own values.
_SENTENCES: dict[str, tuple[str, str]] = {
    "InsufficientEscrow": (
        "The escrow of {account} holds {balance}; {needed} are needed.",
        "Deposit more: chainbeasts energy deposit AMOUNT",
    ),
    "ERC20InsufficientBalance": (
        "{sender} has {balance}; {needed} are needed.",
        "Get some: chainbeasts energy buy AMOUNT (on a devnet: chainbeasts energy faucet AMOUNT)",
    ),
    "ERC20InsufficientAllowance": (
        "{spender} may take {allowance}; {needed} are needed.",
        "Use `chainbeasts energy deposit` or `chainbeasts beast hatch`, which approve first.",
    ),
    "NotTrainer": (
        "{caller} is neither owner nor authorised trainer of beast {beastId}.",
        "Its owner can allow it: chainbeasts beast authorise {beastId} {caller}",
    ),
    "StaleParent": (
        "The beast's head has moved on: it is {head}, not {expectedParent}.",
        "Train again from the present head: chainbeasts trainer run",
    ),
    "WrongEpochSeed": (
        "The epoch's seed is another one than the window was trained with.",
        "Train the window again: chainbeasts trainer run",
    ),
    "WrongPrice": ("The window's price is {expected}, not {actual}.", ""),
    "WrongStep": ("The step counter must be {expected}, not {actual}.", ""),
    "WrongEpoch": ("The beast is in epoch {expected}, not {actual}.", ""),
    "WrongLrShift": ("The schedule's lrShift is {expected}, not {actual}.", ""),
    "MaskShrinks": ("Slots once awake stay awake: {parentMask} cannot become {mask}.", ""),
    "LossTooLarge": ("A window's loss is at most {max}, not {actual}.", ""),
    "NoRecordedMatch": (
        "There is no final match {sourceId} to train on.",
        "See: chainbeasts battle list",
    ),
    "NoSuchMatch": ("There is no match {matchId}.", "See: chainbeasts battle list"),
    "WrongMatchStatus": (
        "Match {matchId} is {actual}; this move is not made from there.",
        "See: chainbeasts battle show {matchId}",
    ),
    "SelfChallenge": (
        "Beast {beastA} cannot fight beast {beastB}: they are one, or have one owner.",
        "Challenge a beast of another owner.",
    ),
    "NotFinal": (
        "Checkpoint {index} of beast {beastId} is not final.",
        "Beasts fight with final checkpoints: chainbeasts checkpoint list {beastId}",
    ),
    "StateNotPublished": (
        "State {state} of beast {beastId} was not published lately.",
        "Put it on chain, where everybody can read it: chainbeasts battle publish {beastId}",
    ),
    "WrongOpponent": (
        "The challenger fights with state {stateA}, not with {expectedStateA}.",
        "The chain changed meanwhile; look at the match and accept again.",
    ),
    "WrongBattleSeed": (
        "The match's battle seed is {battleSeed}; it was played from {expectedSeed}.",
        "The chain changed meanwhile; record it again.",
    ),
    "NotOpen": ("Beast {beastId} is not open to challenges.", ""),
    "ChallengeLapsed": (
        "The challenger of match {matchId} no longer owns its beast; {owner} does.",
        "Its new owner can challenge again.",
    ),
    "UnknownResult": ("A result is 0 (A won), 1 (B won) or 2 (nobody), not {result}.", ""),
    "NotChallenger": ("{caller} did not ask for match {matchId}.", ""),
    "SeedNotKnown": ("The seed is known once block {seedBlock} is past.", "Try again."),
    "SeedStillKnown": (
        "The seed of match {matchId} can be drawn until block {lastBlock}.",
        "Draw it and record: chainbeasts battle record {matchId}",
    ),
    "RecordWindowOpen": (
        "Match {matchId} can be recorded until {endsAt}.",
        "Record it: chainbeasts battle record {matchId}",
    ),
    "RecordWindowOver": (
        "The time to record match {matchId} ended at {recordUntil}; it has expired.",
        "",
    ),
    "SaleClosed": ("Season {season} sells no ENERGY.", "On a devnet: chainbeasts energy faucet"),
    "TooLittleEnergy": (
        "The price has risen: the coin buys {out}, less than the {minOut} agreed to.",
        "Look at the price and buy again.",
    ),
    "NothingBought": ("That little coin buys no ENERGY.", "Send more."),
    "ZeroReceiver": ("The ENERGY would go to nobody: the zero address.", "Name a receiver."),
    "ProceedsRefused": ("The treasury {treasury} does not take the coin.", ""),
    "WrongTurns": ("A match of this season has 1 to {max} turns, not {actual}.", ""),
    "WrongLogLength": ("The log has {actual} words; {expected} were stated.", ""),
    "WrongLogRoot": (
        "The log's Merkle root is {expected}, not {actual}.",
        "Let it be computed: chainbeasts battle record",
    ),
    "TurnOutOfRange": ("The record's last turn is {last}; there is no turn {actual}.", ""),
    "WrongProof": ("Word {word} is not the record's word of turn {turn}.", ""),
    "RecordCorrect": (
        "The record of match {matchId} is right in this; nothing is disproved.",
        "Look for the lie: chainbeasts battle replay {matchId}",
    ),
    "DisproofPeriodOpen": (
        "The record of match {matchId} can be disproved until {endsAt}.",
        "Finalize it after that.",
    ),
    "DisproofPeriodClosed": (
        "The time to disprove match {matchId} ended at {endedAt}.",
        "",
    ),
    "NoRewards": ("{account} has no rewards to claim.", ""),
    "NoPrivateDataset": (
        "Beast {beastId} was hatched without a private dataset.",
        "Use --source curriculum or self_play.",
    ),
    "NotLive": (
        "Checkpoint {index} of beast {beastId} is not on its chain (slashed or re-orged away).",
        "List the live ones: chainbeasts checkpoint list {beastId}",
    ),
    "AlreadyFinal": ("Checkpoint {index} of beast {beastId} is final.", ""),
    "AlreadyProven": ("The checkpoint has been proven on chain; it is beyond dispute.", ""),
    "ChallengePeriodOpen": (
        "Checkpoint {index} can be disputed until {endsAt}.",
        "Finalize it after that.",
    ),
    "DisputeIsOpen": (
        "Dispute {disputeId} is open over this checkpoint.",
        "See it with: chainbeasts dispute show {disputeId}",
    ),
    "HatchTooEarly": ("Beast {beastId} can hatch from block {firstBlock} on.", "Try again."),
    "HatchExpired": (
        "The request for beast {beastId} expired at block {lastBlock}.",
        "Request a new one: chainbeasts beast hatch",
    ),
    "NoHatchRequest": ("Nobody asked for beast {beastId}, or it has hatched already.", ""),
    "UnknownBeast": ("There is no beast {beastId}.", "See: chainbeasts beast list"),
    "NotBeastOwner": ("{caller} does not own beast {beastId}.", ""),
    "ERC721NonexistentToken": ("There is no beast {tokenId}.", "See: chainbeasts beast list"),
    "NoSuchDispute": ("There is no dispute {disputeId}.", "See: chainbeasts dispute list"),
    "DisputeEnded": ("Dispute {disputeId} has ended.", ""),
    "WrongRecord": (
        "The dispute is about another record of the checkpoint.",
        "The chain changed meanwhile; look at it again: chainbeasts dispute list",
    ),
    "SegmentCorrect": ("Segment {segment} of the openings is right; it proves nothing.", ""),
    "NotDefender": ("{caller} may not open segments for the trainer {trainer}.", ""),
    "NothingToAccept": ("Nothing that dispute {disputeId} lacks was published in time.", ""),
    "SegmentsMissing": (
        "The segments of dispute {disputeId} are not open yet.",
        "Re-execute from the start: chainbeasts dispute next {disputeId}",
    ),
    "OpeningsMissing": (
        "Dispute {disputeId} lacks an opening, so it cannot be dismissed.",
        "See what is due: chainbeasts dispute next {disputeId}",
    ),
    "NothingMissing": ("All openings of dispute {disputeId} were made in time.", ""),
    "ResponseWindowOpen": ("Openings may still come until {deadline}.", ""),
    "ResponseWindowClosed": ("The time for openings ended at {deadline}.", ""),
    "ProofWindowOpen": ("The dispute can be proved until {deadline}.", ""),
    "ProofWindowClosed": ("The time for proofs ended at {deadline}.", ""),
    "WrongLastSegment": ("The last segment must be the checkpoint's hash {h128}.", ""),
    "WrongSegments": ("These are not the segments that were opened.", ""),
    "StateMismatch": ("The state has the hash {actual}; {expected} is needed.", ""),
    "NotPending": ("Checkpoint {index} of beast {beastId} is not pending.", ""),
    "ChallengePeriodOver": (
        "The time to dispute checkpoint {index} ended at {endedAt}.",
        "",
    ),
    "AlreadyCommitted": ("This commitment was made before.", "Commit with another salt."),
    "ForeignPendingParent": (
        "Window {index} is another trainer's and still pending: if it falls, what stands on it "
        "falls too.",
        "Wait until it is final, or accept that: chainbeasts trainer run --accept-foreign-parent",
    ),
    "StakeTooSmall": (
        "A submission asks for a stake of {required}; there is {actual}.",
        "Stake on the beast: chainbeasts trainer stake BEAST",
    ),
    "NoStake": ("{trainer} has no stake on beast {beastId}.", ""),
    "StakeIsLeaving": (
        "The withdrawal of {trainer}'s stake on beast {beastId} is announced.",
        "Take that back before training: chainbeasts trainer stake {beastId}",
    ),
    "WithdrawalNotAnnounced": (
        "The withdrawal of {trainer}'s stake on beast {beastId} is not announced.",
        "Announce it: chainbeasts trainer unstake {beastId}",
    ),
    "StakeStillNeeded": (
        "The stake is free from {withdrawableAt} on, once {needed} windows are final; "
        "{finalCount} are.",
        "",
    ),
    "OpeningDebtsOpen": (
        "Open disputes over void windows of beast {beastId} have paid {trainer} {debt}.",
        "Dismiss them first; anybody can.",
    ),
    "StakeRewardHeld": (
        "A reward out of {trainer}'s slashed stake on beast {beastId} is not settled yet.",
        "It is settled, once it is due, with: chainbeasts trainer stake {beastId}",
    ),
    "OpeningBondTooSmall": (
        "Filing asks for an opening bond of {required}; {sent} was sent.",
        "Base fee or open disputes have risen; send more, the rest is credited back.",
    ),
    "NoReward": ("No reward out of {trainer}'s stake on beast {beastId} is held.", ""),
    "RewardNotDue": (
        "The reward is due once {needed} windows of beast {beastId} are final; {finalCount} are.",
        "",
    ),
    "NothingToClaim": ("{account} has nothing to claim in dispute {disputeId}.", ""),
    "NoCredit": ("{account} has no credit to withdraw.", ""),
    "TransferRefused": ("{to} does not take the coin.", "Name another receiver."),
    "MatchTooOld": (
        "The log of match {sourceId} could be trained on until {usableUntil}.",
        "See: chainbeasts battle list",
    ),
    "RecordsNotOpened": (
        "The records of window {index} of beast {beastId} are not in public.",
        "Wait for their opening, or pass --dataset and --secret-file.",
    ),
    "WrongRecordsRoot": ("The records are not those that the owner committed to.", ""),
    "ConvictionUnpaid": (
        "A share of the stake would pay {rewardGas} gas; {gasCost} are needed.",
        "Raise stake_gas, filing_bps or proof_bps.",
    ),
    "DisputeTooLong": (
        "A dispute may last {max} in all, not {actual}.",
        "Lower response_window or proof_window.",
    ),
    "RewardsTooLarge": (
        "The rewards leave less to burn than the window's own price.",
        "Lower filing_bps or proof_bps, or raise trainer_bond_multiple.",
    ),
    "ValueOutOfRange": ("{field} is {value}; it must be from {min} to {max}.", ""),
    "WrongDataset": (
        "The dataset is not the committed one ({actual} instead of {committed}).",
        "Use the exact compressed file from the hatch.",
    ),
    "NotPlainAccount": (
        "{sender} has code or is called by another account, and publishes nothing that counts.",
        "Publish from an account without code: any may, whoever it is paid to.",
    ),
    "WrongOwnerSecret": ("The secret is not the committed one.", "Use the file from the hatch."),
    "DatasetTooLarge": (
        "The filing carries {max} bytes of a dataset, not {actual}.",
        "Let it be staged: chainbeasts dispute file",
    ),
    "DatasetTooLong": ("A dataset has at most {max} compressed bytes, not {actual}.", ""),
    "StageTooYoung": ("The dataset's stage began in this very block.", "Send the filing again."),
    "WrongSeal": ("The dataset's stage was begun with another secret.", "File it again."),
    "NoStage": ("{uploader} has not staged this dataset.", "File it: chainbeasts dispute file"),
    "NoContradiction": ("The header agrees with the checkpoint; there is nothing to slash.", ""),
    "AccessControlUnauthorizedAccount": (
        "{account} does not have the role this needs.",
        "Use the account that has it; on a devnet the deployer.",
    ),
    "ERC721InvalidReceiver": ("{receiver} does not take beasts.", "Name another receiver."),
    "ERC721InvalidOwner": ("{owner} can hold no beast.", ""),
    "ERC721IncorrectOwner": ("Beast {tokenId} belongs to {owner}, not to {sender}.", ""),
    "ERC721InsufficientApproval": (
        "{operator} may not give beast {tokenId} away.",
        "Its owner can: chainbeasts beast transfer {tokenId} WHO",
    ),
    "ERC20InvalidReceiver": ("{receiver} can hold no ENERGY.", "Name another receiver."),
    "OwnableUnauthorizedAccount": ("{account} is not the owner.", ""),
    "TimelockUnexecutedPredecessor": (
        "Operation {predecessorId} has to be executed first.",
        "See: chainbeasts season pending",
    ),
    "TimelockInsufficientDelay": ("The delay is {minDelay} at least, not {delay}.", ""),
    "TimelockUnexpectedOperationState": (
        "The operation is not ready: too early, unknown, executed or cancelled already.",
        "See: chainbeasts season pending",
    ),
}


def _moment(seconds: int) -> str:
    # By this machine's clock, which on a chain in use is the chain's as well to some seconds. A
    # local chain that was moved on in time shows by the date that it is elsewhere.
    return show_moment(seconds, time.time())


Show = Callable[[int], str]

_TIME_NAME = re.compile(r"(At|Until|^deadline)$")
"""Values of errors that are unix times; contracts name them so."""

_AMOUNTS: dict[str, tuple[Show, tuple[str, ...]]] = {
    "InsufficientEscrow": (show_energy, ("balance", "needed")),
    "ERC20InsufficientBalance": (show_energy, ("balance", "needed")),
    "ERC20InsufficientAllowance": (show_energy, ("allowance", "needed")),
    "AmountTooLarge": (show_energy, ("amount",)),
    "WrongPrice": (show_energy, ("expected", "actual")),
    "TooLittleEnergy": (show_energy, ("minOut", "out")),
    "StakeTooSmall": (show_coin, ("required", "actual")),
    "StakeTooLarge": (show_coin, ("max", "actual")),
    "OpeningBondTooSmall": (show_coin, ("required", "sent")),
    "OpeningDebtsOpen": (show_coin, ("debt",)),
    "DisputeTooLong": (show_span, ("max", "actual")),
    "TimelockInsufficientDelay": (show_span, ("delay", "minDelay")),
}
"""Error → how its values are shown that are amounts or lengths of time, and which those are."""

_CONSTANTS: dict[str, Show] = {
    **dict.fromkeys(
        ("baseCost", "growthCost", "hatchCost", "winnerReward", "loserReward", "recordBond"),
        show_energy,
    ),
    "energyPrice": show_coin,
}
_LENGTH_NAME = re.compile(r"(Period|Window|Age|Cooldown)$")


def _constant(field: str) -> Show:
    """How a season's constant is shown, by its name in the contracts."""
    if field in _CONSTANTS:
        return _CONSTANTS[field]
    return show_span if _LENGTH_NAME.search(field) else str


@dataclass(frozen=True, slots=True)
class Wording:
    """How a custom error is told: for those who decode it themselves.

    Attributes:
        sentence: with the error's own values in braces; empty if there is none.
        units: what its values are, by name: ``energy`` or ``coin`` in wei, ``seconds``, or a
            ``time`` in unix seconds; those that are none of these are not named.
    """

    sentence: str
    hint: str
    units: Mapping[str, str]


_UNITS: dict[Show, str] = {show_energy: "energy", show_coin: "coin", show_span: "seconds"}


def wording_of(name: str, fields: Iterable[str]) -> Wording:
    """The wording of an error with these values."""
    sentence, hint = _SENTENCES.get(name, ("", ""))
    units = {field: "time" for field in fields if _TIME_NAME.search(field)}
    if name in _AMOUNTS:
        show, amounts = _AMOUNTS[name]
        units |= dict.fromkeys(amounts, _UNITS[show])
    return Wording(sentence, hint, units)


def _show(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)


def _sentence(name: str, values: Mapping[str, Any]) -> tuple[str, str]:
    shown = {key: _show(value) for key, value in values.items()}
    if name == "WrongMatchStatus" and values["actual"] in set(MatchStatus):
        shown["actual"] = MatchStatus(values["actual"]).name.lower()
    times = [key for key in values if _TIME_NAME.search(key) and isinstance(values[key], int)]
    shown |= {key: _moment(values[key]) for key in times}
    if name in _AMOUNTS:
        show, amounts = _AMOUNTS[name]
        shown |= {field: show(values[field]) for field in amounts}
    if name == "ValueOutOfRange":
        show = _constant(values["field"])
        shown |= {key: show(values[key]) for key in ("value", "min", "max")}
    if name in _SENTENCES:
        message, hint = _SENTENCES[name]
        return message.format_map(shown), hint.format_map(shown)
    listed = ", ".join(f"{key} {value}" for key, value in shown.items())
    return f"The contract refused: {name}({listed}).", ""


Known = dict[bytes, tuple[str, list[str], list[str]]]
"""A custom error's name, and its arguments' names and types, by selector."""


@cache
def _deployed_errors() -> Known:
    return _errors_by_selector(artifacts(CONTRACTS).values())


def _errors_by_selector(contracts: Iterable[Artifact]) -> Known:
    found = {}
    for artifact in contracts:
        for entry in artifact.abi:
            if entry["type"] == "error":
                types = [collapse_if_tuple(argument) for argument in entry["inputs"]]
                names = [argument["name"] for argument in entry["inputs"]]
                selector = keccak(f"{entry['name']}({','.join(types)})".encode())[:4]
                found[selector] = (entry["name"], names, types)
    return found


def decode_revert(data: bytes) -> Reverted:
    """The error behind a revert's data."""
    selector, body = data[:4], data[4:]
    known = {
        bytes.fromhex("08c379a0"): ("Error", ["reason"], ["string"]),
        bytes.fromhex("4e487b71"): ("Panic", ["code"], ["uint256"]),
    } | _deployed_errors()
    if selector not in known:  # of a contract that stands beside the protocol, such as an inspector
        known |= _errors_by_selector(compiled())
    if selector not in known:
        return Reverted("Unknown", {"data": data})
    name, names, types = known[selector]
    try:
        decoded = abi_decode(types, body)
    # Cut off, or made up, with a length beyond all memory or text that is none: it is a refusal all
    # the same.
    except (DecodingError, OverflowError, ValueError):
        return Reverted("Unknown", {"data": data})
    values = [
        to_checksum_address(value) if kind == "address" else value
        for kind, value in zip(types, decoded, strict=True)
    ]
    return Reverted(name, dict(zip(names, values, strict=True)))
