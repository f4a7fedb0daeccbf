"""Requests made up from the API's own description, good and bad ones."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from chainbeasts.backend.api.app import routed
from tests.api.conftest import Served
from tests.support.patience import PATIENCE

DESCRIPTION = routed().openapi()
REFUSED = {"expected-statuses": [404, 414, 422]}
UNFIT = {"expected-statuses": ["2xx", 404, 422]}
CONFIG = {
    "request-timeout": PATIENCE,
    "checks": {"negative_data_rejection": REFUSED},
    "operations": [
        # Well made and refused all the same: a cursor of another order, a slot that is awake.
        {"include-path": path, "checks": {"positive_data_acceptance": UNFIT}}
        for path in ("/v1/beasts", "/v1/beasts/{beast_id}/price")
    ],
}
schema = schemathesis.openapi.from_dict(DESCRIPTION, config=schemathesis.Config.from_dict(CONFIG))
OPERATIONS = {found.ok().path: found.ok() for found in schema.get_all_operations()}
GOOD, BAD = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
CASES = [
    (path, mode)
    for path, operation in OPERATIONS.items()
    for mode in (GOOD, BAD)
    if mode is GOOD or operation.definition.raw.get("parameters")  # nothing else can be bad
]


# Not by schemathesis' own decorator: its tests have one node id for all paths, and of tests that
# share one xdist runs a single one.
@pytest.mark.parametrize(("path", "mode"), CASES)
@given(data=st.data())
@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(
    path: str, mode: GenerationMode, served: Served, data: st.DataObject
) -> None:
    case = data.draw(OPERATIONS[path].as_strategy(mode))
    case.call_and_validate(base_url=served.url)


def test_the_server_describes_itself_so(served: Served) -> None:
    found = served.json("/openapi.json")
    assert found == json.loads(json.dumps(DESCRIPTION))
    assert {"Live", "Relayed", "Problem"} <= set(found["components"]["schemas"])
    for path, operations in found["paths"].items():
        assert set(operations) == {"get"}, path
        assert set(operations["get"]["responses"]) == {
            "200", "304", "404", "413", "414", "421", "422", "429", "500", "503",
        }  # fmt: skip
