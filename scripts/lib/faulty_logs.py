"""Answers to ``eth_getLogs`` as bad nodes give them: pure functions from answer to answer."""

from __future__ import annotations

import json
import random
from enum import StrEnum
from typing import Any

Logs = list[dict[str, Any]]

PLACE = ("blockNumber", "blockHash", "transactionHash", "transactionIndex", "logIndex")


class LogFault(StrEnum):
    """What is wrong with the logs of one answer."""

    REPEATED = "repeated"
    REMOVED = "removed"
    """Some of a block that a reorg took back are still among them."""
    PENDING = "pending"
    """Some of transactions that no block has yet, with null for their place."""
    SHUFFLED = "shuffled"
    LEFT_OUT = "left out"
    """One is missing."""
    NONE_AT_ALL = "none at all"


def spoil(request: bytes, answer: bytes, fault: LogFault, rng: random.Random) -> bytes:
    """An answer with a fault, if it has logs; every other one as it is."""
    try:
        method, told = json.loads(request)["method"], json.loads(answer)
        logs = told["result"]
    except (ValueError, KeyError, TypeError):  # a batch, or no answer
        return answer
    if method != "eth_getLogs" or not isinstance(logs, list) or not logs:
        return answer
    return json.dumps(told | {"result": spoiled(logs, fault, rng)}).encode()


def spoiled(logs: Logs, fault: LogFault, rng: random.Random) -> Logs:
    """Logs with a fault."""
    one = rng.randrange(len(logs))
    match fault:
        case LogFault.REPEATED:
            return logs + logs[one:]
        case LogFault.REMOVED:
            gone = {"blockHash": "0x" + rng.randbytes(32).hex(), "removed": True}
            return [*logs[:one], logs[one] | gone, *logs[one:]]
        case LogFault.PENDING:
            return [*logs, logs[one] | dict.fromkeys(PLACE)]
        case LogFault.SHUFFLED:
            return rng.sample(logs, len(logs))
        case LogFault.LEFT_OUT:
            return logs[:one] + logs[one + 1 :]
        case LogFault.NONE_AT_ALL:
            return []
