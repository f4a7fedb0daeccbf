"""Alarms and dashboard in a real Prometheus that scrapes what daemons export."""

from __future__ import annotations

import json
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from chainbeasts.backend.monitoring.server import serve
from tests.cli.test_operations import ALARMS, expressions, monitors
from tests.support.patience import eventually
from tests.support.prometheus import Prometheus, prometheus, promtool

CASES = """\
rule_files: [alarms.yml]
evaluation_interval: 1m
tests:
  - name: what is there at the first scrape is told, once
    interval: 1m
    input_series:
      - series: 'chainbeasts_validator_unverified_windows{instance="a",job="chainbeasts"}'
        values: '3x200'
      - series: 'chainbeasts_validator_jobs{instance="a",job="chainbeasts",verdict="invalid"}'
        values: '1x200'
    alert_rule_test:
      - eval_time: 1m
        alertname: FinalUnverified
        exp_alerts: [&final { exp_labels: { instance: a, job: chainbeasts, severity: critical },
          exp_annotations: { runbook: "operations.md#final-unverified" } }]
      - { eval_time: 70m, alertname: FinalUnverified, exp_alerts: [] }
      - eval_time: 1m
        alertname: FraudFound
        exp_alerts: [&fraud { exp_labels: { instance: a, job: chainbeasts, severity: info,
          verdict: invalid }, exp_annotations: { runbook: "operations.md#fraud-found" } }]
      - { eval_time: 20m, alertname: FraudFound, exp_alerts: [] }
  - name: what is added later is told, too, and nothing without it
    interval: 1m
    input_series:
      - series: 'chainbeasts_validator_unverified_windows{instance="a",job="chainbeasts"}'
        values: '0x99 1x100'
      - series: 'chainbeasts_validator_jobs{instance="a",job="chainbeasts",verdict="invalid"}'
        values: '0x99 1x100'
    alert_rule_test:
      - { eval_time: 99m, alertname: FinalUnverified, exp_alerts: [] }
      - { eval_time: 101m, alertname: FinalUnverified, exp_alerts: [*final] }
      - { eval_time: 99m, alertname: FraudFound, exp_alerts: [] }
      - { eval_time: 101m, alertname: FraudFound, exp_alerts: [*fraud] }
  - name: an account that runs out of coin or ENERGY
    interval: 1m
    input_series:
      - series: 'chainbeasts_validator_payable_filings{instance="a",job="chainbeasts"}'
        values: '2x30'
      - series: 'chainbeasts_defender_payable_openings{instance="b",job="chainbeasts"}'
        values: '3x30'
    alert_rule_test:
      - eval_time: 15m
        alertname: FundsLow
        exp_alerts: [{ exp_labels: { instance: a, job: chainbeasts, severity: critical },
          exp_annotations: { runbook: "operations.md#funds-low" } }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the alarms."""
    (tmp_path / "alarms.yml").write_text(ALARMS)
    return tmp_path


def test_prometheus_finds_nothing_wrong_with_the_alarms(folder: Path) -> None:
    promtool("check", "rules", "--lint-fatal", "alarms.yml", cwd=folder)


def test_alarms_do_not_miss_what_is_there_at_the_first_scrape(folder: Path) -> None:
    assert "delta(" not in ALARMS  # it sees no change in what has been there from the start
    (folder / "cases.yml").write_text(CASES)
    promtool("test", "rules", "cases.yml", cwd=folder)


def series(running: Prometheus, expression: str) -> list[Any]:
    """What an expression finds now."""
    found: list[Any] = running.ask("query", query=expression)["result"]
    return found


def rules(running: Prometheus) -> list[Any]:
    """What it has been given to look out for, and how that goes."""
    (group,) = running.ask("rules")["groups"]
    found: list[Any] = group["rules"]
    return found


def test_a_real_prometheus_takes_alarms_and_dashboard(folder: Path) -> None:
    with ExitStack() as stack:
        ports = [stack.enter_context(serve(monitor, 0)) for monitor in monitors()]
        config = {
            "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
            "rule_files": ["alarms.yml"],
            "scrape_configs": [
                {
                    "job_name": "chainbeasts",
                    "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}],
                }
            ],
        }
        path = folder / "prometheus.yml"
        path.write_text(json.dumps(config))  # which is YAML, too
        running = stack.enter_context(prometheus(path, folder))
        # Rates need two scrapes of each.
        twice = 'sum_over_time(up{job="chainbeasts"}[5m]) > 1'
        eventually(lambda: len(series(running, twice)) == len(ports))
        for expression in expressions():
            asked = expression.replace("$instance", ".*")
            # Of these nothing is left where there is no deadline, no cap, no time passed.
            if any(part in asked for part in (" > 0", "< Inf", "[")):
                series(running, asked)
            else:  # nothing is there, either, between a scrape that came too late and the next
                eventually(partial(series, running, asked), partial(str, asked))
        eventually(lambda: {rule["health"] for rule in rules(running)} == {"ok"})
        assert len(rules(running)) == ALARMS.count("- alert:")
