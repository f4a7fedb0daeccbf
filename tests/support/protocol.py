"""The deployed protocol as tests see it: contracts, money, time, submissions, disputes.

Nothing here judges; assertions are in the tests. Real training is in `training.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractCustomError, ContractLogicError, ContractPanicError
from web3.types import RPCEndpoint

from chainbeasts.backend.chain.views import as_json, call_view, with_call
from tests.support.artifacts import Artifacts
from tests.support.history import forget
from tests.support.quick import QuickContract, decoded

SEND = RPCEndpoint("eth_sendTransaction")
ZERO32 = bytes(32)
ZERO_ADDRESS = "0x" + "00" * 20
ETHER = 10**18
GAS = 16_777_216
SLAB_PARAMS = 16_896
MAX_WINDOW_LOSS = 524_160
CURRICULUM, SELF_PLAY, BATTLE, PRIVATE = range(4)
FILED, OPENED, UPHELD, DISMISSED, PROVEN_RIGHT, VOIDED = range(1, 7)
SEGMENTS, STATE, RECORDS = (1 << opening for opening in range(3))
TIMEOUT, SEGMENT, ADVANCE, HEADER = range(4)
NO_SALT = bytes(32)
NO_COMMITMENTS = (ZERO32, ZERO32, 0, ZERO32)
TREASURY = "0x0000000000000000000000000000000000007EA5"
"""Gets the proceeds of the sale; nobody has its key."""
BURN = "0x000000000000000000000000000000000000dEaD"
DAY = 86_400
GWEI = 10**9
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
    selfPlayWords: int = 2


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
    stakeGas: int = 60_000_000
    filingBps: int = 1_000
    proofBps: int = 3_000
    challengePeriod: int = 300
    responseWindow: int = 100
    proofWindow: int = 200
    publicationAge: int = 60 * DAY
    energyPrice: int = 10**15 + 3  # no amount of steps costs a whole number, so that rounding shows
    hatchCost: int = 10**17 + 11


class Limits(NamedTuple):
    referenceFee: int = GWEI
    minChallengePeriod: int = 1
    minResponseWindow: int = 1
    minProofWindow: int = 1
    minStakeGas: int = 1
    minTrainerBondMultiple: int = 1
    minDisputeBondMultiple: int = 1
    maxPublicationAge: int = 365 * DAY


class ArenaTerms(NamedTuple):
    winnerReward: int = 10**15 + 1  # a window burns 32 times that at least
    loserReward: int = 2 * 10**14
    disproofPeriod: int = 150
    rewardCooldown: int = 1_000
    recordBond: int = 20 * ETHER + 3  # no share of it is a whole number, so that rounding shows
    rewardCapBps: int = 5_000
    recordWindow: int = 2_000


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
    trainerTag: int


class Dispute(NamedTuple):
    digest: bytes
    filer: str
    filedIn: int
    responseDeadline: int
    status: int
    missing: int
    proofStart: int
    proofDeadline: int
    stepsDone: int
    segmentsHash: bytes
    stateHash: bytes


class OpeningBond(NamedTuple):
    base: int
    surplus: int
    slashings: int
    paid: int
    waiting: int


class StakeReward(NamedTuple):
    filing: int
    proof: int
    filer: str
    index: int  # type: ignore[assignment]  # a field, not tuple.index
    disputeId: int
    prover: str
    gasCap: int


class Publication(NamedTuple):
    time: int
    timeBefore: int
    blockNumber: int
    gasUsed: int
    gasPrice: int


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
    gas_spent: dict[str, int] = field(default_factory=dict)
    """Wei that each account has paid for gas."""

    # --- deployment ---------------------------------------------------------------------------

    @classmethod
    def deploy(
        cls,
        w3: Web3,
        artifacts: Artifacts,
        season: Season | None = None,
        limits: Limits | None = None,
    ) -> World:
        world = cls(w3, artifacts, list(w3.eth.accounts), season or Season())
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

    def addresses(self, *names: str) -> list[str]:
        return [self.contracts[name].address for name in names]

    def create(self, name: str, *args: Any, sender: str | None = None) -> Contract:
        artifact = self.artifacts[name]
        factory = self.w3.eth.contract(abi=artifact.abi, bytecode=artifact.bytecode)
        receipt = self.send(factory.constructor(*args), sender or self.accounts[0])
        return self.at(name, receipt["contractAddress"])

    def at(self, name: str, address: str) -> Contract:
        to = self.w3.to_checksum_address(address)
        return QuickContract(self.w3, to, self.artifacts[name].abi)

    def __getattr__(self, name: str) -> Contract:
        try:
            found: Contract = self.__dict__["contracts"][name]
        except KeyError:
            raise AttributeError(name) from None
        return found

    # --- transactions and errors --------------------------------------------------------------

    def send(self, call: Any, sender: str, value: int = 0, price: int = 10**11) -> Any:
        """Mine `call`; raises RevertedError with the decoded error if it failed.

        Args:
            value: wei sent along.
            price: wei paid for a gas.
        """
        sent: Any = {"from": sender, "gas": GAS, "gasPrice": price, "value": value}
        # A constructor has its own way; for a function web3's is too slow for thousands of them.
        tx = self._transact(call, sent) if hasattr(call, "selector") else call.transact(sent)
        receipt = self.w3.eth.wait_for_transaction_receipt(tx, timeout=60, poll_latency=0.01)
        cost = receipt["gasUsed"] * receipt["effectiveGasPrice"]
        self.gas_spent[sender] = self.gas_spent.get(sender, 0) + cost
        if receipt["status"] != 1:
            self.call(call, sender, value)
            raise RevertedError("unknown: the same call succeeds")
        return receipt

    def _transact(self, call: Any, sent: Any) -> Any:
        made: Any = {name: as_json(value) for name, value in with_call(call, sent).items()}
        return self.w3.manager.request_blocking(SEND, [made])

    def call(self, call: Any, sender: str, value: int = 0) -> Any:
        """eth_call; raises RevertedError with the decoded error."""
        try:
            sent: Any = {"from": sender, "gas": GAS, "value": value}
            return call_view(call, sent)
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

    def reverts(self, call: Any, sender: str, name: str, *values: Any, value: int = 0) -> None:
        """Assert that `call` fails with the custom error `name` (and its values, if given).

        Args:
            value: wei sent along.
        """
        with pytest.raises(RevertedError) as caught:
            self.call(call, sender, value)
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
        known = [one for log in entries if (one := decoded(found, log)) is not None]
        return [args for name, args in known if name == event]

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

    def call_in(self, block: int, call: Any, sender: str) -> Any:
        """eth_call as if it were in that block; the answer's hex."""
        answer = self._ask_in(block, call, sender)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def refused_in(self, block: int, call: Any, sender: str) -> RevertedError:
        """The decoded error of an eth_call as if it were in that block."""
        return self.decode_error(str(self._ask_in(block, call, sender)["error"]["data"]))

    def _ask_in(self, block: int, call: Any, sender: str) -> Any:
        message = {"from": sender, "to": call.address, "data": call._encode_transaction_data()}
        asked: Any = [message, "latest", {}, {"number": hex(block)}]
        return self.w3.provider.make_request("eth_call", asked)  # type: ignore[arg-type]

    def forget(self, block: int) -> None:
        """Bring the chain to where it knows the hash of a block no longer."""
        forget(self.rpc, block)

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
