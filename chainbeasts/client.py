"""Reads a deployment on a node: seasons, beasts, checkpoints, disputes, matches."""

from __future__ import annotations

from pathlib import Path

from chainbeasts.backend.chain.artifact import Artifact
from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.reading import connect, read
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import find_home

__all__ = ["Artifact", "Chain", "ChainBeastsError", "Deployment", "artifact", "open_chain"]


def open_chain(rpc_url: str, home: Path | None = None) -> Chain:
    """The deployment that a home has a record of, on a node.

    Args:
        rpc_url: HTTP or WebSocket endpoint.
        home: the nearest ``.chainbeasts`` upwards if None.

    Raises:
        ChainBeastsError: no node, no record of a deployment on its chain, or a record that does
            not fit the chain.
    """
    w3 = connect(rpc_url)
    folder = (home or find_home()) / "deployments"
    chain = Chain(w3, rpc_url, Deployment.load(folder, read(lambda: w3.eth.chain_id, rpc_url)))
    chain.check()
    return chain
