"""Options of commands in several packages."""

from __future__ import annotations

from typing import Annotated

import typer

HealthPortOption = Annotated[
    int,
    typer.Option(
        min=0,
        max=65_535,
        help="Port of /healthz, /readyz and /metrics on loopback; 0 takes any free one.",
        envvar="CHAINBEASTS_HEALTH_PORT",
    ),
]
PlacesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--snapshots",
        metavar="PLACE",
        help="Where states are published: a folder, s3://bucket/prefix or https://host/path; read "
        "besides HOME/snapshots. Repeatable; in the environment: several with spaces between.",
        envvar="CHAINBEASTS_SNAPSHOTS",
    ),
]
PollOption = Annotated[
    float,
    typer.Option(
        min=0.05, help="Most seconds between two looks.", envvar="CHAINBEASTS_POLL_SECONDS"
    ),
]
