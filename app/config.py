"""The environment, read once into frozen settings; anything wrong stops the start."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

Navigation = Literal["geo", "amap", "google"]

REPOSITORY = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Every setting of the service. Names are environment variables in upper case (docs: operations)."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_file=None)

    database_url: str = Field(description="SQLAlchemy URL of a PostgreSQL 15+ database")
    secret_key: SecretStr = Field(min_length=32, description="Signs cookies")
    database_pool_size: int = Field(default=8, ge=1, le=100, description="Connections kept per process")
    public_url: str = Field(
        default="http://127.0.0.1:8000", description="Address that labels and messages point to"
    )
    live_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^/]+$",
        description="Where browsers reach the process of live updates; without one pages offer none",
    )
    live_clients_max: int = Field(
        default=5000, ge=1, le=100_000, description="Onlookers that one process of live updates takes at once"
    )
    cookie_secure: bool = Field(
        default=False, description="Send cookies over HTTPS only; set it in production"
    )
    session_hours: int = Field(default=12, ge=1, le=720, description="How long a login lasts")
    metrics_token: SecretStr | None = Field(
        default=None, description="Bearer token for /metrics; without one only loopback is answered"
    )
    log_level: str = Field(
        default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$", description="Least level logged"
    )
    zpl_font: str = Field(
        default="E:SIMSUN.TTF",
        pattern=r"^[A-Z]:[A-Z0-9_]{1,16}\.(TTF|FNT|TTE)$",
        description="Font on the label printers that has Chinese letters",
    )
    auto_confirm_days: int = Field(
        default=7,
        ge=1,
        le=90,
        description="Days after proof of delivery at which held money is released unasked",
    )
    smtp_host: str | None = Field(default=None, description="Mail server; without one mails wait")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="Its port")
    smtp_security: Literal["none", "starttls", "tls"] = Field(
        default="starttls", description="How the connection to it is encrypted"
    )
    smtp_username: str | None = Field(default=None, description="Login at the mail server, if it wants one")
    smtp_password: SecretStr | None = Field(default=None, description="Password of that login")
    sms_url: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="SMS gateway that takes JSON by POST; without one SMS wait",
    )
    sms_token: SecretStr | None = Field(default=None, description="Bearer token for it, if it wants one")
    mail_from: str = Field(default="wheelhouse@localhost", description="Sender of mails")
    webhooks_to_loopback: bool = Field(
        default=False,
        description="Webhooks may go to this machine itself, also over plain http; for development and tests",
    )
    navigation: Navigation = Field(
        default="geo", description="What shows couriers the way: the phone's own choice, Amap, or Google Maps"
    )
    positions_kept_days: int = Field(
        default=3, ge=1, le=90, description="Days after which couriers' positions are forgotten"
    )
    dask_scheduler: str | None = Field(
        default=None,
        pattern=r"^(tcp|tls|ws|wss)://[^/\s]+:\d+$",
        description="Scheduler of a Dask cluster for large plans; without one, this machine plans",
    )
    demo_logins: bool = Field(default=False, description="Show the demo world's logins on the sign-in page")

    @field_validator("dask_scheduler")
    @classmethod
    def _dask_is_installed(cls, value: str | None) -> str | None:
        if value is not None and importlib.util.find_spec("distributed") is None:
            raise ValueError(
                "Dask is not installed: python -m pip install --require-hashes -r requirements-cluster.txt"
            )
        return value

    @field_validator("database_url")
    @classmethod
    def _postgresql_only(cls, value: str) -> str:
        for prefix in ("postgresql+psycopg://", "postgresql://", "postgres://"):
            if value.startswith(prefix):
                return "postgresql+psycopg://" + value.removeprefix(prefix)
        raise ValueError("DATABASE_URL must name a PostgreSQL database (postgresql://...)")
