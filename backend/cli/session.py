"""What every command shares: its common options, and the layers it reaches through them.

``@command(app, "verb")`` gives a function the options ``--home``, ``--rpc-url`` and ``--json``, and
with ``signs=True`` also those that name the acting account; the function's first argument is the
``Session``.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from getpass import getpass
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from rich.console import RenderableType
from web3 import Web3

from chainbeasts.backend.accounts import account_address, devnet_account, load_account
from chainbeasts.backend.chain.anvil import is_local_chain
from chainbeasts.backend.chain.client import Chain, connect, read
from chainbeasts.backend.chain.deployment import Deployment
from chainbeasts.backend.chain.errors import NodeUnavailableError
from chainbeasts.backend.chain.fees import parse_gwei
from chainbeasts.backend.chain.transactions import TransactionManager
from chainbeasts.backend.cli import output
from chainbeasts.backend.cli.compiling import compile_contracts
from chainbeasts.backend.devnet.record import running
from chainbeasts.backend.documents import parse_json
from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import seen_homes
from chainbeasts.backend.logs import configure_logging
from chainbeasts.backend.names import Names
from chainbeasts.backend.redact import redact_url
from chainbeasts.backend.settings import DEVNET_FILE, Settings, load_settings

P = ParamSpec("P")

RECEIPT_DEPTH = 3
"""Blocks on top of a transaction's before it counts, on a chain that others mine."""

DEFAULT_RPC_URL = "http://127.0.0.1:8545"

_COMMON: dict[str, Any] = {
    "home": Annotated[
        Path | None,
        typer.Option(
            help="Folder of keys, deployments and data; the nearest .chainbeasts upwards if not "
            "given. [env: CHAINBEASTS_HOME]"
        ),
    ],
    "rpc_url": Annotated[
        str | None,
        typer.Option(help="Node endpoint, http or ws. [env: CHAINBEASTS_RPC_URL]"),
    ],
    "as_json": Annotated[
        bool, typer.Option("--json", help="Print the result as JSON.", envvar="CHAINBEASTS_JSON")
    ],
}
_SIGNING: dict[str, Any] = {
    "account": Annotated[
        str | None,
        typer.Option(
            help="Who acts: a keystore name, or devnet:N on a local chain. "
            "[env: CHAINBEASTS_ACCOUNT]"
        ),
    ],
    "password_file": Annotated[
        Path | None,
        typer.Option(help="File with the keystore's password. [env: CHAINBEASTS_PASSWORD_FILE]"),
    ],
    "max_fee": Annotated[
        str | None,
        typer.Option(
            metavar="GWEI",
            help="Most per gas to sign for; waits while the chain's base fee is above it. "
            "[env: CHAINBEASTS_MAX_FEE]",
        ),
    ],
    "receipt_depth": Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Blocks on top of a transaction's before it counts; 0 on a local chain, else 3. "
            "[env: CHAINBEASTS_RECEIPT_DEPTH]",
        ),
    ],
    "replace_pending": Annotated[
        bool | None,
        typer.Option(
            "--replace-pending",
            help="Outbid a pending transaction of the account that this home has no record of. "
            "[env: CHAINBEASTS_REPLACE_PENDING]",
            show_default=False,
        ),
    ],
}


def ask_password(question: str) -> str:
    """Ask on the terminal, without echo.

    Raises:
        ChainBeastsError: there is no terminal.
    """
    if not sys.stdin.isatty():
        raise ChainBeastsError(
            "A password is needed and there is no terminal.", "Pass --password-file FILE."
        )
    return getpass(question)


@dataclass
class Session:
    """One run of a command: its settings, and how it prints."""

    settings: Settings
    as_json: bool

    @property
    def rpc_url(self) -> str:
        """The endpoint given, else the running devnet's, else the usual local one."""
        return self._known_url or DEFAULT_RPC_URL

    @property
    def _known_url(self) -> str | None:
        if self.settings.rpc_url is not None:
            return self.settings.rpc_url
        try:
            record = parse_json(self.settings.devnet_file.read_bytes())
            return str(record["rpc_url"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def connect(self) -> Web3:
        """The node.

        Raises:
            NodeUnavailableError: it does not answer.
        """
        try:
            return connect(self.rpc_url)
        except NodeUnavailableError as error:
            if self._known_url is not None:
                raise
            seen = seen_homes(self.settings.home, DEVNET_FILE)
            raise NodeUnavailableError(error.message, f"{error.hint} {seen}") from None

    @cached_property
    def chain(self) -> Chain:
        """The deployment, on the node.

        Raises:
            ChainBeastsError: no node, no deployment, or a mismatch.
        """
        w3 = self.connect()
        chain_id = read(lambda: w3.eth.chain_id, self.rpc_url)
        deployment = Deployment.load(self.settings.deployments_dir, chain_id)
        compile_contracts()
        chain = Chain(w3, self.rpc_url, deployment)
        chain.check()
        return chain

    @cached_property
    def account(self) -> LocalAccount:
        """The acting account.

        Raises:
            ChainBeastsError: none is named, or it cannot be opened.
        """
        chain_id = self.chain.deployment.chain_id
        return self.open_account(chain_id)

    def open_account(self, chain_id: int) -> LocalAccount:
        """The acting account, for a chain that has no deployment yet."""
        return load_account(
            self.settings, chain_id=chain_id, rpc_url=self.rpc_url, prompt=ask_password
        )

    def deployer_account(self, chain_id: int) -> LocalAccount:
        """The acting account; devnet:0 if none is named and the chain is a local one."""
        named = self.settings.account or self.settings.private_key
        if named is None and is_local_chain(chain_id, self.rpc_url):
            return devnet_account(0)
        return self.open_account(chain_id)

    @cached_property
    def names(self) -> Names:
        """What accounts are called in this home."""
        return Names(self.settings, self._is_local, self._contracts)

    def _is_local(self) -> bool:
        """Whether this is a local chain, as far as that is known; nobody is asked for it."""
        known = self.__dict__.get("chain")
        if known is None:
            return running(self.settings) is not None
        return is_local_chain(known.deployment.chain_id, self.rpc_url)

    def _contracts(self) -> dict[str, str]:
        known = self.__dict__.get("chain")
        return {} if known is None else known.deployment.addresses

    def resolve(self, who: str) -> ChecksumAddress:
        """The address of whoever is meant: see ``Names.resolve``.

        Raises:
            ChainBeastsError: nobody is called so, or two are.
        """
        if not who.lower().startswith("0x"):
            # Contracts, and the accounts of a local chain, have their names once it is known.
            with suppress(ChainBeastsError):
                _ = self.chain
        return Web3.to_checksum_address(self.names.resolve(who))

    @property
    def me(self) -> ChecksumAddress:
        """The acting account's address, for looking; its keystore is not opened.

        Raises:
            ChainBeastsError: none is named, or there is none of that name.
        """
        known = account_address(self.settings)
        return self.account.address if known is None else Web3.to_checksum_address(known)

    def address(self, contract: str) -> ChecksumAddress:
        """Where a contract of the deployment stands."""
        return Web3.to_checksum_address(self.chain.deployment.addresses[contract])

    @cached_property
    def sender(self) -> TransactionManager:
        """Sends the acting account's transactions."""
        return self.sender_for(self.chain, self.account)

    def sender_for(self, chain: Chain, account: LocalAccount) -> TransactionManager:
        """Sends an account's transactions, with nonce locks under this home."""
        depth = self.settings.receipt_depth
        if depth is None:
            local = is_local_chain(chain.deployment.chain_id, self.rpc_url)
            depth = 0 if local else RECEIPT_DEPTH
        locks = self.settings.home / "locks"
        return TransactionManager(
            chain,
            account,
            locks,
            max_fee=self.max_fee,
            depth=depth,
            replace=self.settings.replace_pending,
        )

    @property
    def max_fee(self) -> int | None:
        """Most wei per gas to sign for; None without a cap.

        Raises:
            ChainBeastsError: the setting is no fee.
        """
        given = self.settings.max_fee
        return None if given is None else parse_gwei(given)

    def show(self, value: Any, view: RenderableType | Callable[[], RenderableType]) -> None:
        """Print a result: ``value`` as JSON if that was asked for, else ``view``."""
        if self.as_json:
            output.print_json(value)
        else:
            output.print_view(view() if callable(view) else view)


def _warn_of_shown_key(rpc_url: str | None) -> None:
    """Everybody on the machine reads a command line, but not its environment."""
    if rpc_url is None or redact_url(rpc_url) == rpc_url:
        return
    if any(rpc_url in argument for argument in sys.argv[1:]):
        output.note(
            "The node's key stands in the command line, which others can see: set "
            "CHAINBEASTS_RPC_URL instead of --rpc-url."
        )


def _parameters(options: dict[str, Any]) -> list[inspect.Parameter]:
    defaults = {"as_json": False}
    return [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=defaults.get(name), annotation=annotation
        )
        for name, annotation in options.items()
    ]


def command(
    app: typer.Typer, name: str, *, signs: bool = False, example: str = ""
) -> Callable[[Callable[Concatenate[Session, P], None]], Callable[..., None]]:
    """Register a verb whose first argument is its Session.

    Args:
        signs: also offer the options that name the acting account.
        example: printed below ``--help``.
    """
    options = {**_COMMON, **(_SIGNING if signs else {})}

    def register(function: Callable[Concatenate[Session, P], None]) -> Callable[..., None]:
        @functools.wraps(function)
        def run(*args: Any, **given: Any) -> None:
            common = {option: given.pop(option) for option in options}
            as_json = common.pop("as_json")
            settings = load_settings(**common)
            _warn_of_shown_key(settings.rpc_url)
            try:
                configure_logging(settings.log_level, json_lines=settings.log_json)
            except ValueError as error:
                raise ChainBeastsError(f"{error}.") from None
            session = Session(settings, as_json)
            output.name_addresses(lambda text: session.names.show_in(text))
            function(session, *args, **given)

        own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
        run.__signature__ = inspect.Signature(own + _parameters(options))  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in [*own, *_parameters(options)]}
        app.command(name, epilog=f"Example: {example}" if example else None)(run)
        return run

    return register
