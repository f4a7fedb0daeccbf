"""Indexes in small ranges and kills itself with SIGKILL in the middle of writing one.

Usage: python -m tests.indexer.killed RPC_URL DEPLOYMENT_JSON DATABASE_URL RANGES
"""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from chainbeasts.backend.chain.client import Chain
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.providers import make_web3
from chainbeasts.backend.indexer import sync
from chainbeasts.backend.indexer.writing import write
from chainbeasts.backend.store import session
from chainbeasts.backend.store.session import Database
from tests.support.patience import PATIENCE

session.CONNECT_SECONDS = int(PATIENCE)
url, record, database, ranges = sys.argv[1:]
left = int(ranges)


def mortal_write(*args: Any) -> None:
    global left
    write(*args)
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    left -= 1


sync.write = mortal_write
chain = Chain(make_web3(url), url, Deployment(**json.loads(record)))
sync.Indexer(chain, Database(database), largest_range=5).sync()
