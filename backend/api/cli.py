"""``chainbeasts serve``: the API and the page, over a database that it keeps up to date."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import structlog
import typer
from uvicorn import Server

from chainbeasts.backend.api import patience
from chainbeasts.backend.api.app import make_app
from chainbeasts.backend.api.follow import Follower
from chainbeasts.backend.api.limits import Limits
from chainbeasts.backend.api.places import States
from chainbeasts.backend.api.server import HOST, bind, make_server
from chainbeasts.backend.api.services import Services
from chainbeasts.backend.cli.ending import ended_by_signals, when_there
from chainbeasts.backend.cli.options import HealthPortOption, PollOption
from chainbeasts.backend.cli.session import Session, command
from chainbeasts.backend.indexer.follow import Waker
from chainbeasts.backend.indexer.sync import Indexer
from chainbeasts.backend.monitoring.health import Health
from chainbeasts.backend.monitoring.server import serve as serve_health
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.settings import METRICS_PATH, METRICS_PORT
from chainbeasts.backend.store.session import Database
from chainbeasts.backend.store.snapshots import reading_store

log = structlog.get_logger()

app = typer.Typer(help="The API and the page, on this machine.")

ROLE = "api"
DEFAULT_PORT = 8400


@command(app, "serve", example="chainbeasts serve --port 8400")
def serve(
    session: Session,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port on loopback; 0 takes any free one.")
    ] = DEFAULT_PORT,
    database: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Read this database, which another daemon fills, and index nothing. A password "
            "belongs into the environment.",
        ),
    ] = None,
    snapshots: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE",
            help="Where trainers publish states: a folder, https://host/path or "
            "s3://bucket/prefix; repeatable. HOME/snapshots if not given. In the environment: "
            "several with spaces between.",
            envvar="CHAINBEASTS_SNAPSHOTS",
        ),
    ] = None,
    bundles: Annotated[
        Path | None,
        typer.Option(
            help="Folder of evidence bundles, dispute-ID.zip each; HOME/bundles if not given."
        ),
    ] = None,
    metrics_port: Annotated[
        int,
        typer.Option(
            min=0,
            max=65_535,
            help="Port of the metrics server whose figures are relayed; 0 relays none.",
            envvar="METRICS_PORT",
        ),
    ] = METRICS_PORT,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A host name that a web server in front of this one answers to; repeatable.",
        ),
    ] = None,
    allow_wallet: Annotated[
        bool,
        typer.Option(
            "--allow-wallet",
            help="Let readers act from the page, each through the wallet in their own browser. The "
            "server itself still signs and sends nothing.",
        ),
    ] = False,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ORIGIN",
            help="A page elsewhere whose scripts may read all this, such as https://lab.example; "
            "repeatable.",
        ),
    ] = None,
    rate: Annotated[
        float,
        typer.Option(min=0, help="Requests a second from one address; 0 for no limit."),
    ] = Limits().rate,
    confirmations: Annotated[
        int,
        typer.Option(min=0, help="Blocks on top of one before it is read."),
    ] = 0,
    poll: PollOption = 1.0,
    health_port: HealthPortOption = 0,
) -> None:
    """Serve the API and the page until stopped. Read-only: it has no account and signs nothing.

    A node that is away at the start is waited for.
    """
    settings = session.settings
    store = Database(database or settings.database(ROLE), upgrade=database is None)
    waker, health = Waker(session.rpc_url, poll), Health(ROLE)
    with closing(store), serve_health(health, health_port) as at:
        with ended_by_signals(waker.stop):
            chain = when_there(
                lambda: session.chain, waker.pause, lambda: waker.stopped, health.failed
            )
        if chain is None:
            return
        indexer = None if database is not None else Indexer(chain, store, confirmations)
        services = Services(
            chain=chain,
            database=store,
            states=States(
                reading_store(
                    settings.home / ROLE / "states",
                    snapshots or [str(settings.snapshots_dir)],
                    patience.SECONDS,
                )
            ),
            bundles=bundles or settings.home / "bundles",
            follower=Follower(chain, store, indexer, waker, health),
            wallet=allow_wallet,
        )
        served = make_app(
            services,
            metrics=f"ws://{HOST}:{metrics_port}{METRICS_PATH}" if metrics_port else None,
            limits=Limits(rate=rate),
            hosts=allow_host or (),
            origins=allow_origin or (),
        )
        listener = bind(port)
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        facts = {"url": url, "health": f"http://{HOST}:{at}"}

        def ready() -> None:
            session.show(facts, f"Beasts at {url}; Ctrl-C ends.")

        log.info(
            "api started",
            chain=chain.deployment.chain_id,
            node=redact_url(session.rpc_url),
            database=store.url,
            **facts,
        )
        server = make_server(served, ready)
        with _ended_by_signals(server):
            server.run([listener])


@contextmanager
def _ended_by_signals(server: Server) -> Iterator[None]:
    """End in good order on SIGTERM and SIGINT: before the server listens to them, and when it
    raises them once more after its end."""

    def stop(number: int, frame: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
