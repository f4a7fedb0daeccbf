"""The file in which Anvil's chain is kept between runs: always whole, never rewritten in place.

Anvil itself writes in place, so it only ever writes to a file beside the kept one, when it ends;
that one takes the kept one's place once it is seen to be whole.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from chainbeasts.backend.cache import write_atomic
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.locks import ProcessLock

DUMP_ATTEMPTS = 3
QUIET_SECONDS, MOST_QUIET_SECONDS = 1.0, 15.0
"""Without a block for so long, or four times as long as the slowest took, none is on its way."""


def left_by_anvil(state: Path) -> Path:
    """Where Anvil writes its chain when it ends."""
    return state.with_name(f"{state.name}.ended")


def last_good(state: Path) -> Path:
    """The copy that the last run began with."""
    return state.with_name(f"{state.stem}.previous{state.suffix}")


def settle(state: Path) -> int:
    """Take over what an Anvil that ended has left; a part of a chain, as of a killed one, is not.

    Returns:
        The time of the kept chain's latest block, unix seconds; 0 if no chain is kept.

    Raises:
        ChainBeastsError: the kept chain is damaged, and nothing whole is there in its place.
    """
    state.parent.mkdir(parents=True, exist_ok=True)
    left = left_by_anvil(state)
    with _writing(state):
        if left.exists():
            if _read(left) is not None:
                left.replace(state)
            else:
                left.unlink()
        if not state.exists():
            return 0
        kept = _read(state)
        if kept is None:
            raise _damaged(state)
        if keep_one_genesis(kept):
            write_atomic(state, json.dumps(kept).encode())
    return max((int(block["header"]["timestamp"], 16) for block in kept["blocks"]), default=0)


def dump(state: Path, call: Any, *, stuck: bool = False) -> int | None:
    """Write the chain of a running Anvil into its file; the block that it ends with.

    Anvil reads its blocks and its accounts one after another, so that a block in the making would
    be half in it: a transaction paid for that is in no block, and its logs nowhere. Such a dump is
    not taken, and None is the answer.

    Args:
        call: asks the node, by method and parameters.
        stuck: transactions wait that no block takes, so they say nothing of one in the making.

    Raises:
        AnvilError: the node does not answer.
    """
    for _ in range(DUMP_ATTEMPTS):
        before = call("eth_blockNumber")
        # A block's transactions stay in the pool until all of it is written down, but where a burst
        # fills several blocks (see `hush`); its number comes some time after its accounts. So the
        # pool is asked first and, after the dump, before the number: what ended between the two has
        # another one.
        if waiting(call) and not stuck:
            continue
        packed = str(call("anvil_dumpState"))
        if (waiting(call) and not stuck) or call("eth_blockNumber") != before:
            continue
        data = gzip.decompress(bytes.fromhex(packed.removeprefix("0x")))
        with _writing(state):
            if not left_by_anvil(state).exists():  # then Anvil has ended, and that is younger
                write_atomic(state, data)
        return int(str(before), 16)
    return None


def waiting(call: Any) -> int:
    """How many transactions of the pool could be in the next block."""
    return int(str(call("txpool_status")["pending"]), 16)


def hush(call: Any) -> None:
    """Have an Anvil that is about to end put what waits into blocks, and make no more of them.

    What it writes when it ends is read like a dump, see above.

    Args:
        call: as for ``dump``.

    Raises:
        AnvilError: the node does not answer.
    """
    call("evm_setAutomine", False)
    call("evm_setIntervalMining", 0)
    if not waiting(call):
        return
    # What it has begun to mine by itself comes first: a block that is asked for meanwhile is made
    # beside its own, and then it takes transactions out of the pool that are in neither yet.
    _await_own_blocks(call)
    left = waiting(call)
    while left:
        call("evm_mine")
        before, left = left, waiting(call)
        if left >= before:  # no block takes them
            return


def _await_own_blocks(call: Any) -> None:
    """Wait for blocks that are on their way, of which nothing tells but those before them."""
    began = since = now = time.monotonic()
    head, longest = call("eth_blockNumber"), 0.0
    while now - since < max(QUIET_SECONDS, 4 * longest) and now - began < MOST_QUIET_SECONDS:
        time.sleep(0.02)
        seen, now = call("eth_blockNumber"), time.monotonic()
        if seen != head:
            longest = max(longest, now - since)
            head, since = seen, now


def keep_last_good(state: Path) -> None:
    """Set a copy of the kept chain aside, since an Anvil has just loaded it."""
    if not state.exists():
        return
    copy = last_good(state).with_suffix(".new")
    copy.unlink(missing_ok=True)
    try:
        os.link(state, copy)  # a kept chain is replaced, never changed: a link is a copy
    except OSError:
        shutil.copy2(state, copy)
    copy.replace(last_good(state))


def check_state(name: object, data: bytes) -> dict[str, Any]:
    """A chain as Anvil keeps it.

    Raises:
        ChainBeastsError: it is none, or not whole.
    """
    found = _parse(data)
    if found is None:
        raise ChainBeastsError(f"{name} is no kept chain, or is damaged.")
    return found


def genesis_of(state: dict[str, Any]) -> str:
    """What tells one kept chain from another: its block 0, as it is written down."""
    zeros = [block["header"] for block in state["blocks"] if _number(block) == 0]
    oldest = sorted(zeros, key=lambda header: int(header["timestamp"], 16))[:1]
    return json.dumps(oldest, sort_keys=True)


def keep_one_genesis(state: dict[str, Any]) -> bool:
    """Drop all blocks of number 0 but the oldest; whether there were more.

    Anvil makes a genesis block of its own at every start, keeps it next to the one that it loads,
    and writes both down: after the second restart, either may answer to number 0.
    """
    blocks = state["blocks"]
    zeros = [block for block in blocks if _number(block) == 0]
    if len(zeros) < 2:
        return False
    first = min(zeros, key=lambda block: int(block["header"]["timestamp"], 16))
    state["blocks"] = [block for block in blocks if block is first or _number(block) != 0]
    return True


def _number(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError):
        return _parse(path.read_bytes())
    return None


def _parse(data: bytes) -> dict[str, Any] | None:
    """A whole chain; None for anything else."""
    try:
        found = json.loads(data)
        numbers = [_number(block) for block in found["blocks"]]
        [int(block["header"]["timestamp"], 16) for block in found["blocks"]]
        whole = bool(numbers) and isinstance(found["accounts"], dict)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if whole and isinstance(found, dict) else None


def _writing(state: Path) -> ProcessLock:
    lock = state.with_name(f"{state.name}.lock")
    return ProcessLock(lock, "the devnet's chain is written", seconds=120)


def _damaged(state: Path) -> ChainBeastsError:
    copy = last_good(state)
    back = f"go back to the last good copy: chainbeasts devnet restore {copy}"
    begin = "begin anew: chainbeasts devnet up --fresh"
    hint = f"To {back}; or to {begin}." if copy.exists() else f"To {begin}."
    return ChainBeastsError(f"The kept chain {state} is damaged.", hint)
