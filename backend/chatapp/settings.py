"""Every setting of the service, read from `CHAT_*` in the environment. Decides nothing."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Price(BaseModel, frozen=True):
    """What a model costs, in USD for a million tokens."""

    prompt: Decimal = Field(ge=0, le=1000)
    completion: Decimal = Field(ge=0, le=1000)


class Settings(BaseSettings):
    """
    The settings; lists and price lists are JSON, and one that is empty counts as left out.

    Secrets are `SecretStr`: their text is asked for where it is used, and shown nowhere.
    """

    model_config = SettingsConfigDict(
        env_prefix="CHAT_",
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # else what is wrong with one shows the secrets of all
    )

    database_url: SecretStr
    """postgresql://…, for the pool and for the migrations."""
    token_secret: SecretStr = Field(min_length=32)
    """Signs the tokens of those who have logged in; the same for every replica."""
    token_lifetime_s: int = Field(default=3600, ge=1)

    password_time_cost: int = Field(default=3, ge=1)
    password_memory_kib: int = Field(default=65_536, ge=32)
    """What Argon2id costs; a hash with other costs is replaced at the next log-in."""

    migrations: Literal["apply", "check", "require", "ignore"] = "apply"
    """What startup does about pending migrations; see `rung.integrations.fastapi`."""
    if_ahead: Literal["compatible", "fail", "ok"] = "compatible"
    """Whether to serve on a database that a newer release has migrated: where it says so."""
    compatible_up_to: int | None = None
    """The newest version of the schema that this release is known to work with."""
    look_again_s: float = Field(default=15.0, gt=0)
    """The longest pause between two looks at a database that is not ready."""

    pool_size: int = Field(default=10, ge=1)
    pool_timeout_s: float = Field(default=5.0, gt=0)
    """How long a request waits for a connection."""
    statement_timeout_ms: int = Field(default=10_000, ge=1)

    provider: str = "local"
    """Who answers where a request names nobody: local, or openai."""
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr | None = None
    openai_models: dict[str, Price | None] = {}
    """The models that may be asked for, with their prices; null where there is none."""
    provider_timeout_s: float = Field(default=30.0, gt=0)
    """How long a provider may be silent."""
    provider_retries: int = Field(default=2, ge=0)
    """How often a request is sent again while nothing of its answer has come."""
    answer_timeout_s: float = Field(default=120.0, gt=0)
    """How long a whole answer may take."""

    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = Field(default=262_144, ge=1)
    rate_per_minute: float = Field(default=120.0, gt=0)
    rate_burst: int = Field(default=60, ge=1)
    """Requests of one user, or one address, in each process."""
    credentials_per_minute: float = Field(default=10.0, gt=0)
    credentials_burst: int = Field(default=10, ge=1)
    """Registrations and log-ins of one address, in each process."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = Field(default=1, ge=1)
    shutdown_s: int = Field(default=25, ge=1)
    """How long requests under way are given at the end, before they are broken off."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
