"""Gas of the transactions that re-execute micro-steps, measured through the court.

Newborn and trained beasts, with few and with all slots awake, and the costliest state that could be
built. Used by the gas report.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from web3.exceptions import ContractLogicError, Web3RPCError

from backend.chain.anvil import Anvil
from backend.chain.providers import make_web3
from backend.kernel.constants import MAX_RECORDS, WINDOW_STEPS
from backend.kernel.genesis import genesis_mask
from backend.kernel.samples import Source
from backend.kernel.state import Header, State, state_hash
from backend.kernel.window import open_window, run_window
from tests.support import artifacts
from tests.support.gas_protocol import GENESIS_TIMESTAMP
from tests.support.protocol import GAS, Economics, Rules, Schedule, Season, World
from tests.support.states import dense_weights, winding_board
from tests.support.training import Dataset, Trainee, Window, add_one

TRAINED_WINDOWS = 96
"""Windows that a trained beast has behind it: 12,288 steps, a third with each set of heads."""

HATCHED = 24
"""Beasts hatched to choose from, so that one has few slots awake."""

LIE_AT = 19
"""The step (counted from 1) after which the wrong windows go wrong: in segment 2."""

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


def measure() -> KernelGas:
    """All figures, the same at every call."""
    found = KernelGas()
    with _chain() as anvil:
        world = _world(anvil, TRAINED)
        few, many = _beasts(world)
        _fresh(world, few, found, "newborn, 2 slots awake")
        _fresh(world, many, found, "newborn, 8 slots awake")
        for trainee, slots in ((few, 2), (many, 8)):
            _trained(world, trainee, found, slots)
    with _chain() as anvil:
        _costly(_world(anvil, COSTLY), found)
    return found


def _chain() -> Anvil:
    return Anvil(extra=("--timestamp", str(GENESIS_TIMESTAMP)))


def _world(anvil: Anvil, season: Season) -> World:
    w3 = make_web3(anvil.url)
    w3.provider.make_request("anvil_setBlockTimestampInterval", [1])  # type: ignore[arg-type]
    return World.deploy(w3, artifacts.load(), season)


def _beasts(world: World) -> tuple[Trainee, Trainee]:
    """Two beasts, with as few and as many slots awake as there are among those that hatch."""
    owner = world.accounts[1]
    hatched = [Trainee.hatch(world, owner) for _ in range(HATCHED)]
    hatched.sort(key=lambda trainee: genesis_mask(trainee.dna).bit_count())
    return hatched[0], hatched[-1]


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
    state = trainee.state
    for number in range(TRAINED_WINDOWS):
        heads = (1, 3, 7)[3 * number // TRAINED_WINDOWS]
        context = trainee.context(Source.CURRICULUM, head.epoch, head.season, head.lrShift)
        state = open_window(state, mask)
        run_window(replace(context, heads=heads), state)
    for source in (Source.CURRICULUM, Source.SELF_PLAY):
        name = f"trained, {source.name.lower().replace('_', '-')}, {_slots(mask)}"
        _plant(world, trainee, state)
        window = trainee.train(int(source), tamper=(LIE_AT, add_one))
        found.prove[name] = _prove(world, trainee, window, 2)
        _plant(world, trainee, state)
        window = trainee.train(int(source), tamper=(LIE_AT, add_one))
        found.advance[name] = _advance(world, trainee, window)


def _costly(world: World, found: KernelGas) -> None:
    """Every unit active, every update done twice, a winding board, a proof of 16 siblings."""
    data = Dataset.of([winding_board()] * MAX_RECORDS)
    trainee = Trainee.hatch(world, world.accounts[1], data)
    header = Header(trainee.beast, bytes(32), WINDOW_STEPS, 0xFF, 0, 0)
    _plant(world, trainee, State(header, dense_weights()))
    window = trainee.train(int(Source.PRIVATE), mask=0xFF, tamper=(1, add_one))
    dispute = (
        world.accounts[3],
        world.court.functions.filePrivate(trainee.beast, window.checkpoint, data.blob, data.secret),
    )
    world.send(dispute[1], dispute[0])
    world.respond(_last_dispute(world), trainee.beast, window.checkpoint, window.segments)
    call = trainee.prove_call(_last_dispute(world), window, 0)
    found.prove["costliest state that could be built"] = _gas(world, call)


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


def _last_dispute(world: World) -> int:
    return int(world.court.functions.disputeCount().call())


def _gas(world: World, call: Any) -> int:
    return int(world.send(call, world.accounts[4])["gasUsed"])


def _prove(world: World, trainee: Trainee, window: Window, segment: int) -> int:
    dispute = world.file(trainee.beast, window.checkpoint, world.accounts[3])
    world.respond(dispute, trainee.beast, window.checkpoint, window.segments)
    return _gas(world, trainee.prove_call(dispute, window, segment))


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
    return Advance([_gas(world, call) for call in calls])


def _fits(world: World, call: Any) -> bool:
    """Whether a call succeeds within one transaction's gas; trying it changes nothing."""
    try:
        call.call({"from": world.accounts[4], "gas": GAS})
    except (Web3RPCError, ContractLogicError):  # out of gas, in the court or in the referee
        return False
    return True
