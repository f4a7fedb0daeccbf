"""What it takes to call the contracts without this server."""

from __future__ import annotations

from dataclasses import replace

from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.chain.compile import artifact
from chainbeasts.backend.chain.deployment import CONTRACTS
from tests.api.conftest import Scene, Served, services_of, serving


def test_contracts_are_where_the_chain_has_them(scene: Scene, served: Served) -> None:
    found = served.json("/v1/contracts")
    deployment, w3 = scene.chain.deployment, scene.chain.w3
    assert [one["name"] for one in found["contracts"]] == list(CONTRACTS)
    assert (found["chain_id"], found["genesis"]) == (w3.eth.chain_id, deployment.genesis)
    for one in found["contracts"]:
        assert one["abi"] == artifact(one["name"]).abi
        assert one["code_hash"] == "0x" + w3.keccak(w3.eth.get_code(one["address"])).hex()


def test_every_error_of_the_contracts_has_its_wording(served: Served) -> None:
    found = served.json("/v1/contracts")
    errors = {
        entry["name"]: {one["name"] for one in entry["inputs"]}
        for one in found["contracts"]
        for entry in one["abi"]
        if entry["type"] == "error"
    }
    assert set(found["errors"]) == set(errors)
    units = set()
    for name, wording in found["errors"].items():
        assert set(wording["units"]) <= errors[name]
        units |= set(wording["units"].values())
    assert units == {"energy", "coin", "seconds", "time"}
    assert "{endsAt}" in found["errors"]["ChallengePeriodOpen"]["sentence"]
    assert found["errors"]["ChallengePeriodOpen"]["units"] == {"endsAt": "time"}


def test_what_talks_to_wallets_is_served_only_where_it_is_allowed(served: Served) -> None:
    services = served.services
    other = services_of(services.chain, services.database, services.bundles.parent, follows=False)
    with serving(replace(other, wallet=True), limits=Limits(rate=0)) as allowed:
        for path in ("/wallet/view.js", "/wallet/actions/money.js"):
            assert served.get(path).status_code == 404
            answer = allowed.get(path)
            assert answer.status_code == 200
            assert (
                answer.headers["content-security-policy"]
                == served.get("/app.js").headers["content-security-policy"]
            )
        assert allowed.json("/v1/status")["wallet"] is True
    assert served.json("/v1/status")["wallet"] is False
