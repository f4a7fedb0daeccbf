"""The gas report: figures measured on a fresh chain, their limits, and what bounds them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from backend.chain.compile import MAX_CODE_BYTES, artifacts
from backend.chain.transactions import MAX_GAS
from tests.support import gas_arena, gas_kernel, gas_protocol

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = ROOT / "docs" / "gas-report.md"
JSON = ROOT / "docs" / "gas-report.json"
NOT_DEPLOYED = ("HostilePayee", "HostileReceiver", "HostileToken")

LIMITS = {
    "submit, steady": 90_000,
    "submit, by a trainer": 90_000,
    "submitBatch of 8, each": 60_000,
    "file, public": 200_000,
    "respond": 150_000,
    "stage 3 chunks, 73,725 bytes": MAX_GAS,
    "fileStaged, 512 kB": 2_000_000,
    "record of 60 turns": 400_000,
    "disproveFirstWord": 4_000_000,
    "disproveOver": 4_000_000,
    "disproveTurn, every unit active": 4_000_000,
    "disproveTurn, the last": 4_000_000,
    "disproveTurn, a sparse state": 4_000_000,
}
PROVE_TRAINED, PROVE_COSTLIEST = 4_000_000, 14_000_000
COSTLIEST = "costliest state that could be built"

BOUNDS = {
    "submit, a beast's first": "three new slots of the head and one of the digest",
    "submit, steady": "one new slot (the digest), three rewritten, the record in the event",
    "submit, by a trainer": "the same, and one more slot read: the authorisation",
    "submitBatch of 8": "eight digests, eight events; the head is written once",
    "submitBatch of 8, each": "one new slot and the record in the event",
    "submit, completing an epoch": "the next epoch's record: two new slots, its season read",
    "file, public": "three new slots of the dispute, the bond moved in escrow",
    "respond": "16 hashes in calldata and event, one slot for their hash",
    "filePrivate, 1 kB": "as `file`, and the secret's fold",
    "filePrivate, 120 kB": "calldata at 40 gas per non-zero byte",
    "stage 3 chunks, 73,725 bytes": "200 gas per byte of code, 16 per byte of calldata",
    "fileStaged, 512 kB": "memory and hash of the data, 22 contracts read; and `filePrivate`",
    "512 kB staged and filed, in all": "10 transactions",
    "requestHatch, with a dataset": "four commitments in slots of their own",
    "challengeHeader": "the slashing's settlement",
    "claimTimeout": "the slashing's settlement",
    "finalize 8, each": "one credit of the bond; one burn for all",
    "supplyRecords of 500": "eight Merkle paths in calldata",
    "challenge": "four new slots; the checkpoint's record in calldata",
    "accept": "one new slot, two rewritten; the checkpoint's record in calldata",
    "challenge of an open beast": "both at once: five new slots",
    "record of 60 turns": "two new slots; the log in calldata and event, its tree hashed",
    "finalize": "four new slots: both owners' rewards, both beasts' cooldowns",
    "disproveFirstWord": "the settlement; two births and the season read",
    "publishState": "calldata at 40 gas per non-zero byte; the event is free beside it",
    "disproveTurn, every unit active": "calldata at 40 gas per non-zero byte: the weights",
    "disproveTurn, the last": "the same, and one Merkle path less",
    "disproveTurn, a sparse state": "the same: half of its bytes are zero",
}


def measure() -> dict[str, Any]:
    """All figures, the same at every call with the same contracts."""
    kernel = gas_kernel.measure()
    sizes = {name: code.code_size for name, code in sorted(artifacts().items())}
    return {
        "transactions": gas_protocol.measure(),
        "arena": gas_arena.measure(),
        "prove": kernel.prove,
        "advance": {name: found.gas for name, found in kernel.advance.items()},
        "sizes": {name: size for name, size in sizes.items() if name not in NOT_DEPLOYED},
    }


def broken_limits(found: dict[str, Any]) -> list[str]:
    """Sentences about figures that exceed their limits."""
    transactions = found["transactions"] | found["arena"]
    wrong = [
        f"{name} takes {transactions[name]:,} gas, the limit is {limit:,}."
        for name, limit in LIMITS.items()
        if transactions[name] > limit
    ]
    for name, gas in found["prove"].items():
        limit = PROVE_COSTLIEST if name == COSTLIEST else PROVE_TRAINED
        if gas > limit:
            wrong.append(f"prove ({name}) takes {gas:,} gas, the limit is {limit:,}.")
    for name, parts in found["advance"].items():
        if max(parts) > MAX_GAS:
            wrong.append(f"advance ({name}) has a transaction over {MAX_GAS:,} gas.")
    for name, size in found["sizes"].items():
        if size >= MAX_CODE_BYTES:
            wrong.append(f"{name} has {size:,} bytes, the limit is {MAX_CODE_BYTES:,}.")
    return wrong


def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    words = ("bounded by",)
    ruler = tuple("---" if i == 0 or name in words else "--:" for i, name in enumerate(head))
    cells = [head, ruler, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in row) + " |" for row in cells)


def _transactions(found: dict[str, int]) -> str:
    """A table of transactions with their limits and what bounds them."""
    rows = [
        (
            name,
            f"{gas:,}",
            f"≤ {LIMITS[name]:,}" if name in LIMITS else "",
            BOUNDS.get(name, ""),
        )
        for name, gas in found.items()
    ]
    return _table(("transaction", "gas", "limit", "bounded by"), rows)


def render(found: dict[str, Any]) -> str:
    """The report for people."""
    proofs = [
        (name, f"{gas:,}", f"≤ {PROVE_COSTLIEST if name == COSTLIEST else PROVE_TRAINED:,}")
        for name, gas in found["prove"].items()
    ]
    advances = [
        (name, f"{sum(parts):,}", len(parts), f"{max(parts):,}")
        for name, parts in found["advance"].items()
    ]
    largest = max(found["sizes"], key=found["sizes"].__getitem__)
    sizes = [(name, f"{size:,}") for name, size in found["sizes"].items()]
    return f"""# Gas report

Measured by `scripts/gas_report` on a fresh Anvil with Osaka's rules and the transaction cap of
{MAX_GAS:,} gas; `scripts/test` measures again and compares. Gas is what the receipt says:
execution, or the calldata floor of 40 gas per non-zero byte where that is more (EIP-7623).

## Protocol

{_transactions(found["transactions"])}

## Arena

{_transactions(found["arena"])}

Disproving a turn carries the acting beast's state, as `prove` does, and is bound by the calldata
floor whatever that state is: a forward pass and an activation are cheap beside it.

## `prove`: 8 micro-steps

{_table(("state", "gas", "limit"), proofs)}

A proof carries the state, 33,792 bytes of weights with hardly a zero byte among them: about
1.36 million gas at the floor price, which is what a beast with few slots costs whatever its steps
do. With all slots awake execution overtakes it. The costliest state has every unit of every layer
active and unclipped, errors near their cap and a learning-rate shift of 13, so that every row is
summed, carried and updated, each update is undone and done again in wide lanes, the board winds
through hazards, and each step brings a Merkle path of 16 siblings.

## `advance`: all 128 micro-steps of a window

{_table(("beast", "gas in all", "transactions", "largest"), advances)}

Bounded by execution: 100,000 to 205,000 gas a step, by the number of active units. A beast with few
slots awake is re-executed in one transaction, newborn or trained; with all eight slots it takes
two. A trained one has {gas_kernel.TRAINED_WINDOWS} windows behind it.

## Contract sizes

{_table(("contract", "bytes"), sizes)}

The largest is {largest}; the limit is {MAX_CODE_BYTES:,} bytes (EIP-170). The referee is compiled
for speed, its inner loops unrolled by hand as far as that limit allows.
"""


def main() -> int:
    """Write or check the report; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args()
    found = measure()
    text, data = render(found), json.dumps(found, indent=2) + "\n"
    problems = broken_limits(found)
    if options.check:
        for path, wanted in ((JSON, data), (MARKDOWN, text)):
            if not path.exists() or path.read_text("utf-8") != wanted:
                name = path.relative_to(ROOT)
                problems.append(f"{name} is out of date; run scripts/gas_report and commit it.")
    else:
        JSON.write_text(data, "utf-8")
        MARKDOWN.write_text(text, "utf-8")
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
