"""Gas of the transactions that re-execute micro-steps, measured through the court.

Newborn and trained beasts, with few and with all slots awake, and the costliest state that could be
built. Used by the gas report.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from eth_abi import encode
from eth_utils.crypto import keccak
from web3.exceptions import ContractLogicError, Web3RPCError

from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.kernel.constants import MAX_RECORDS, WINDOW_STEPS
from chainbeasts.backend.kernel.genesis import genesis_mask
from chainbeasts.backend.kernel.network import Weights
from chainbeasts.backend.kernel.rules import Rules as KernelRules
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import Header, State, state_hash
from chainbeasts.backend.kernel.window import open_window
from chainbeasts.backend.kernels import kernel_for
from tests.support.gas_meter import fresh_world
from tests.support.protocol import GAS, Economics, Rules, Schedule, Season, World
from tests.support.states import dense_weights, winding_board
from tests.support.training import SEGMENT_STEPS, Dataset, Trainee, Window, add_one

TRAINED_WINDOWS = 96
"""Windows that a trained beast has behind it: 12,288 steps, a third with each set of heads."""

BIRTHS = (
    (
        "ccd9fc3b956ce09aa042c4273886e1c85d35a64b304b6e8d275ce9b7d17ac78e",
        "30b39753c90aa24e274df4dba6c2c44b2e50c3919457a8ec0d76312f69d66df1",
    ),
    (
        "6bb3d209936f8aee839cac8d77cef40cbccadcae2aa377a425a7b195403e1c05",
        "8298ee65f8db0a8bc29276d48d2c0ccfda5fddeb7a8ce781004395acddc9d394",
    ),
)
"""DNA and epoch seed of a beast with three slots awake at hatch, and of one with all eight.

Planted, since block hashes, and so what hatches, change with the contracts' code: figures of two
versions are then of the same beasts, and a sixth of them is no accident of birth.
"""

RECORDS = 1_024
"""Records of the private dataset: what a proof from opened ones takes does not depend on it."""

LIE_AT = 19
"""The step (counted from 1) after which the wrong windows go wrong: in segment 2."""

AMPLE = 5
"""Times the least stake, so that openings are paid at once."""

TRAINED = Season(
    schedule=Schedule(epochWindows=200, moveOnlyEpochs=0, attackEpochs=0, lrHoldEpochs=12),
    economics=Economics(challengePeriod=10_000, responseWindow=3_000, proofWindow=3_000),
)
COSTLY = TRAINED._replace(
    rules=Rules(hazardStamina=15),
    schedule=TRAINED.schedule._replace(lrBase=13, lrMax=13),
)


@dataclass(frozen=True)
class Advance:
    """One window re-executed from its start: gas of each transaction that it took."""

    gas: list[int]

    @property
    def total(self) -> int:
        return sum(self.gas)


@dataclass
class KernelGas:
    """What was measured."""

    prove: dict[str, int] = field(default_factory=dict)
    advance: dict[str, Advance] = field(default_factory=dict)
    trained: list[Weights] = field(default_factory=list)
    """Weights of the trained beasts, that with all slots awake last."""


def measure() -> KernelGas:
    """All figures, the same at every call."""
    found = KernelGas()
    with fresh_world(TRAINED) as world:
        few, many = _beasts(world)
        _fresh(world, few, found, "newborn, 2 slots awake")
        _fresh(world, many, found, "newborn, 8 slots awake")
        for trainee, slots in ((few, 2), (many, 8)):
            _trained(world, trainee, found, slots)
    with fresh_world(COSTLY) as world:
        _costly(world, found)
    return found


def _beasts(world: World) -> tuple[Trainee, Trainee]:
    """Two beasts, with few and with all slots awake."""
    owner = world.accounts[1]
    data = Dataset.of([random_position(n, None, KernelRules()) for n in range(RECORDS)])
    few, many = (Trainee.hatch(world, owner, data) for _ in BIRTHS)
    for trainee, birth in zip((few, many), BIRTHS, strict=True):
        _bear(world, trainee, *birth)
    return few, many


def _bear(world: World, trainee: Trainee, *birth: str) -> None:
    """Give a beast other DNA and another epoch seed, the first two slots of its birth."""
    layout = artifact("Beasts").storage["storage"]
    births = next(int(entry["slot"]) for entry in layout if entry["label"] == "_births")
    slot = int.from_bytes(keccak(encode(["uint256", "uint256"], [trainee.beast, births])))
    for offset, value in enumerate(birth):
        place = f"0x{slot + offset:064x}"
        world.rpc("anvil_setStorageAt", world.beasts.address, place, "0x" + value)
    trainee.__post_init__()
    assert trainee.dna.hex() == birth[0]


# --- windows --------------------------------------------------------------------------------------


def _fresh(world: World, trainee: Trainee, found: KernelGas, name: str) -> None:
    mask = genesis_mask(trainee.dna)
    window = trainee.train(mask=mask, tamper=(LIE_AT, add_one))
    found.advance[f"{name} ({_slots(mask)})"] = _advance(world, trainee, window)
    trainee.windows.clear()
    trainee.__post_init__()


def _trained(world: World, trainee: Trainee, found: KernelGas, slots: int) -> None:
    """A beast trained for real, its state planted as a checkpoint that nobody disputes here."""
    mask = genesis_mask(trainee.dna) if slots < 8 else 0xFF
    head = world.head(trainee.beast)
    state, kernel = trainee.state, kernel_for(mask)
    for number in range(TRAINED_WINDOWS):
        heads = (1, 3, 7)[3 * number // TRAINED_WINDOWS]
        context = trainee.context(Source.CURRICULUM, head.epoch, head.season, head.lrShift)
        state = open_window(state, mask)
        kernel.run(replace(context, heads=heads), state)
    found.trained.append(state.weights.copy())
    for source in (Source.CURRICULUM, Source.SELF_PLAY, Source.PRIVATE):
        name = f"trained, {source.name.lower().replace('_', '-')}, {_slots(mask)}"
        _plant(world, trainee, state)
        window = trainee.train(int(source), tamper=(LIE_AT, add_one))
        found.prove[name] = _prove(world, trainee, window, 2)
        if source is Source.PRIVATE:  # re-executed like the others
            continue
        _plant(world, trainee, state)
        window = trainee.train(int(source), tamper=(LIE_AT, add_one))
        found.advance[name] = _advance(world, trainee, window)


def _costly(world: World, found: KernelGas) -> None:
    """Every unit active, every update done twice, a winding board, words with 16 siblings; and the
    proof is the first move to take note of what the archives have."""
    data = Dataset.of([winding_board()] * MAX_RECORDS)
    trainee = Trainee.hatch(world, world.accounts[1], data)
    world.stake(trainee.beast, trainee.trainer, AMPLE * world.required_stake(trainee.beast))
    header = Header(trainee.beast, bytes(32), WINDOW_STEPS, 0xFF, 0, 0)
    _plant(world, trainee, State(header, dense_weights()))
    window = trainee.train(int(Source.PRIVATE), mask=0xFF, tamper=(1, add_one))
    dispute = world.file(trainee.beast, window.checkpoint, world.accounts[3])
    trainee.open_segments(dispute, window)
    trainee.publish_parent(window)
    trainee.publish_records(window)
    found.prove["costliest state that could be built"] = _gas(
        world, trainee.prove_call(dispute, window, 0)
    )


def _plant(world: World, trainee: Trainee, state: State) -> None:
    """Submit a checkpoint that ends in a state, as the parent of the window to be measured."""
    at = world.head(trainee.beast).headCount + 1
    planted = state.copy()
    planted.update(global_step=WINDOW_STEPS * at)
    payload = world.payload(
        trainee.beast, state_hash(planted), activeMask=planted.header.active_mask
    )
    record = world.submit(trainee.beast, trainee.trainer, payload)
    trainee.state = planted
    context = trainee.context(0, payload.epoch, record.season, payload.lrShift)
    trainee.windows.append(Window(context, planted, record, record, planted, [], []))


def _slots(mask: int) -> str:
    return f"{(mask & 15).bit_count()} sensor and {(mask >> 4).bit_count()} appendage slots"


# --- transactions ---------------------------------------------------------------------------------


def _gas(world: World, call: Any) -> int:
    return int(world.send(call, world.accounts[4])["gasUsed"])


def _prove(world: World, trainee: Trainee, window: Window, segment: int) -> int:
    dispute = trainee.dispute(window, world.accounts[3])
    changes = {}
    if window.context.source is Source.PRIVATE:
        opened = trainee.records_opening(window)
        changes["witnesses"] = opened.witnesses(segment * SEGMENT_STEPS, SEGMENT_STEPS)
    gas = _gas(world, trainee.prove_call(dispute, window, segment, **changes))
    _settle(world, trainee)
    return gas


def _settle(world: World, trainee: Trainee) -> None:
    """After a conviction, so that the trainer can stake anew: what stands below becomes final."""
    final = world.head(trainee.beast).finalCount
    pending = [window.checkpoint for window in trainee.windows[:-1]]
    pending = [c for c in pending if c.index >= final and world.is_live(trainee.beast, c)]
    if pending:
        world.travel(world.season.economics.challengePeriod)
        world.finalize(trainee.beast, *pending)
    world.send(
        world.vault.functions.settleReward(trainee.beast, trainee.trainer), world.accounts[4]
    )


def _advance(world: World, trainee: Trainee, window: Window) -> Advance:
    """Re-execute a whole window in as few transactions of equal length as fit the gas cap."""
    dispute = world.file(trainee.beast, window.checkpoint, world.accounts[3])
    parts = 1
    while not _fits(world, trainee.advance_call(dispute, window, 0, WINDOW_STEPS // parts)):
        parts *= 2
    stride = WINDOW_STEPS // parts
    calls = (
        trainee.advance_call(dispute, window, done, stride)
        for done in range(0, WINDOW_STEPS, stride)
    )
    found = Advance([_gas(world, call) for call in calls])
    _settle(world, trainee)
    return found


def _fits(world: World, call: Any) -> bool:
    """Whether a call succeeds within one transaction's gas; trying it changes nothing."""
    try:
        call.call({"from": world.accounts[4], "gas": GAS})
    except (Web3RPCError, ContractLogicError):  # out of gas, in the court or in the referee
        return False
    return True
