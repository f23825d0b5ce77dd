"""Environment and files → one frozen `Settings`, read once by `wiring` and handed down as values."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from gesso.contracts.errors import BadParams, Fault
from gesso.contracts.limits import Limits


def _cache_home() -> Path:
    return Path("~/.cache/gesso").expanduser()


class Settings(BaseSettings):
    """Everything an operator can set. Environment: ``GESSO_`` + name, nested with two underscores.

    Example: ``GESSO_LIMITS__MAX_PIXELS=100000000``, ``GESSO_STORE_BYTES=0`` (keep no finished steps).
    """

    model_config = SettingsConfigDict(
        env_prefix="GESSO_", env_nested_delimiter="__", frozen=True, extra="ignore", env_file=None
    )

    limits: Limits = Limits()
    store: Path = Field(default_factory=_cache_home, description="folder of finished steps, for resume and reuse")
    store_bytes: int = Field(
        default=4 * 1024**3, ge=0, description="its size; the least recently used steps go first; 0 = off"
    )
    recipes: tuple[Path, ...] = Field(
        default=(), description="folders with further recipes, searched before the shipped ones"
    )
    threads: int = Field(
        default=0, ge=0, le=256, description="threads of the text networks; 0 = chosen by the number of cores"
    )


def read_settings() -> Settings:
    """Settings of this process's environment; raises `BadParams` (bad_settings) that names every variable at fault."""
    try:
        return Settings()
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        faults = tuple(Fault(_variable(*f["loc"]), "bad_settings", f["msg"]) for f in found)
    except SettingsError as error:
        faults = (Fault("GESSO_…", "bad_settings", str(error)),)
    raise BadParams(faults, hint="correct or unset the environment variable; lists are written as JSON")


def _variable(*path: int | str) -> str:
    return "GESSO_" + "__".join(str(part).upper() for part in path)
