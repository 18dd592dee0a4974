"""The settings of the service, read from `CHAT_*` in the environment and validated."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Literal, Self

import psycopg
import pydantic_settings
from psycopg.conninfo import conninfo_to_dict
from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_PREFIX = "CHAT_"
_SHORTEST_SECRET = 32
_MAKE_ONE = "make one with `openssl rand -hex 32`"
_JSON_OF = re.compile(r'field "(\w+)"')
"""Matches the setting in the error of a value that is not JSON."""


class Price(BaseModel, frozen=True):
    """The price of a model, in USD for a million tokens."""

    prompt: Decimal = Field(ge=0, le=1000)
    completion: Decimal = Field(ge=0, le=1000)


class Settings(BaseSettings):
    """
    The settings; lists and price lists are JSON, and an empty variable counts as unset.

    Secrets are `SecretStr`: their text is read only where it is used, and shown nowhere.
    """

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        frozen=True,
        hide_input_in_errors=True,  # else an error in one setting shows the secrets of all
    )

    database_url: SecretStr
    """postgresql://…, for the pool and for the migrations."""
    token_secret: SecretStr
    """Signs the tokens of users; 32 characters or more, the same in every replica."""
    token_secret_previous: SecretStr | None = None
    """Another secret whose tokens are accepted during a rotation of secrets."""
    token_lifetime_s: int = Field(default=3600, ge=1)

    password_time_cost: int = Field(default=3, ge=1)
    password_memory_kib: int = Field(default=65_536, ge=32)
    """The parameters of Argon2id; a hash with others is replaced at the next log-in."""
    passwords_at_once: int | None = Field(default=None, ge=1)
    """How many passwords each process hashes at the same time; the number of cores if unset."""

    migrations: Literal["apply", "check", "require", "ignore"] = "apply"
    """What startup does about pending migrations; see `rung.integrations.fastapi`."""
    if_ahead: Literal["compatible", "fail", "ok"] = "compatible"
    """Whether to serve on a database that is ahead; compatible: if its migrations allow it."""
    compatible_up_to: int | None = None
    """The newest version of the schema that this release is known to work with."""
    check_interval_s: float = Field(default=15.0, gt=0)
    """The longest pause between two checks of a database that is not ready."""

    pool_size: int = Field(default=10, ge=1)
    pool_timeout_s: float = Field(default=5.0, gt=0)
    """How long a request waits for a connection."""
    statement_timeout_ms: int = Field(default=10_000, ge=1)

    provider: str = "local"
    """The provider where a request names none: local, or openai."""
    openai_base_url: str = "https://api.openai.com/v1"
    openai_api_key: SecretStr | None = None
    openai_models: dict[str, Price | None] = {}
    """The models that may be requested, with their prices; null where there is none."""
    provider_timeout_s: float = Field(default=30.0, gt=0)
    """How long a provider may be silent."""
    provider_retries: int = Field(default=2, ge=0)
    """How often a request is sent again if nothing of its answer has arrived."""
    answer_timeout_s: float = Field(default=120.0, gt=0)
    """How long a whole answer may take."""
    abandoned_answer_s: float = Field(default=30.0, ge=0)
    """How long an answer continues without a reader."""
    answer_grace_s: float = Field(default=4.0, ge=0)
    """How long shutdown waits for answers, once the requests have ended."""
    prompt_max_tokens: int = Field(default=200_000, ge=1)
    """The most tokens that are sent with a question, by estimate."""
    summarise_over_tokens: int | None = Field(default=None, ge=1)
    """Summarise a conversation after an answer with more tokens of prompt and answer."""

    cors_origins: tuple[str, ...] = ()
    max_body_bytes: int = Field(default=262_144, ge=1)
    rate_per_minute: float = Field(default=120.0, gt=0)
    rate_burst: int = Field(default=60, ge=1)
    """Requests of one user, or of one network without a token, in each process."""
    credentials_per_minute: float = Field(default=10.0, gt=0)
    credentials_burst: int = Field(default=10, ge=1)
    """Registrations and log-ins of one network, in each process: an IPv4 address, an IPv6 /64."""
    log_ins_per_minute: float = Field(default=5.0, gt=0)
    log_ins_burst: int = Field(default=5, ge=1)
    """Log-ins of one account from one network, in each process."""

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = Field(default=1, ge=1)
    metrics: Literal["on", "off"] | Annotated[int, Field(ge=1, le=65_535)] = "on"
    """Whether /metrics is served; a number: only on that port of the same address."""
    shutdown_s: int = Field(default=25, ge=1)
    """How long shutdown waits for running requests before it cancels them."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr) -> SecretStr:
        try:
            conninfo_to_dict(value.get_secret_value())
        except psycopg.Error:  # its text may have the password in it
            raise ValueError(
                "libpq cannot read it; write postgresql://USER:PASSWORD@HOST:PORT/NAME"
            ) from None
        return value

    @field_validator("token_secret", "token_secret_previous")
    @classmethod
    def _is_secret(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None:
            return None
        if "change-me" in value.get_secret_value():
            raise ValueError(f"this is the value of .env.example; {_MAKE_ONE}")
        if len(value.get_secret_value()) < _SHORTEST_SECRET:
            raise ValueError(f"shorter than {_SHORTEST_SECRET} characters; {_MAKE_ONE}")
        return value

    @model_validator(mode="after")
    def _provider_serves(self) -> Self:
        if self.provider != "local" and not self.openai_models:
            raise ValueError(
                f'{_PREFIX}PROVIDER is "{self.provider}", and {_PREFIX}OPENAI_MODELS names no model'
            )
        return self


class SettingsError(ValueError):
    """Unusable settings: a line for each, with its variable and without its value."""


def read_settings() -> Settings:
    """
    Read the settings from the environment.

    Raises:
        SettingsError: a setting is missing or cannot be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        lines = [_line(one) for one in error.errors(include_url=False, include_input=False)]
        raise SettingsError("\n".join(lines)) from None
    except pydantic_settings.SettingsError as error:  # of the first that is not JSON
        [name] = _JSON_OF.findall(str(error))
        raise SettingsError(f"{_PREFIX}{name.upper()}: not valid JSON") from None


def _line(error: ErrorDetails) -> str:
    name, *below = (str(part) for part in error["loc"] or ("",))
    variable = f"{_PREFIX}{name.upper()}"
    if error["type"] == "missing" and not below:
        return f"{variable} is not set"
    text = error["msg"].removeprefix("Value error, ")
    if not name:  # the error is about several settings, and names them
        return text
    where = f" ({'.'.join(below)})" if below else ""
    return f"{variable}{where}: {text[:1].lower()}{text[1:]}"
