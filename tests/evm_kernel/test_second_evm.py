"""The published vectors once more in an EVM that shares no code with Anvil's; at night alone.

What convicts is bytecode: it must mean the same wherever it runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chainbeasts.backend.chain.errors import Reverted
from chainbeasts.backend.kernel.rules import Rules
from chainbeasts.backend.kernel.vector_check import check_case
from chainbeasts.backend.kernel.vector_fields import read_document
from chainbeasts.backend.kernel.vectors import KINDS
from tests.evm_kernel.test_vectors import FOLDER
from tests.support.second_evm import SecondEvm

pytestmark = pytest.mark.timeout(1_200)  # an interpreter in JavaScript, and an installation


@pytest.fixture(scope="module")
def second() -> Iterator[SecondEvm]:
    made = SecondEvm()
    yield made
    made.close()


@pytest.mark.parametrize("kind", KINDS)
def test_published_vectors_hold_in_another_evm(second: SecondEvm, kind: str) -> None:
    _, cases = read_document(FOLDER / f"{kind}.json", KINDS)
    found = [check_case(second, kind, case, number) for number, case in enumerate(cases)]
    assert found == [[]] * len(cases)
    assert second.gas


def test_what_the_contracts_refuse_is_refused_there_too(second: SecondEvm) -> None:
    with pytest.raises(Reverted) as caught:
        second.label(1 << 255, Rules(*[1] * len(Rules.__dataclass_fields__)))
    assert caught.value.name == "InvalidWord"
