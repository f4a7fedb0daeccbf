"""The deployed protocol as tests see it: contracts, money, time, submissions, disputes.

Nothing here judges; assertions are in the tests. Real training is in `training.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError

from tests.support.artifacts import Artifacts

ZERO32 = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20
ETHER = 10**18
GAS = 16_777_216
SLAB_PARAMS = 16_896
MAX_WINDOW_LOSS = 524_160
CURRICULUM, SELF_PLAY, BATTLE, PRIVATE = range(4)
FILED, RESPONDED, UPHELD, DISMISSED, VOIDED = range(1, 6)
TIMEOUT, SEGMENT, ADVANCE, HEADER, RECORDS = range(5)
UNKNOWN_OR_VOID, PENDING, DISPUTED, PROVEN, FINAL = range(5)
MINTER_ROLE = keccak(text="MINTER_ROLE")


class Rules(NamedTuple):
    damageK: int = 256
    damageCurve: int = 0
    blockGain: int = 32
    blockCap: int = 96
    critOdds: int = 16
    hazardStamina: int = 2
    restGain: int = 2
    maxTurns: int = 60
    blockThresholdNum: int = 4
    blockThresholdDen: int = 5


class Schedule(NamedTuple):
    epochWindows: int = 4
    moveOnlyEpochs: int = 1
    attackEpochs: int = 1
    lrBase: int = 9
    lrHoldEpochs: int = 1
    lrEpochsPerDecay: int = 1
    lrMax: int = 13


class Economics(NamedTuple):
    baseCost: int = 10**15 + 7  # not divisible by the slab, so that rounding shows
    growthCost: int = 10**16
    trainerBondMultiple: int = 4
    disputeBondMultiple: int = 2
    rewardBps: int = 5_000
    proverBps: int = 500
    challengePeriod: int = 300
    responseWindow: int = 100
    proofWindow: int = 200


class ArenaTerms(NamedTuple):
    winnerReward: int = 5 * ETHER + 1
    loserReward: int = ETHER
    disproofPeriod: int = 150
    rewardCooldown: int = 1_000
    recordBond: int = 20 * ETHER + 3  # no share of it is a whole number, so that rounding shows


class Season(NamedTuple):
    rules: Rules = Rules()
    schedule: Schedule = Schedule()
    economics: Economics = Economics()
    arena: ArenaTerms = ArenaTerms()


class Payload(NamedTuple):
    epoch: int
    h128: bytes
    energyBurn: int
    lrShift: int
    activeMask: int
    globalStep: int
    windowLoss: int
    source: int
    sourceId: int


class Checkpoint(NamedTuple):
    index: int  # type: ignore[assignment]  # a field, not tuple.index
    generation: int
    parent: bytes
    payload: Payload
    season: int
    trainer: str
    submittedAt: int
    bond: int
    lockedSum: int

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> Checkpoint:
        """From the struct of a decoded event."""
        record = cls(**event)
        return record._replace(payload=Payload(**event["payload"]))

    @property
    def locked(self) -> int:
        return self.payload.energyBurn + self.bond


class Head(NamedTuple):
    h128: bytes
    headCount: int
    epoch: int
    epochEnd: int
    season: int
    activeMask: int
    lrShift: int
    windowLoss: int
    source: int
    comparable: bool
    epochSeedTag: int
    lockedSum: int
    finalCount: int
    generation: int


class Dispute(NamedTuple):
    digest: bytes
    challenger: str
    deadline: int
    status: int
    stepsDone: int
    demanded: int
    demand: int
    demandDeadline: int
    segmentsHash: bytes
    stateHash: bytes


class StateHeader(NamedTuple):
    beastId: int = 0
    parent: bytes = ZERO32
    globalStep: int = 0
    activeMask: int = 0
    windowLoss: int = 0
    arena: int = 0


NO_PAYLOAD = Payload(0, ZERO32, 0, 0, 0, 0, 0, 0, 0)
NO_CHECKPOINT = Checkpoint(0, 0, ZERO32, NO_PAYLOAD, 0, ZERO_ADDRESS, 0, 0, 0)
NO_OPENING = (StateHeader(), ZERO32)


class RevertedError(Exception):
    """A transaction or call that failed, with its decoded custom error."""

    def __init__(self, name: str, args: tuple[Any, ...] = ()) -> None:
        super().__init__(f"{name}{args}")
        self.name = name
        self.values = args


def fresh_hash(*parts: object) -> bytes:
    """A state hash nobody can open, different for different parts."""
    return keccak(text=repr(parts))


def window_price(season: Season, parent_mask: int, mask: int) -> int:
    """docs/spec/protocol.md §5, written apart from the contract."""
    params = 3072 * (mask & 15).bit_count() + 1152 * (mask >> 4).bit_count()
    step = -(-season.economics.baseCost * params // SLAB_PARAMS)
    return 128 * step + season.economics.growthCost * (mask & ~parent_mask).bit_count()


@dataclass
class World:
    """One deployment on one chain."""

    w3: Web3
    artifacts: Artifacts
    accounts: list[str]
    season: Season = field(default_factory=Season)
    contracts: dict[str, Contract] = field(default_factory=dict)

    # --- deployment ---------------------------------------------------------------------------

    @classmethod
    def deploy(cls, w3: Web3, artifacts: Artifacts, season: Season | None = None) -> World:
        world = cls(w3, artifacts, list(w3.eth.accounts), season or Season())
        admin = world.accounts[0]
        seasons = world.create("SeasonRegistry", admin)
        world.send(seasons.functions.addSeason(world.season), admin)
        energy = world.create("Energy", admin)
        world.send(energy.functions.grantRole(MINTER_ROLE, admin), admin)
        beasts = world.create("Beasts", seasons.address)
        referee = world.create("StepReferee")
        stage = world.create("DatasetStage")
        ledger = world.create(
            "CheckpointLedger",
            energy.address,
            beasts.address,
            seasons.address,
            referee.address,
            stage.address,
        )
        court = world.at("DisputeCourt", ledger.functions.court().call())
        world.contracts = {
            "seasons": seasons,
            "energy": energy,
            "beasts": beasts,
            "referee": referee,
            "stage": stage,
            "ledger": ledger,
            "court": court,
        }
        match_referee = world.create("MatchReferee")
        arena = world.create_arena(match_referee)
        world.send(ledger.functions.bindArena(arena.address), admin)
        world.send(energy.functions.grantRole(MINTER_ROLE, arena.address), admin)
        world.contracts |= {"match_referee": match_referee, "arena": arena}
        for account in world.accounts[:8]:
            world.fund(account, 1_000_000 * ETHER)
        return world

    def create_arena(self, match_referee: Contract) -> Contract:
        parts = (self.energy, self.beasts, self.seasons, self.ledger, match_referee)
        return self.create("Arena", *(part.address for part in parts))

    def create(self, name: str, *args: Any, sender: str | None = None) -> Contract:
        artifact = self.artifacts[name]
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self.send(factory.constructor(*args), sender or self.accounts[0])
        return self.at(name, receipt["contractAddress"])

    def at(self, name: str, address: str) -> Contract:
        to = self.w3.to_checksum_address(address)
        return self.w3.eth.contract(address=to, abi=self.artifacts[name].abi)

    def __getattr__(self, name: str) -> Contract:
        try:
            found: Contract = self.__dict__["contracts"][name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    # --- transactions and errors --------------------------------------------------------------

    def send(self, call: Any, sender: str) -> Any:
        """Mine `call`; raises RevertedError with the decoded error if it failed."""
        tx = call.transact({"from": sender, "gas": GAS, "gasPrice": 10**11})
        receipt = self.w3.eth.wait_for_transaction_receipt(tx, timeout=60, poll_latency=0.01)
        if receipt["status"] != 1:
            self.call(call, sender)
            raise RevertedError("unknown: the same call succeeds")
        return receipt

    def call(self, call: Any, sender: str) -> Any:
        """eth_call; raises RevertedError with the decoded error."""
        try:
            return call.call({"from": sender, "gas": GAS})
        except ContractCustomError as error:
            raise self.decode_error(str(error.data)) from None
        except ContractPanicError as error:
            raise RevertedError("Panic", (str(error),)) from None
        except ContractLogicError as error:
            raise RevertedError("Error", (str(error),)) from None

    def decode_error(self, data: str) -> RevertedError:
        raw = bytes.fromhex(data.removeprefix("0x"))
        for signature, types in self.artifacts.errors.get(raw[:4], []):
            return RevertedError(signature, tuple(decode(types, raw[4:])))
        return RevertedError("unknown " + data)

    def reverts(self, call: Any, sender: str, name: str, *values: Any) -> None:
        """Assert that `call` fails with the custom error `name` (and its values, if given)."""
        with pytest.raises(RevertedError) as caught:
            self.call(call, sender)
        error = caught.value
        assert error.name == name, f"expected {name}, got {error}"
        if values:
            expected, actual = (
                tuple(v.lower() if isinstance(v, str) else v for v in found)
                for found in (values, error.values)
            )
            assert actual == expected, f"{name}: expected {expected}, got {actual}"

    def logs(self, contract: str, event: str, receipt: Any) -> list[dict[str, Any]]:
        found = self.contracts[contract]
        entries = [log for log in receipt["logs"] if log["address"] == found.address]
        topic = found.events[event]().topic
        wanted = [log for log in entries if log["topics"][0].to_0x_hex() == topic]
        return [dict(found.events[event]().process_log(log)["args"]) for log in wanted]

    # --- time ---------------------------------------------------------------------------------

    def rpc(self, method: str, *params: Any) -> Any:
        return self.w3.provider.make_request(method, list(params))["result"]  # type: ignore[arg-type]

    def now(self) -> int:
        return int(self.w3.eth.get_block("latest")["timestamp"])

    def mine(self, blocks: int = 1) -> None:
        self.rpc("anvil_mine", hex(blocks))

    def travel(self, seconds: int) -> None:
        """Mine a block that many seconds after the last one."""
        self.travel_to(self.now() + seconds)

    def travel_to(self, timestamp: int) -> None:
        self.rpc("evm_setNextBlockTimestamp", hex(timestamp))
        self.mine()

    # --- money --------------------------------------------------------------------------------

    def fund(self, account: str, amount: int, escrow: str = "ledger") -> None:
        """Mint, approve and deposit into an escrow, the ledger's or the arena's."""
        holder = self.contracts[escrow]
        self.send(self.energy.functions.mint(account, amount), self.accounts[0])
        self.send(self.energy.functions.approve(holder.address, amount), account)
        self.send(holder.functions.deposit(amount), account)

    def escrow(self, account: str, escrow: str = "ledger") -> int:
        return int(self.contracts[escrow].functions.escrowOf(account).call())

    # --- beasts and submissions ---------------------------------------------------------------

    def hatch(self, owner: str, commitments: tuple[Any, ...] = (ZERO32, ZERO32, 0, ZERO32)) -> int:
        self.send(self.beasts.functions.requestHatch(*commitments), owner)
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

    def submit_call(self, beast: int, payload: Payload | None = None) -> Any:
        head = self.head(beast)
        seed = self.epoch_seed(beast, head.epoch)
        return self.ledger.functions.submit(beast, head.h128, seed, payload or self.payload(beast))

    def submit(self, beast: int, trainer: str, payload: Payload | None = None) -> Checkpoint:
        receipt = self.send(self.submit_call(beast, payload), trainer)
        return self.submitted(receipt)[0]

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

    def file(self, beast: int, checkpoint: Checkpoint, challenger: str) -> int:
        receipt = self.send(self.court.functions.file(beast, checkpoint), challenger)
        return int(self.logs("court", "DisputeFiled", receipt)[0]["disputeId"])

    def respond(
        self,
        dispute: int,
        beast: int,
        checkpoint: Checkpoint,
        segments: Sequence[bytes],
        sender: str | None = None,
    ) -> None:
        self.send(
            self.court.functions.respond(dispute, beast, checkpoint, list(segments)),
            sender or checkpoint.trainer,
        )

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
        challenger: str | None = None,
    ) -> Any:
        """The shortest way to a slashing: a dispute nobody answers."""
        sender = challenger or self.accounts[3]
        dispute = self.file(beast, checkpoint, sender)
        self.travel(self.season.economics.responseWindow + 1)
        return self.claim_timeout(dispute, beast, checkpoint, parent, sender)


def garbage_segments(last: bytes) -> list[bytes]:
    """A response that nobody could have computed, ending in `last`."""
    return [fresh_hash("segment", k) for k in range(15)] + [last]
