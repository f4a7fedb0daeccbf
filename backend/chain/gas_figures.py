"""What the protocol's transactions take, as the gas report measured them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.resources import gas_report_file

_TOTAL = "in all"
"""In the names of figures of several transactions."""


@dataclass(frozen=True, slots=True)
class Opening:
    """An opening: ``gas`` of all transactions it takes, and the gas that the trainer is paid."""

    gas: int
    paid: int

    def __add__(self, other: Opening) -> Opening:
        return Opening(self.gas + other.gas, self.paid + other.paid)


@dataclass(frozen=True, slots=True)
class GasFigures:
    """Gas of the transactions that disputes are made of.

    Attributes:
        dismiss_void: of a dispute whose checkpoint fell with an ancestor.
        prove: the dearest proof against a trained beast.
        costliest: the dearest proof that could be built.
        collect: settling a reward and withdrawing the credit.
        segments: with the dismissal that ends a dispute in which nothing was proved.
        records: of a dataset as large as may be.
    """

    submit: int
    file_public: int
    file_private: int
    claim_timeout: int
    challenge_header: int
    dismiss_void: int
    commit: int
    prove: int
    costliest: int
    collect: int
    segments: Opening
    state: Opening
    records: Opening

    @classmethod
    def load(cls) -> Self:
        """The figures of ``docs/gas-report.json``.

        Raises:
            ChainBeastsError: the file is missing, or another version's.
        """
        with _read_report() as found:
            disputes, proofs = found["disputes"], dict(found["prove"])
            openings = {name: Opening(**values) for name, values in found["openings"].items()}
            return cls(
                submit=found["transactions"]["submit, by a trainer"],
                file_public=disputes["file, public"],
                file_private=disputes["file, private"],
                claim_timeout=disputes["claimTimeout"],
                challenge_header=disputes["challengeHeader"],
                dismiss_void=disputes["dismiss, bonds returned"],
                commit=disputes["commit"],
                costliest=proofs.pop("costliest state that could be built"),
                prove=max(proofs.values()),
                collect=disputes["settleReward"] + disputes["withdrawCredit"],
                segments=openings["segments, and the dismissal"],
                state=openings["a state, without a zero byte"],
                records=openings["records of 65,536"],
            )


@contextmanager
def _read_report() -> Iterator[Any]:
    """The gas report, and one sentence about whatever is wrong with it while it is read."""
    try:
        yield json.loads(gas_report_file().read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ChainBeastsError(
            f"The gas report {gas_report_file()} cannot be read ({type(error).__name__}).",
            "Write it with scripts/gas_report.",
        ) from None


def heaviest_transaction() -> int:
    """Gas of the dearest transaction that the protocol is known to need.

    Raises:
        ChainBeastsError: the report is missing, or another version's.
    """
    with _read_report() as found:
        single = [
            gas
            for part in ("transactions", "disputes", "arena", "prove")
            for name, gas in found[part].items()
            if _TOTAL not in name
        ]
        largest = [max(parts) for parts in found["advance"].values()]
        return int(max(single + largest))
