"""What an engine says about itself; copied into provenance."""

from __future__ import annotations

from pydantic import Field

from gesso.contracts.model import Model


class Weights(Model):
    """One weights file: id, revision, SHA-256, dtype, and the licence it may be used under."""

    id: str
    revision: str = ""
    sha256: str = ""
    dtype: str = "float32"
    licence: str = ""


class EngineInfo(Model):
    """Identity and limits of an engine. ``version`` rises whenever the same input may give other pixels."""

    id: str
    version: int
    title: str = ""
    device: str = "cpu"
    deterministic: bool = True
    weights: tuple[Weights, ...] = ()
    max_pixels: int = Field(default=0, description="largest picture it takes in one call; 0 = no limit of its own")
    libraries: tuple[str, ...] = Field(default=(), description='the distributions it stands on, "numba 0.68.1"')
