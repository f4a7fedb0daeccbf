"""The record of a deployment: read back as written, refused where it does not fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from eth_hash.auto import keccak
from eth_typing import HexStr

from chainbeasts.backend.accounts import devnet_account
from chainbeasts.backend.chain import attempts
from chainbeasts.backend.chain.anvil import Anvil, rpc
from chainbeasts.backend.chain.attempts import UnknownOutcomeError
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deploy import (
    ADMIN_ROLE,
    MINTER_ROLE,
    Deployer,
    deployment_gas,
    open_record,
    prepare,
)
from chainbeasts.backend.chain.deployment import CONTRACTS, Deployment
from chainbeasts.backend.chain.errors import Reverted, WrongChainError
from chainbeasts.backend.chain.powers import powers_of, violations
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.chain.seasons import load_profile
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.errors import ChainBeastsError
from scripts.lib.faulty_node import FaultyNode
from tests.chain.conftest import DEPLOYER, Senders
from tests.support.patience import PATIENCE


def test_round_trip(chain: Chain, folder: Path, tmp_path: Path) -> None:
    record = Deployment.load(folder, chain.deployment.chain_id)
    assert record == chain.deployment
    assert set(record.addresses) == set(record.code_hashes) == set(CONTRACTS)
    record.save(tmp_path / "elsewhere")
    assert Deployment.load(tmp_path / "elsewhere", record.chain_id) == record


def test_the_record_tells_what_stands_on_chain(chain: Chain) -> None:
    record = chain.deployment
    for name, address in record.addresses.items():
        code = bytes(chain.w3.eth.get_code(chain.w3.to_checksum_address(address)))
        assert code, name
        assert record.code_hashes[name] == "0x" + keccak(code).hex()
    created = record.transactions["CheckpointLedger"]
    receipt = chain.w3.eth.get_transaction_receipt(created)
    assert receipt["contractAddress"] == record.addresses["CheckpointLedger"]
    assert receipt["blockNumber"] > record.start_block


def test_what_a_deployment_takes_is_known_before_it_is_paid_for(chain: Chain) -> None:
    record = chain.deployment
    receipts = [
        chain.w3.eth.get_transaction_receipt(HexStr(tx))
        for tx in record.transactions.values()
        if tx
    ]
    taken = sum(receipt["gasUsed"] for receipt in receipts)
    assert 0.8 * taken < deployment_gas(replace(record, addresses={})) < 1.2 * taken
    assert deployment_gas(record) == 0


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"chain_id": 1}', '{"surprise": 1}'])
def test_a_corrupt_file_is_refused_and_named(text: str, tmp_path: Path) -> None:
    path = Deployment.path(tmp_path, 7)
    path.write_text(text, "utf-8")
    with pytest.raises(ChainBeastsError) as caught:
        Deployment.load(tmp_path, 7)
    assert caught.value.message == f"{path} is not a deployment record."
    assert "deploy again" in caught.value.hint
    assert path.read_text("utf-8") == text


def test_an_unknown_chain_is_told_with_the_remedy(tmp_path: Path) -> None:
    assert Deployment.find(tmp_path, 5) is None
    with pytest.raises(ChainBeastsError, match="no deployment for chain 5") as caught:
        Deployment.load(tmp_path, 5)
    assert "chainbeasts deploy" in caught.value.hint


def test_a_record_of_an_older_version_is_refused_and_left_alone(
    chain: Chain, tmp_path: Path
) -> None:
    addresses = {n: a for n, a in chain.deployment.addresses.items() if n != "DatasetStage"}
    old = replace(chain.deployment, addresses=addresses)
    old.save(tmp_path)
    with pytest.raises(ChainBeastsError, match="it has no DatasetStage") as caught:
        Deployment.load(tmp_path, old.chain_id)
    assert "deploy --fresh" in caught.value.hint
    with pytest.raises(ChainBeastsError, match="it has no DatasetStage"):
        open_record(chain.w3, chain.rpc_url, tmp_path, load_profile("devnet"), old.deployer)
    assert Deployment.find(tmp_path, old.chain_id) == old


def test_an_interrupted_deployment_is_not_used(chain: Chain, tmp_path: Path) -> None:
    half = replace(chain.deployment, complete=False)
    half.save(tmp_path)
    assert Deployment.find(tmp_path, half.chain_id) == half
    with pytest.raises(ChainBeastsError, match="is not complete") as caught:
        Deployment.load(tmp_path, half.chain_id)
    assert "goes on where it stopped" in caught.value.hint


def test_what_a_run_sent_that_was_cut_off_is_not_older_than_the_record(
    tmp_path: Path, anvil: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose roles the timelock has is read from its events, hence from its creation on."""
    account, profile, node = devnet_account(0), load_profile("mainnet"), FaultyNode(anvil.url)

    def first_step(url: str) -> Deployment:
        chain = prepare(url, tmp_path, profile, account.address)
        sender = TransactionManager(chain, account, tmp_path / "locks", deadline=PATIENCE)
        next(Deployer(chain, sender, profile, tmp_path).run())
        return chain.deployment

    monkeypatch.setattr(attempts, "UNKNOWN_SECONDS", 2.0)
    node.start()
    try:
        node.hides_receipts = True
        with pytest.raises(UnknownOutcomeError):
            first_step(node.url)
    finally:
        node.stop()
    assert Deployment.find(tmp_path, anvil.chain_id) is None
    rpc(anvil.url, "anvil_mine", "0x3")
    record = first_step(anvil.url)
    w3 = make_web3(anvil.url)
    receipt = w3.eth.get_transaction_receipt(HexStr(record.transactions["TimelockController"]))
    assert receipt["blockNumber"] >= record.start_block
    assert Deployment.find(tmp_path, anvil.chain_id) == record


def test_another_genesis_is_refused(chain: Chain, tmp_path: Path) -> None:
    other = replace(chain.deployment, genesis="0x" + "11" * 32)
    other.save(tmp_path)
    with pytest.raises(WrongChainError, match="its first block differs") as caught:
        Chain.connect(chain.rpc_url, other)
    assert "--fresh" in caught.value.hint
    profile = load_profile("devnet")
    with pytest.raises(WrongChainError, match="its first block differs"):
        open_record(chain.w3, chain.rpc_url, tmp_path, profile, other.deployer)
    fresh = open_record(chain.w3, chain.rpc_url, tmp_path, profile, other.deployer, fresh=True)
    assert fresh.genesis == chain.deployment.genesis
    assert not fresh.addresses


def test_other_code_at_an_address_is_refused(chain: Chain, folder: Path) -> None:
    rpc(chain.rpc_url, "anvil_setCode", chain.deployment.addresses["Beasts"], "0x00")
    with pytest.raises(WrongChainError, match="The code of Beasts at 0x"):
        open_record(
            chain.w3, chain.rpc_url, folder, load_profile("devnet"), chain.deployment.deployer
        )


# --- who may do what while a deployment is under way ---------------------------------------------


class KilledError(Exception):
    """Stands for the process's end between a mined transaction and its record."""


def test_killed_after_any_step_a_deployment_goes_on(
    anvil: Anvil, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P71: and however long it waits, the deployer never sets the price of an open sale."""
    account, profile, kept = devnet_account(0), load_profile("mainnet"), Deployment.save
    killed: list[str] = []

    def killed_once(record: Deployment, folder: Path) -> None:
        step = list(record.transactions)[-1]
        if step not in CONTRACTS and step not in killed:
            killed.append(step)
            raise KilledError(step)
        kept(record, folder)

    monkeypatch.setattr(Deployment, "save", killed_once)
    fresh = True
    while True:
        chain = prepare(anvil.url, tmp_path, profile, account.address, fresh=fresh)
        sender = TransactionManager(chain, account, tmp_path / "locks")
        fresh, deployer = False, Deployer(chain, sender, profile, tmp_path)
        try:
            for _ in deployer.run():
                pass
            break
        except KilledError:
            minters = chain.energy.functions.getRoleMembers(MINTER_ROLE).call()
            registrar = chain.seasons.functions.owner().call()
            assert chain.sale.address not in minters or registrar == chain.timelock.address
            with pytest.raises(ChainBeastsError, match="is not complete"):
                Deployment.load(tmp_path, chain.deployment.chain_id)
    assert killed == [step.name for step in deployer.steps() if step.name not in CONTRACTS]
    powers = powers_of(chain)
    assert violations(chain, powers) == []
    assert powers.former_minters == ()
    assert chain.current_season() == 1


def test_attack_what_a_deployer_does_before_the_hand_over_is_told(
    anvil: Anvil, tmp_path: Path
) -> None:
    """P71: ENERGY out of nothing, and a season for its own beasts, by a deployer who tidies up."""
    account, profile = devnet_account(0), load_profile("mainnet")
    chain = prepare(anvil.url, tmp_path, profile, account.address, fresh=True)
    sender = TransactionManager(chain, account, tmp_path / "locks")
    me = account.address
    for step in Deployer(chain, sender, profile, tmp_path).run():
        if step == "first season":
            again = chain.seasons.functions.addSeason(profile.season.to_abi())
            sender.send(again, label="another season")
        elif step == "arena mints":
            energy = chain.energy.functions
            sender.send(energy.grantRole(MINTER_ROLE, me), label="take")
            sender.send(energy.mint(me, 10**30), label="mint")
            sender.send(energy.revokeRole(MINTER_ROLE, me), label="tidy up")
    powers = powers_of(chain)
    assert set(powers.minters) == {chain.sale.address, chain.arena.address}
    assert powers.former_minters == (me,)
    once, seasons = violations(chain, powers)
    assert once == f"the deployer ({me}) could mint ENERGY once."
    assert seasons.startswith("2 seasons were added without delay")


# --- who may do what, once all is deployed --------------------------------------------------------


def test_nobody_but_sale_arena_and_faucet_mints(chain: Chain) -> None:
    """P71: the minters can be listed by plain calls, and nobody administers their role."""
    energy, addresses = chain.energy.functions, chain.deployment.addresses
    minters = {chain.deployment.deployer, addresses["EnergySale"], addresses["Arena"]}
    assert set(energy.getRoleMembers(MINTER_ROLE).call()) == minters
    assert energy.getRoleMembers(ADMIN_ROLE).call() == []
    assert energy.getRoleAdmin(MINTER_ROLE).call() == ADMIN_ROLE
    assert chain.seasons.functions.owner().call() == addresses["TimelockController"]
    assert chain.sale.functions.treasury().call() == addresses["TimelockController"]


def test_a_public_chain_has_no_faucet(tmp_path: Path, anvil: Anvil) -> None:
    """P71: with the mainnet profile the deployer keeps no right to mint."""
    account, profile = devnet_account(0), load_profile("mainnet")
    chain = prepare(anvil.url, tmp_path, profile, account.address, fresh=True)
    sender = TransactionManager(chain, account, tmp_path / "locks")
    for _ in Deployer(chain, sender, profile, tmp_path).run():
        pass
    energy, addresses = chain.energy.functions, chain.deployment.addresses
    minters = {addresses["EnergySale"], addresses["Arena"]}
    assert set(energy.getRoleMembers(MINTER_ROLE).call()) == minters
    assert energy.getRoleMembers(ADMIN_ROLE).call() == []
    # The first ENERGY of the chain: bought by somebody who holds native coin only.
    assert energy.totalSupply().call() == 0
    buyer = TransactionManager(chain, devnet_account(5), tmp_path / "locks")
    buyer.send(chain.sale.functions.buy(buyer.address, 10**18), label="buy", value=10**15)
    assert chain.energy_of(buyer.address) == chain.energy_sold() == 10**18
    timelock = chain.w3.to_checksum_address(addresses["TimelockController"])
    assert chain.w3.eth.get_balance(timelock) == 10**15


@pytest.mark.parametrize("name", ["mint", "grantRole"])
def test_attack_hidden_minter_has_no_key(chain: Chain, sender: Senders, name: str) -> None:
    """P71: a proposal that makes ENERGY, or a minter, waits its delay and comes to nothing."""
    deployer = sender(DEPLOYER)
    arguments = {"mint": (deployer.address, 10**30), "grantRole": (MINTER_ROLE, deployer.address)}
    data = chain.energy.encode_abi(name, args=arguments[name])
    operation = (chain.energy.address, 0, data, bytes(32), bytes(32))
    timelock = chain.timelock.functions
    delay = chain.call(timelock.getMinDelay())
    deployer.send(timelock.schedule(*operation, delay), label="schedule")
    rpc(chain.rpc_url, "evm_setNextBlockTimestamp", chain.now() + delay + 1)
    rpc(chain.rpc_url, "anvil_mine", "0x1")
    with pytest.raises(Reverted) as caught:
        deployer.send(timelock.execute(*operation), label="execute")
    assert caught.value.name == "AccessControlUnauthorizedAccount"
    assert caught.value.args_by_name["account"] == chain.timelock.address
