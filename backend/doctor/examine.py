"""All checks in order; what cannot be checked without another thing is left out, not failed."""

from __future__ import annotations

from collections.abc import Iterator

from eth_typing import ChecksumAddress
from web3 import Web3

from chainbeasts.backend.chain.client import Chain, read
from chainbeasts.backend.chain.types import Economics
from chainbeasts.backend.doctor import account, contracts, machine, node, powers, storage
from chainbeasts.backend.doctor.chain_facts import Needs, gather
from chainbeasts.backend.doctor.chain_rules import check_deadlines, judge
from chainbeasts.backend.doctor.report import Check, Result, guarded, refusal
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.settings import Settings


def examine(settings: Settings, rpc_url: str) -> Iterator[Check]:
    """Check everything; changes nothing but the cache of compiled kernels."""
    try:
        w3 = node.reach(rpc_url)
    except ChainBeastsError as error:
        yield refusal("node", error)
        yield from guarded(
            "account", account.check_key(settings, None, rpc_url, lambda address: None)
        )
    else:
        yield from _chain(settings, rpc_url, w3)
    # the cache first, since the kernel's check mends it
    yield from guarded("cache", machine.check_cache())
    yield from guarded("kernel", machine.check_kernel())
    yield from guarded("disk", machine.check_disk(settings.home))
    yield from storage.check_databases(settings)
    yield from guarded("secrets", storage.check_permissions(settings))


def _chain(settings: Settings, rpc_url: str, w3: Web3) -> Iterator[Check]:
    """What needs a node."""
    yield from guarded("node", node.check_node(w3, rpc_url))
    yield from guarded("websocket", node.check_websocket(rpc_url))
    yield from guarded("clock", node.check_clock(w3, rpc_url))
    chain: Chain | None = None
    try:
        record = contracts.find_deployment(w3, rpc_url, settings.deployments_dir)
    except ChainBeastsError as error:
        yield refusal("chain", error)
    else:
        chain = Chain(w3, rpc_url, record)
        yield from contracts.check_chain_id(record)
        yield from guarded("contracts", contracts.check_code(chain))
        yield from guarded("binding", contracts.check_binding(chain))
        yield from guarded("referee", contracts.check_referee(chain))
        yield from guarded("match referee", contracts.check_match_referee(chain))
        yield from guarded("powers", powers.check_powers(chain))
    yield from guarded("chain rules", _rules(w3, rpc_url, chain))
    yield from _account(settings, rpc_url, w3, chain)


def _rules(w3: Web3, rpc_url: str, chain: Chain | None) -> Iterator[Check]:
    """What the protocol stands on; with a deployment also its season's deadlines and its logs."""
    if chain is None:
        yield from chain_rules(w3, rpc_url, None)
    else:
        economics = chain.season(chain.current_season()).economics
        yield from chain_rules(w3, rpc_url, economics, chain.deployment.start_block)


def chain_rules(
    w3: Web3, rpc_url: str, economics: Economics | None, start_block: int | None = None
) -> Iterator[Check]:
    """Whether a chain carries the protocol; sends nothing.

    Args:
        economics: of the season that is there or to come; None leaves the deadlines out.
        start_block: the first whose logs are wanted, a deployment's; None before there is one.
    """
    needs = Needs.of_contracts()
    yield from judge(gather(w3, rpc_url, needs, start_block), needs, economics)


def chain_deadlines(chain: Chain, economics: Economics) -> list[Check]:
    """What is wrong with a season's deadlines on the chain that it is for.

    Raises:
        NodeUnavailableError: nobody answers.
    """
    facts = gather(chain.w3, chain.rpc_url, Needs.of_contracts(), chain.deployment.start_block)
    return [check for check in check_deadlines(facts, economics) if check.result is not Result.OK]


def _account(settings: Settings, rpc_url: str, w3: Web3, chain: Chain | None) -> Iterator[Check]:
    found: list[ChecksumAddress] = []
    chain_id = read(lambda: w3.eth.chain_id, rpc_url)
    checks = account.check_key(settings, chain_id, rpc_url, found.append)
    yield from guarded("account", checks)
    if found:
        yield from guarded("gas money", account.check_ether(w3, rpc_url, found[-1]))
        if chain is not None:
            yield from guarded("ENERGY", account.check_energy(chain, found[-1]))
