"""What a process of the server needs to know, read from the environment once. The command line fills the environment.

Nothing else in the package reads `os.environ`, so a process can be started with any settings by giving it any environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

PREFIX = "DIGITALNOW_"


class InvalidSetting(Exception):
    """A setting that cannot be used; the message is one sentence that names it."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Each field is the environment variable `DIGITALNOW_` + its name in upper case."""

    data_dir: Path = Path(".digitalnow")
    """Where the embedded PostgreSQL and the demo's tokens live."""
    database_url: str = ""
    """An existing PostgreSQL (≥ 15); empty: the embedded one."""
    host: str = "127.0.0.1"
    """The address to listen on; `0.0.0.0` for everybody on the network."""
    port: int = 8000
    live_port: int = 8001
    public_url: str = ""
    """The API's base as phones reach it, `https://api.example.org`, for a device's pairing; empty: the one that was asked."""
    live_url: str = ""
    """What clients are told as the feed's base, `wss://live.example.org`; empty: the host they asked, with `live_port`."""
    workers: int = 1
    """API processes."""
    gateways: int = 1
    """Processes that hold the live feed's connections, together on its port. One holds 5,000 phones with ease."""
    nats_url: str = ""
    """A NATS server, `nats://host:4222`, that carries the hints between processes instead of PostgreSQL's notifications."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages that may open the feed, besides those of the server's own host: comma-separated origins, `*` for any."""
    durable: bool = True
    """False gives up every promise about crashes; only the tests do that."""
    pool_size: int = 4
    """Database connections of one API process, besides its writers' and its listener's."""
    writers: int = 1
    """Connections on which one API process logs the scans of people who wait, besides one for lists that are counted and one for
    uploads. One makes the largest batches: with two it is 15 scans a commit instead of 30, and a tenth fewer a second."""
    drain_seconds: float = 5.0
    """Over how long a stopping gateway says good-bye to its clients."""

    @property
    def address(self) -> str:
        """The API's base for what is written down, without a `/` at its end: where no request says by which address it came."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Raises `InvalidSetting` for a value of the wrong kind or out of range."""
    source = os.environ if environment is None else environment
    given: dict[str, object] = {
        field.name: source[PREFIX + field.name.upper()]
        for field in msgspec.structs.fields(Settings)
        if PREFIX + field.name.upper() in source
    }
    if "allowed_origins" in given:
        given["allowed_origins"] = [
            origin.strip() for origin in str(given["allowed_origins"]).split(",") if origin.strip()
        ]
    settings = Settings()
    for name, value in given.items():
        kind = Settings.__annotations__[name]
        try:
            converted = Path(str(value)) if kind == "Path" else msgspec.convert(value, _KINDS[name], strict=False)
        except msgspec.ValidationError as error:
            raise InvalidSetting(f"{PREFIX}{name.upper()}={value!r} cannot be used: {error}.") from None
        settings = msgspec.structs.replace(settings, **{name: converted})
    check_ranges(settings)
    return settings


def to_environment(settings: Settings) -> dict[str, str]:
    """The same settings as environment variables, for a child process."""
    rendered = {}
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        rendered[PREFIX + field.name.upper()] = ",".join(value) if isinstance(value, tuple) else str(value)
    return rendered


_KINDS = {field.name: field.type for field in msgspec.structs.fields(Settings)}


_NATS_URL = re.compile(r"(nats|tls)://[^\s/?#]+")


def check_ranges(settings: Settings) -> None:
    """Raises `InvalidSetting` for a number that makes no sense, or an address that is none."""
    for name, low, high in (
        ("port", 0, 65535),
        ("live_port", 0, 65535),
        ("workers", 1, 64),
        ("gateways", 1, 16),
        ("pool_size", 1, 100),
        ("writers", 1, 16),
        ("drain_seconds", 0, 300),
    ):
        value = getattr(settings, name)
        if not low <= value <= high:
            raise InvalidSetting(
                f"{PREFIX}{name.upper()}={value} is out of range: it must be between {low} and {high}."
            )
    if settings.nats_url and not _NATS_URL.fullmatch(settings.nats_url):
        # Not shown: it may hold a password.
        raise InvalidSetting(f"{PREFIX}NATS_URL is no address of a NATS server: write it as nats://host:4222.")
