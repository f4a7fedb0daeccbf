"""The deployed protocol as tests see it: contracts, money, submissions, disputes.

Nothing here judges; assertions are in the tests. Real training is in `training.py`. Structs are in
`structs.py`, and how a contract is called in `onchain.py`; both can be had from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract

from tests.support.artifacts import Artifacts
from tests.support.onchain import GAS, OnChain, RevertedError
from tests.support.structs import (
    ADVANCE,
    BATTLE,
    BURN,
    CURRICULUM,
    DAY,
    DISMISSED,
    DISPUTED,
    ETHER,
    FILED,
    FINAL,
    GWEI,
    HEADER,
    MAX_WINDOW_LOSS,
    MINTER_ROLE,
    NO_CHECKPOINT,
    NO_COMMITMENTS,
    NO_OPENING,
    NO_PAYLOAD,
    NO_SALT,
    OPENED,
    PENDING,
    PRIVATE,
    PROVEN,
    PROVEN_RIGHT,
    RECORDS,
    SEGMENT,
    SEGMENTS,
    SELF_PLAY,
    SLAB_PARAMS,
    STATE,
    TIMEOUT,
    TREASURY,
    UNKNOWN_OR_VOID,
    UPHELD,
    VOIDED,
    ZERO32,
    ZERO_ADDRESS,
    ArenaTerms,
    Checkpoint,
    Dispute,
    Economics,
    Head,
    Limits,
    OpeningBond,
    Payload,
    Publication,
    Rules,
    Schedule,
    Season,
    StakeReward,
    StateHeader,
    fresh_hash,
    window_price,
)

__all__ = [
    "ADVANCE",
    "BATTLE",
    "BURN",
    "CURRICULUM",
    "DAY",
    "DISMISSED",
    "DISPUTED",
    "ETHER",
    "FILED",
    "FINAL",
    "GAS",
    "GWEI",
    "HEADER",
    "MAX_WINDOW_LOSS",
    "MINTER_ROLE",
    "NO_CHECKPOINT",
    "NO_COMMITMENTS",
    "NO_OPENING",
    "NO_PAYLOAD",
    "NO_SALT",
    "OPENED",
    "PENDING",
    "PRIVATE",
    "PROVEN",
    "PROVEN_RIGHT",
    "RECORDS",
    "SEGMENT",
    "SEGMENTS",
    "SELF_PLAY",
    "SLAB_PARAMS",
    "STATE",
    "TIMEOUT",
    "TREASURY",
    "UNKNOWN_OR_VOID",
    "UPHELD",
    "VOIDED",
    "ZERO32",
    "ZERO_ADDRESS",
    "ArenaTerms",
    "Checkpoint",
    "Dispute",
    "Economics",
    "Head",
    "Limits",
    "OpeningBond",
    "Payload",
    "Publication",
    "RevertedError",
    "Rules",
    "Schedule",
    "Season",
    "StakeReward",
    "StateHeader",
    "World",
    "fresh_hash",
    "garbage_segments",
    "window_price",
]


@dataclass
class World(OnChain):
    """One deployment on one chain."""

    season: Season = field(default_factory=Season)

    # --- deployment ---------------------------------------------------------------------------

    @classmethod
    def deploy(
        cls,
        w3: Web3,
        artifacts: Artifacts,
        season: Season | None = None,
        limits: Limits | None = None,
    ) -> World:
        world = cls(w3, artifacts, list(w3.eth.accounts), season=season or Season())
        admin, made = world.accounts[0], world.contracts
        made["seasons"] = world.create("SeasonRegistry", admin, tuple(limits or Limits()))
        world.send(made["seasons"].functions.addSeason(world.season), admin)
        made["energy"] = world.create("Energy", admin)
        world.send(made["energy"].functions.grantRole(MINTER_ROLE, admin), admin)
        made["sale"] = world.create("EnergySale", *world.addresses("energy", "seasons"), TREASURY)
        world.send(made["energy"].functions.grantRole(MINTER_ROLE, made["sale"].address), admin)
        made["beasts"] = world.create("Beasts", *world.addresses("energy", "seasons"))
        made["referee"] = world.create("StepReferee")
        made["stage"] = world.create("DatasetStage")
        made["states"] = world.create("StateArchive", *world.addresses("referee"))
        made["records"] = world.create("RecordArchive", *world.addresses("beasts", "stage"))
        made["match_referee"] = world.create("MatchReferee")
        made |= world.create_training()
        world.send(world.ledger.functions.bind(*world.addresses("court", "arena")), admin)
        world.send(made["energy"].functions.grantRole(MINTER_ROLE, made["arena"].address), admin)
        for account in world.accounts[:8]:
            world.fund(account, 1_000_000 * ETHER)
        return world

    def create_training(self) -> dict[str, Contract]:
        """A ledger with everything that names it, not bound yet."""
        made = self.contracts = dict(self.contracts)
        made["ledger"] = self.create(
            "CheckpointLedger", *self.addresses("energy", "beasts", "seasons")
        )
        reference = self.seasons.functions.referenceFee().call()
        made["vault"] = self.create("DisputeVault", made["ledger"].address, reference)
        parts = self.addresses("ledger", "beasts", "seasons", "records", "referee")
        made["windows"] = self.create("WindowReferee", *parts)
        made["court"] = self.create(
            "DisputeCourt", *self.addresses("vault", "seasons", "windows", "states")
        )
        made["arena"] = self.create_arena()
        return made

    def create_arena(self) -> Contract:
        names = ("energy", "beasts", "seasons", "ledger", "match_referee", "states")
        return self.create("Arena", *self.addresses(*names))

    # --- money --------------------------------------------------------------------------------

    def fund(self, account: str, amount: int, escrow: str = "ledger") -> None:
        """Mint, approve and deposit into an escrow, the ledger's or the arena's."""
        holder = self.contracts[escrow]
        self.send(self.energy.functions.mint(account, amount), self.accounts[0])
        self.send(self.energy.functions.approve(holder.address, amount), account)
        self.send(holder.functions.deposit(amount), account)

    def escrow(self, account: str, escrow: str = "ledger") -> int:
        return int(self.contracts[escrow].functions.escrowOf(account).call())

    def credit(self, account: str) -> int:
        """Native coin that the account can pull from the vault."""
        return int(self.vault.functions.creditOf(account).call())

    def coin(self, account: str) -> int:
        return int(self.w3.eth.get_balance(self.w3.to_checksum_address(account)))

    def required_stake(self, beast: int) -> int:
        """What a submission asks for in the next block, with room for its base fee."""
        return 2 * int(self.ledger.functions.requiredStake(beast).call())

    def stake(self, beast: int, trainer: str, amount: int | None = None) -> int:
        """Stake for a trainer on a beast; returns how much."""
        value = self.required_stake(beast) if amount is None else amount
        self.send(self.ledger.functions.stake(beast), trainer, value)
        return value

    def staked(self, beast: int, trainer: str) -> int:
        return int(self.ledger.functions.stakeOf(beast, trainer).call()[0])

    def reward(self, beast: int, trainer: str) -> StakeReward:
        """The reward held out of a trainer's slashed stake."""
        return StakeReward(*self.vault.functions.rewardOf(beast, trainer).call())

    def settle_reward(self, beast: int, trainer: str) -> Any:
        return self.send(self.vault.functions.settleReward(beast, trainer), self.accounts[9])

    def opening_bond(self, dispute: int) -> OpeningBond:
        return OpeningBond(*self.vault.functions.bondOf(dispute).call())

    # --- beasts and submissions ---------------------------------------------------------------

    def pay_hatch(self, owner: str, hatches: int = 1) -> None:
        """Give an account what its next requests burn, and let them burn it."""
        cost = hatches * self.season.economics.hatchCost
        self.send(self.energy.functions.mint(owner, cost), self.accounts[0])
        self.send(self.energy.functions.approve(self.beasts.address, cost), owner)

    def request_hatch(self, owner: str, commitments: tuple[Any, ...] = NO_COMMITMENTS) -> Any:
        """Request a hatch with ENERGY given for it; the receipt."""
        self.pay_hatch(owner)
        return self.send(self.beasts.functions.requestHatch(*commitments), owner)

    def hatch(self, owner: str, commitments: tuple[Any, ...] = NO_COMMITMENTS) -> int:
        self.request_hatch(owner, commitments)
        beast = int(self.beasts.functions.lastBeastId().call())
        self.send(self.beasts.functions.hatch(beast), owner)
        return beast

    def head(self, beast: int) -> Head:
        return Head(*self.ledger.functions.head(beast).call())

    def epoch_seed(self, beast: int, epoch: int) -> bytes:
        return bytes(self.ledger.functions.epochOf(beast, epoch).call()[0])

    def payload(self, beast: int, h128: bytes | None = None, **changes: Any) -> Payload:
        """A correct payload for the beast's next window (its hash need not be of any training)."""
        head = self.head(beast)
        mask = changes.get("activeMask", head.activeMask)
        honest = Payload(
            epoch=head.epoch,
            h128=h128 or fresh_hash(beast, head.headCount, head.generation, head.h128),
            energyBurn=window_price(self.season, head.activeMask, mask),
            lrShift=head.lrShift,
            activeMask=mask,
            globalStep=(head.headCount + 1) * 128 % 2**32,
            windowLoss=400_000 - head.headCount,
            source=CURRICULUM,
            sourceId=0,
        )
        return honest._replace(**changes)

    def submit_call(
        self, beast: int, payload: Payload | None = None, *, accept_foreign: bool = False
    ) -> Any:
        head = self.head(beast)
        seed = self.epoch_seed(beast, head.epoch)
        return self.ledger.functions.submit(
            beast, head.h128, seed, payload or self.payload(beast), accept_foreign
        )

    def submit(
        self,
        beast: int,
        trainer: str,
        payload: Payload | None = None,
        *,
        accept_foreign: bool = False,
    ) -> Checkpoint:
        """Submit, with a stake if there is none."""
        if self.staked(beast, trainer) == 0:
            self.stake(beast, trainer)
        call = self.submit_call(beast, payload, accept_foreign=accept_foreign)
        return self.submitted(self.send(call, trainer))[0]

    def submitted(self, receipt: Any) -> list[Checkpoint]:
        return [
            Checkpoint.of(log["checkpoint"])
            for log in self.logs("ledger", "CheckpointSubmitted", receipt)
        ]

    def finalize(self, beast: int, *checkpoints: Checkpoint) -> Any:
        return self.send(self.ledger.functions.finalize(beast, list(checkpoints)), self.accounts[9])

    def is_live(self, beast: int, checkpoint: Checkpoint) -> bool:
        return bool(self.ledger.functions.isLive(beast, checkpoint).call())

    def status(self, beast: int, checkpoint: Checkpoint) -> int:
        return int(self.ledger.functions.statusOf(beast, checkpoint).call())

    # --- disputes -----------------------------------------------------------------------------

    def opening_value(self, beast: int, checkpoint: Checkpoint) -> int:
        """The opening bond that filing asks for, with room for the next block's base fee."""
        return 2 * int(self.court.functions.quote(beast, checkpoint).call()[1])

    def file(self, beast: int, checkpoint: Checkpoint, filer: str) -> int:
        value = self.opening_value(beast, checkpoint)
        receipt = self.send(self.court.functions.file(beast, checkpoint), filer, value)
        return int(self.logs("court", "DisputeFiled", receipt)[0]["disputeId"])

    def open_segments(
        self,
        dispute: int,
        beast: int,
        checkpoint: Checkpoint,
        segments: Sequence[bytes],
        sender: str | None = None,
    ) -> Any:
        call = self.court.functions.openSegments(dispute, beast, checkpoint, list(segments))
        return self.send(call, sender or checkpoint.trainer)

    def state_publication(self, state: bytes) -> Publication:
        return Publication(*self.states.functions.publicationOf(state).call())

    def publish_state(self, header: tuple[Any, ...], weights: bytes, sender: str) -> Any:
        return self.send(self.states.functions.publish(header, weights), sender)

    def accept_openings(
        self, dispute: int, beast: int, checkpoint: Checkpoint, sender: str | None = None
    ) -> Any:
        call = self.court.functions.acceptOpenings(dispute, beast, checkpoint)
        return self.send(call, sender or self.accounts[9])

    def commit(self, sender: str, *parts: tuple[str, Any]) -> Any:
        """Commit to a proof or to steps: (ABI type, value) of what follows the sender."""
        types, values = ["address", *(t for t, _ in parts)], [sender, *(v for _, v in parts)]
        return self.send(self.court.functions.commit(keccak(encode(types, values))), sender)

    def dispute(self, dispute: int) -> Dispute:
        return Dispute(*self.court.functions.dispute(dispute).call())

    def claim_timeout(
        self, dispute: int, beast: int, checkpoint: Checkpoint, parent: Checkpoint, sender: str
    ) -> Any:
        claim = (dispute, beast, checkpoint, parent)
        return self.send(self.court.functions.claimTimeout(claim), sender)

    def slash_by_timeout(
        self,
        beast: int,
        checkpoint: Checkpoint,
        parent: Checkpoint = NO_CHECKPOINT,
        filer: str | None = None,
    ) -> Any:
        """The shortest way to a slashing: a dispute nobody answers."""
        sender = filer or self.accounts[3]
        dispute = self.file(beast, checkpoint, sender)
        self.travel(self.season.economics.responseWindow + 1)
        return self.claim_timeout(dispute, beast, checkpoint, parent, sender)


def garbage_segments(last: bytes) -> list[bytes]:
    """A response that nobody could have computed, ending in `last`."""
    return [fresh_hash("segment", k) for k in range(15)] + [last]
