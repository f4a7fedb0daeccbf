"""Windows that nobody can recompute: a validator that has only a node brings the wrong ones down.

Numbers of attacks are those of the spec's table.
"""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain.anvil import rpc
from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.chain.escrow import ensure_escrow
from chainbeasts.backend.chain.types import (
    Checkpoint,
    CheckpointPayload,
    Commitments,
    DisputeStatus,
)
from chainbeasts.backend.kernel.samples import Source, random_position
from chainbeasts.backend.kernel.state import state_hash
from chainbeasts.backend.kernel.window import genesis_state, open_window
from chainbeasts.backend.kernels import kernel_for
from chainbeasts.backend.store.daemons import IntentRow
from chainbeasts.backend.store.snapshots import SnapshotStore
from chainbeasts.validator.daemon import Validator
from chainbeasts.validator.enforce.filing import value_to_send
from chainbeasts.validator.enforce.strategy import Strategy
from chainbeasts.validator.judge.published import PublishedWindows
from tests.validator.conftest import ENERGY, OTHER, TRAINER, VALIDATOR, Rig
from tests.validator.test_commands import done
from tests.validator.test_daemon import one_weight

HALF, RESPONSE_WINDOW, PROOF_WINDOW = 15, 15, 30


def light(rig: Rig, **policy: Any) -> Validator:
    """A validator with nothing but a node, and the default budgets."""
    terms = {"open_budget": None, "open_rate": 0.0} | policy
    return rig.validator(Strategy.CHEAP, **terms)


def forged(rig: Rig, beast: int, source: Source) -> Checkpoint:
    """Submit a window with a state hash that has no state."""
    head = rig.chain.head(beast)
    burn, _ = rig.chain.quote(beast, head.active_mask)
    payload = CheckpointPayload(
        head.epoch,
        secrets.token_bytes(32),
        burn,
        head.lr_shift,
        head.active_mask,
        128 * (head.head_count + 1),
        100_000,
        source,
    )
    return rig.submit(beast, payload, rig.chain.epoch(beast, head.epoch).epoch_seed)


def invented(rig: Rig) -> int:
    """Hatch a beast whose dataset does not exist."""
    hashes = [secrets.token_bytes(32) for _ in range(3)]
    rig.request_hatch(TRAINER, Commitments(hashes[0], hashes[1], 65_536, hashes[2]))
    rpc(rig.chain.rpc_url, "anvil_mine", "0x1")
    beast = rig.chain.beast_count()
    rig.send(TRAINER, rig.chain.beasts.functions.hatch(beast))
    return beast


def coin(rig: Rig, who: int) -> int:
    """Native coin of an account, what the vault owes it included."""
    address = devnet_account(who).address
    return int(rig.chain.w3.eth.get_balance(address)) + rig.chain.credit_of(address)


def kinds(rig: Rig) -> list[str]:
    """The validator's moves, in order."""
    with rig.workspace().database.session() as session:
        rows = session.query(IntentRow).order_by(IntentRow.id)
        return [row.kind for row in rows if row.state == "mined"]


def test_invented_commitments_fall_to_a_validator_that_has_only_a_node(rig: Rig) -> None:
    beast = invented(rig)
    lie = forged(rig, beast, Source.PRIVATE)
    stake = rig.chain.stake_of(beast, devnet_account(TRAINER).address).amount
    daemon = light(rig)
    before = coin(rig, VALIDATOR)
    daemon.run_once()
    assert rig.disputes == 0  # its state may still be published
    rig.travel(HALF)
    daemon.run_once()
    assert rig.chain.dispute(1).filer == devnet_account(VALIDATOR).address
    assert rig.chain.is_live(beast, lie)
    rig.travel(RESPONSE_WINDOW + 1)
    daemon.run_once()
    assert not rig.chain.is_live(beast, lie)
    # Both shares of the stake, less the gas of a few transactions; both bonds came back.
    gained = coin(rig, VALIDATOR) - before
    assert stake * 4 // 10 * 9 // 10 < gained < stake * 4 // 10
    made = [kind for kind in kinds(rig) if kind in ("open", "claim-timeout", "commit", "prove")]
    assert made == ["open", "claim-timeout"]


def passed_off(rig: Rig, beast: int, windows: int) -> Checkpoint:
    """Submit that much public training as one private window, its state published."""
    head, dna = rig.chain.head(beast), rig.chain.birth(beast).dna
    ctx = rig.chain.window_context(beast, epoch=head.epoch, source=Source.CURRICULUM)
    before = state = genesis_state(beast, dna)
    for _ in range(windows):
        state = open_window(state, head.active_mask)
        kernel_for(head.active_mask).run(ctx, state)
    state.update(parent=state_hash(before), global_step=128, window_loss=200_000)
    SnapshotStore(rig.settings.snapshots_dir).put(state)
    payload = CheckpointPayload(
        head.epoch,
        state_hash(state),
        rig.chain.quote(beast, head.active_mask)[0],
        head.lr_shift,
        head.active_mask,
        128,
        200_000,
        Source.PRIVATE,
    )
    return rig.submit(beast, payload, ctx.epoch_seed)


def test_an_implausible_published_window_is_disputed_at_once_and_falls(rig: Rig) -> None:
    beast = invented(rig)
    lie = passed_off(rig, beast, 400)
    stake = rig.chain.stake_of(beast, devnet_account(TRAINER).address).amount
    light(rig, open_budget=1).run_once()
    assert rig.verdicts() == {(beast, 0): "valid"}  # its header is as it should be
    assert rig.disputes == 0  # beyond the budget
    before = coin(rig, VALIDATOR)
    daemon = light(rig)
    daemon.run_once()
    assert rig.chain.dispute(1).filer == devnet_account(VALIDATOR).address
    assert "at most" in done(rig, "dispute", "next", "1", who=VALIDATOR)["objection"]
    rig.travel(RESPONSE_WINDOW + 1)
    daemon.run_once()
    assert not rig.chain.is_live(beast, lie)
    assert coin(rig, VALIDATOR) - before > stake * 4 // 10 * 9 // 10


@pytest.mark.usefixtures("plausible")
def test_a_published_window_is_compared_once_and_only_when_both_ends_are_there(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(64)])
    first = rig.train(beast, source=Source.PRIVATE, publish=False)
    second = rig.train(beast, first, source=Source.PRIVATE)
    light(rig).run_once()
    workspace = rig.workspace()
    windows = PublishedWindows(workspace.states)
    cases = workspace.reader.pending(beast)
    assert [windows.objection(case) for case in cases] == ["", ""]
    assert not windows._found  # the state between the two is nowhere
    SnapshotStore(rig.settings.snapshots_dir).put(first.end)
    assert [windows.objection(case) for case in cases] == ["", ""]
    assert set(windows._found) == {case.digest for case in cases}
    windows._found[cases[1].digest] = "said before"
    assert windows.objection(cases[1]) == "said before"
    assert rig.live(beast, second)


def test_a_withheld_parent_is_opened_and_its_lie_proved(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(40)])
    first = rig.train(beast, source=Source.PRIVATE, tamper=(37, one_weight), publish=False)
    second = forged(rig, beast, Source.CURRICULUM)
    daemon = light(rig)
    daemon.run_once()
    assert rig.verdicts() == {(beast, 0): "unavailable", (beast, 1): "unavailable"}
    rig.travel(HALF)
    daemon.run_once()
    assert rig.disputes == 1  # over the earlier one: with it the later one falls
    rig.open_all(beast, first)
    daemon.run_once()
    assert rig.verdicts()[beast, 0] == "invalid"
    assert not rig.live(beast, first)
    assert not rig.chain.is_live(beast, second)
    (upheld,) = rig.chain.court.events.DisputeUpheld().get_logs(
        from_block=rig.chain.deployment.start_block
    )
    assert (upheld["args"]["segment"], upheld["args"]["prover"]) == (
        36 // 8,
        devnet_account(VALIDATOR).address,
    )
    assert "commit" not in kinds(rig)  # the filer within its head start needs none


def test_a_public_window_after_a_lie_that_outlived_its_period_falls_by_its_start(rig: Rig) -> None:
    beast = rig.hatch()
    lie = forged(rig, beast, Source.CURRICULUM)
    rig.travel(31)
    rig.send(OTHER, rig.chain.ledger.functions.finalize(beast, [lie.to_abi()]))
    second = forged(rig, beast, Source.CURRICULUM)
    daemon = light(rig)
    rig.travel(HALF)
    daemon.run_once()
    assert rig.disputes == 1
    rig.travel(RESPONSE_WINDOW + 1)
    daemon.run_once()
    assert not rig.chain.is_live(beast, second)


def test_a_right_window_costs_its_openings_out_of_the_budget(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(40)])
    window = rig.train(beast, source=Source.PRIVATE, publish=False)
    rig.travel(HALF)
    light(rig, open_budget=1).run_once()
    light(rig, energy_budget=1).run_once()
    light(rig, open_after=0.99).run_once()
    light(rig, defensive=True).run_once()
    assert rig.disputes == 0
    daemon = light(rig)
    daemon.run_once()
    assert rig.disputes == 1
    rig.open_all(beast, window)
    daemon.run_once()
    assert rig.verdicts() == {(beast, 0): "valid"}
    assert rig.live(beast, window)
    rig.travel(PROOF_WINDOW + 1)
    daemon.run_once()
    assert rig.chain.dispute(1).status is DisputeStatus.DISMISSED
    spent = daemon._enforcer._sender.openings()  # type: ignore[union-attr]
    assert spent.right[beast] == 1
    assert 0 < spent.coin < rig.chain.stake_of(beast, devnet_account(TRAINER).address).amount
    assert spent.energy == 2 * window.checkpoint.payload.energy_burn


def test_decoys_of_the_cheat_do_not_price_a_doubt_out_of_the_budget(rig: Rig) -> None:
    """Four bonds are asked for behind three decoys; the default budget bears what it may cost."""
    beast = invented(rig)
    decoys, before = 3, None
    for _ in range(decoys):
        decoy = rig.train(beast, before)
        rig.open_all(beast, decoy, before, rig.file(OTHER, beast, decoy))
        before = decoy
    lie = forged(rig, beast, Source.PRIVATE)
    rig.travel(HALF)
    light(rig).run_once()
    assert rig.disputes == decoys + 1
    filed = rig.chain.dispute(rig.disputes)
    assert filed.filer == devnet_account(VALIDATOR).address
    bond = rig.chain.opening_bond_of(rig.disputes)
    assert bond.surplus == decoys * bond.base
    rig.travel(RESPONSE_WINDOW + 1)
    light(rig).run_once()
    assert not rig.chain.is_live(beast, lie)


def test_a_decoy_in_front_of_a_doubt_makes_it_revert(rig: Rig) -> None:
    """The price that was weighed is the one that is paid: the next pass weighs the new one."""
    beast = invented(rig)
    first = rig.train(beast)
    lie = forged(rig, beast, Source.PRIVATE)
    quote = rig.chain.filing_quote(beast, lie)
    me = rig.sender(VALIDATOR)
    value = value_to_send(rig.chain, me, quote, doubt=True)
    assert value_to_send(rig.chain, me, quote, doubt=False) == 2 * quote.opening_bond
    assert value == quote.opening_bond * 3 // 2
    ensure_escrow(rig.chain, me, quote.bond)
    rig.file(OTHER, beast, first)
    call = rig.chain.court.functions.file(beast, lie.to_abi())
    with pytest.raises(Reverted) as refused:
        me.send(call, label="test", value=value)
    assert refused.value.name == "OpeningBondTooSmall"


@pytest.mark.usefixtures("plausible")
def test_private_windows_are_opened_by_chance(rig: Rig) -> None:
    rules = rig.chain.season(1).rules
    beast = rig.hatch([random_position(seed, None, rules) for seed in range(8)])
    rig.train(beast, source=Source.PRIVATE)
    light(rig).run_once()
    assert rig.verdicts() == {(beast, 0): "valid"}  # lineage and loss agree
    assert rig.disputes == 0
    light(rig, open_rate=1.0).run_once()
    assert rig.disputes == 1


def test_a_right_window_that_its_trainer_disputes_drains_nobody(rig: Rig) -> None:
    beast = rig.hatch()
    honest = rig.train(beast)
    dispute = rig.file(TRAINER, beast, honest)
    rubbish = [bytes(32)] * 15 + [honest.segments[-1]]
    rig.open_segments(beast, honest, dispute, rubbish)
    before = rig.nonce(VALIDATOR)
    rig.validator(gas_budget=30_000_000).run_once()
    rig.travel(PROOF_WINDOW + 1)
    rig.validator(gas_budget=30_000_000).run_once()
    assert rig.nonce(VALIDATOR) == before
    rig.validator(defend=True, gas_budget=1_000_000).run_once()
    assert rig.chain.dispute(dispute).status is DisputeStatus.DISMISSED


@pytest.mark.parametrize("who", [OTHER])
def test_another_filers_dispute_is_proved_after_its_head_start(rig: Rig, who: int) -> None:
    beast = rig.hatch()
    cheat = rig.train(beast, tamper=(37, one_weight))
    rig.file(who, beast, cheat)
    rig.open_segments(beast, cheat)
    daemon = light(rig)
    daemon.run_once()
    assert rig.live(beast, cheat)
    rig.travel(PROOF_WINDOW // 4 + 1)
    daemon.run_once()
    assert not rig.live(beast, cheat)
    (upheld,) = rig.chain.court.events.DisputeUpheld().get_logs(
        from_block=rig.chain.deployment.start_block
    )
    assert upheld["args"]["prover"] == devnet_account(VALIDATOR).address
    assert kinds(rig)[:2] == ["commit", "prove"]
    share = cheat.checkpoint.locked * 3_000 // 10_000
    ours = rig.chain.energy_of(devnet_account(VALIDATOR).address)
    assert ours >= 1_000 * ENERGY + share - 1
