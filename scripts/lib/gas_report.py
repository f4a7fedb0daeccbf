"""The gas report: figures measured on a fresh chain, their limits, and what bounds them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from chainbeasts.backend.chain import anvil
from chainbeasts.backend.chain.compile import MAX_CODE_BYTES, artifacts
from chainbeasts.backend.chain.transactions import MAX_GAS
from tests.support import gas_arena, gas_disputes, gas_kernel, gas_protocol

ROOT = Path(__file__).resolve().parents[2]
MARKDOWN = ROOT / "docs" / "gas-report.md"
JSON = ROOT / "docs" / "gas-report.json"
PATIENCE = 600.0
"""Seconds for Anvil: scripts/test measures behind the tests, which have the processor first."""

NOT_DEPLOYED = ("HostileAccount", "HostilePayee", "HostileReceiver", "HostileToken")

LIMITS = {
    "submit, steady": 94_000,
    "submit, by a trainer": 94_000,
    "submitBatch of 8, each": 45_000,
    "file, public": 240_000,
    "file, private": 240_000,
    "openSegments": 210_000,
    "publish a state": 1_400_000,
    "publish a window's records, of 4,096": 1_600_000,
    "publish a window's records, of 65,536": 2_200_000,
    "stage 3 chunks, 73,725 bytes": MAX_GAS,
    "fileStaged, 512 kB": 2_000_000,
    "record of 60 turns": 400_000,
    "disproveFirstWord": 4_000_000,
    "disproveOver": 4_000_000,
    "disproveTurn, trained, all slots": 750_000,
    "disproveTurn, every unit active": 4_000_000,
    "disproveTurn, the last": 4_000_000,
    "disproveTurn, a sparse state": 4_000_000,
}
PROVE_TRAINED, PROVE_COSTLIEST = 2_600_000, 8_000_000
"""The first leaves room for the eight positions of a segment, which differ by a fifth in what they
cost; the second is what a season's proof share must pay twice over (SeasonRegistry.PROOF_GAS)."""

COSTLIEST = "costliest state that could be built"
OPENING_TOLERANCE = 0.25
"""Most by which an opening may be paid above what it takes; never below."""

WAY_TRANSACTIONS = 7
"""Most transactions of a stranger who brings a lie down, from approval to withdrawal."""

BOUNDS = {
    "stake, the first": "one new slot; the vault asked whether a reward is held",
    "submit, a beast's first": "three new slots of the head and one of the digest",
    "submit, steady": "one new slot (the digest), three rewritten, the record in the event",
    "submit, by a trainer": "the same, and one more slot read: the authorisation",
    "submitBatch of 8": "eight digests, eight events; the head is written once",
    "submitBatch of 8, each": "one new slot and the record in the event",
    "submit, completing an epoch": "the next epoch's record: two new slots, its season read",
    "withdrawStake": "one slot cleared, the coin sent",
    "file, public": "five new slots of dispute and opening bond, both bonds moved",
    "file, private": "the same; records and commitments are looked up",
    "file, on an open dispute": "an event",
    "openSegments": "16 hashes in calldata and event, one slot for their hash; credit and debt",
    "publish a state": "calldata at 40 gas per non-zero byte; the event is free beside it",
    "publish a window's records, of 65,536": "about 1,180 hashes in calldata and event, a step up "
    "the tree for each",
    "publish a window's records, of 4,096": "about 660 of them",
    "acceptOpenings, state": "credit and debt: two new slots",
    "acceptOpenings, state and records": "the same, the second time in slots that are filled",
    "claimTimeout": "the slashing's settlement in both coins",
    "challengeHeader": "the slashing's settlement in both coins",
    "filePrivate, 1 kB": "as `file`, and the secret's fold",
    "filePrivate, 120 kB": "calldata at 40 gas per non-zero byte",
    "stage 3 chunks, 73,725 bytes": "200 gas per byte of code, 16 per byte of calldata",
    "fileStaged, 512 kB": "memory and hash of the data, 22 contracts read; and `filePrivate`",
    "512 kB staged and filed, in all": "10 transactions",
    "requestHatch, with a dataset": "four commitments in slots of their own",
    "finalize one": "the first of a beast: one new slot, what it has burned",
    "finalize 8, each": "one credit of the bond; one burn for all",
    "challenge": "four new slots; the checkpoint's record in calldata",
    "accept": "one new slot, two rewritten; both publications looked up",
    "challenge of an open beast": "both at once: five new slots",
    "record of 60 turns": "one new slot; the log in calldata and event, its tree hashed",
    "requestHatch, no dataset": "two new slots; an allowance and a balance less by the cost",
    "drawSeed": "one new slot: until when it can be recorded",
    "finalize": "four new slots: both owners' rewards, both beasts' earnings",
    "disproveFirstWord": "the settlement; two births and the season read",
    "disproveTurn, trained, all slots": "calldata at 40 gas per non-zero byte: rows and hashes",
    "disproveTurn, every unit active": "the same: all rows",
    "disproveTurn, the last": "the same, and one Merkle path less",
    "disproveTurn, a sparse state": "the same: few rows, half of their bytes zero",
}


def measure() -> dict[str, Any]:
    """All figures, the same at every call with the same contracts."""
    kernel = gas_kernel.measure()
    sizes = {name: code.code_size for name, code in sorted(artifacts().items())}
    return {
        "transactions": gas_protocol.measure(),
        **gas_disputes.measure(),
        "arena": gas_arena.measure(kernel.trained[-1]),
        "prove": kernel.prove,
        "advance": {name: found.gas for name, found in kernel.advance.items()},
        "sizes": {name: size for name, size in sizes.items() if name not in NOT_DEPLOYED},
    }


def broken_limits(found: dict[str, Any]) -> list[str]:
    """Sentences about figures that exceed their limits."""
    transactions = found["transactions"] | found["disputes"] | found["arena"]
    wrong = [
        f"{name} takes {transactions[name]:,} gas, the limit is {limit:,}."
        for name, limit in LIMITS.items()
        if transactions[name] > limit
    ]
    for name, gas in found["prove"].items():
        limit = PROVE_COSTLIEST if name == COSTLIEST else PROVE_TRAINED
        if gas > limit:
            wrong.append(f"prove ({name}) takes {gas:,} gas, the limit is {limit:,}.")
    for name, figures in found["openings"].items():
        gas, paid = figures["gas"], figures["paid"]
        if not gas <= paid <= gas * (1 + OPENING_TOLERANCE):
            wrong.append(f"Opening {name} takes {gas:,} gas and is paid as {paid:,} (OpeningGas).")
    for name, figures in found["ways"].items():
        if figures["transactions"] > WAY_TRANSACTIONS:
            wrong.append(f"The way against {name} takes {figures['transactions']} transactions.")
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
    openings = [
        (
            name,
            f"{figures['gas']:,}",
            f"{figures['paid']:,}",
            f"{figures['paid'] / figures['gas']:.2f}",
        )
        for name, figures in found["openings"].items()
    ]
    ways = [
        (name, f"{figures['gas']:,}", figures["transactions"])
        for name, figures in found["ways"].items()
    ]
    largest = max(found["sizes"], key=found["sizes"].__getitem__)
    sizes = [(name, f"{size:,}") for name, size in found["sizes"].items()]
    return f"""# Gas report

Measured by `scripts/gas_report` on a fresh Anvil with Osaka's rules and the transaction cap of
{MAX_GAS:,} gas; `scripts/test` measures again and compares. Gas is what the receipt says:
execution, or the calldata floor of 40 gas per non-zero byte where that is more (EIP-7623).

## Training

{_transactions(found["transactions"])}

## Disputes

{_transactions(found["disputes"])}

A filing is measured with exactly the bond that it asks for, by an account that has filed before;
what is sent beyond it is credited, which costs a slot the first time. Records are measured with
words that have hardly a zero byte.

### What openings are paid as

{_table(("opening", "gas", "paid as", "ratio"), openings)}

Gas of all the transactions that an opening takes when the dispute owes no other one: the
publication and `acceptOpenings`; `openSegments` and, in the end, `dismiss`, without which an honest
trainer's window would never become final. What it is paid as stands in
`contracts/libraries/OpeningGas.sol`: never below, so that an honest trainer loses nothing by
answering, and at most {OPENING_TOLERANCE:.0%} above, so that nobody earns by being disputed.

### A stranger's whole way

{_table(("against", "gas in all", "transactions"), ways)}

Of an account that holds coin and ENERGY and has never been seen: approval, deposit, filing,
conviction, the settling of the reward, and both withdrawals. *Invented commitments*: a beast
hatched with four random hashes, weights written by hand entered as one private window. *Withheld
parent*: a public window behind a state that only its trainer knows; silent, and answered with 16
hashes of nothing from a state that the cheat then publishes.

## Arena

{_transactions(found["arena"])}

Disproving a turn carries the rows of the acting beast's state that its forward pass reads, and
hashes for all others; it is bound by the calldata floor: a forward pass and an activation are cheap
beside it, and so is unpacking the rows whose weights fit 12 bits. *Trained*: the turn of a match
between two beasts with all slots awake that opens the most.

## `prove`: 8 micro-steps

{_table(("state", "gas", "limit"), proofs)}

A proof carries the state, 33,792 bytes of weights with hardly a zero byte among them: about
1.36 million gas at the floor price, which is what a beast with few slots costs whatever its steps
do. With all slots awake execution overtakes it. A private window is proved from opened records: 16
digests and the eight words of the segment. The costliest state has every unit of every layer active
and unclipped, errors near their cap and a learning-rate shift of 13, so that every row is summed,
carried and updated, each update is undone and done again in wide lanes, the board winds through
hazards, and each step brings a Merkle path of 16 siblings; and its proof is the first move to take
note of what stands in the archives.

Rows are not opened one by one here: eight steps of a trained beast read 142 to 182 of the 232
leaves, 22 to 27 of the 33.8 kB, and the root after them needs every hash that it needs before. With
all slots awake that would save three gas of a hundred, with few slots some twenty; the referee,
whose code is near its limit, has no room for a second way in.

The rows compare neither sources nor kernels: a proof is one segment, eight boards of one window,
and costs by the units that are active on them. Over the whole window self-play takes no more than
the curriculum does (`advance`, below: 21.7 and 21.8 million gas with all slots awake), so the
segment proved here is dearer than its window's mean, by some 39,000 gas a step. Reports before
kernel 2 (with 2,003,564 for it) were of other beasts, born anew with each version of the contracts.

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
    anvil.START_SECONDS = anvil.RPC_SECONDS = PATIENCE
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
