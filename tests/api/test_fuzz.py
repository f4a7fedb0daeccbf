"""Requests made up from the API's own description, good and bad ones."""

from __future__ import annotations

import json

import schemathesis
from hypothesis import HealthCheck, Phase, settings

from chainbeasts.backend.api.app import routed
from tests.api.conftest import Served

DESCRIPTION = routed().openapi()
REFUSED = {"expected-statuses": [404, 414, 422]}
schema = schemathesis.openapi.from_dict(
    DESCRIPTION,
    config=schemathesis.Config.from_dict({"checks": {"negative_data_rejection": REFUSED}}),
)


@schema.parametrize()
@settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_as_described(case: schemathesis.Case, served: Served) -> None:
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
