"""Settings: every one has an environment twin ``CHAINBEASTS_…``; the command line overrides it."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from chainbeasts.backend.errors import ChainBeastsError
from chainbeasts.backend.home import find_home

METRICS_PORT, METRICS_PATH = 8765, "/metrics"
"""Where a metrics server listens unless it is told otherwise."""


DEVNET_FILE = "devnet.json"
"""In a home: record of the devnet that runs."""


class Settings(BaseSettings):
    """Where everything is and who acts."""

    model_config = SettingsConfigDict(env_prefix="CHAINBEASTS_", extra="ignore", frozen=True)

    home: Path = Field(
        default_factory=find_home,
        description="deployments, keys, beasts' secrets, database, snapshots; the nearest "
        ".chainbeasts upwards if not given",
    )
    rpc_url: str | None = Field(
        None, description="HTTP or WebSocket endpoint; the running devnet's if not given"
    )
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; a SQLite file under home if not given"
    )
    account: str | None = Field(
        None, description="keystore name or address, or devnet:N on a local chain"
    )
    private_key: SecretStr | None = Field(None, description="raw key, local chains only")
    password_file: Path | None = Field(None, description="file with the keystore's password")
    max_fee: str | None = Field(
        None, description="most gwei per gas to sign for; above it, waits for a lower base fee"
    )
    receipt_depth: int | None = Field(
        None,
        ge=0,
        description="blocks on top of a transaction's before it counts; 0 on a local chain, else 3",
    )
    replace_pending: bool = Field(
        False,
        description="outbid pending transactions of the account that this home has no record of",
    )
    confirm_above_energy: str = Field(
        "10", description="ENERGY that a command sends without asking; all that burns is asked for"
    )
    confirm_above_coin: str = Field(
        "0.05", description="native coin that a command sends without asking, gas included"
    )
    peers: str | None = Field(
        None, description="URLs of APIs that board words are fetched from, with spaces between"
    )
    log_level: str = Field("info", description="debug, info, warning or error")
    log_json: bool = Field(False, description="one JSON object per log line")

    @property
    def deployments_dir(self) -> Path:
        return self.home / "deployments"

    @property
    def keystore_dir(self) -> Path:
        return self.home / "keystore"

    @property
    def book_file(self) -> Path:
        """Names that others have in this home."""
        return self.home / "addresses.json"

    @property
    def snapshots_dir(self) -> Path:
        return self.home / "snapshots"

    @property
    def devnet_file(self) -> Path:
        """Record of the devnet that `devnet up` started."""
        return self.home / DEVNET_FILE

    def database(self, name: str) -> str:
        """The database URL; ``name`` tells the roles on one machine apart (trainer, validator)."""
        if self.database_url is not None:
            return self.database_url
        return f"sqlite:///{(self.home / f'{name}.sqlite3').absolute()}"


def load_settings(**overrides: object) -> Settings:
    """Settings from the environment, with those overrides that are not None.

    Raises:
        ChainBeastsError: a value does not fit its field.
    """
    try:
        return Settings(**{k: v for k, v in overrides.items() if v is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        name = "_".join(str(part) for part in first["loc"]).upper()
        raise ChainBeastsError(f"CHAINBEASTS_{name} does not fit: {first['msg']}.") from None
