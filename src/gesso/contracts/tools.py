"""How an operation gets its engines: it names a capability, only `wiring` knows who offers it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from gesso.contracts.engine import EngineInfo
from gesso.contracts.errors import Unavailable


class HasInfo(Protocol):
    """Anything that can say which engine it is."""

    @property
    def info(self) -> EngineInfo: ...


C = TypeVar("C", bound=HasInfo)


@dataclass(frozen=True)
class Offer:
    """One engine that serves one capability: how to build it (once, lazily), and why it cannot be used, if it cannot."""

    capability: type[Any]
    id: str
    build: Callable[[], Any]
    missing: Callable[[], str] = lambda: ""
    """Empty when usable; otherwise a sentence that names what is missing and how to get it."""


@dataclass(frozen=True)
class Tools:
    """Engines by capability, in order of preference. Thread-safe; an engine is built on first use and then shared.

    `recording` gives a view that remembers which engines were asked for, for provenance.
    """

    offers: tuple[Offer, ...] = ()
    _built: dict[int, Any] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _seen: list[EngineInfo] | None = None

    def all(self, capability: type[C]) -> tuple[C, ...]:
        """Every usable engine for `capability`, best first; maybe none."""
        return tuple(self._engine(o) for o in self.offers if o.capability is capability and not o.missing())

    def find(self, capability: type[C]) -> C | None:
        """The preferred usable engine, or None."""
        for offer in self.offers:
            if offer.capability is capability and not offer.missing():
                engine: C = self._engine(offer)
                return engine
        return None

    def one(self, capability: type[C]) -> C:
        """The preferred usable engine; raises `Unavailable` with the reasons when there is none."""
        engine = self.find(capability)
        if engine is not None:
            return engine
        reasons = [f"{o.id}: {o.missing()}" for o in self.offers if o.capability is capability]
        raise Unavailable(
            f"no engine offers {capability.__name__}",
            code="capability_unavailable",
            hint="; ".join(reasons) or "run `gesso doctor` to see what is installed",
        )

    def recording(self) -> Tools:
        """The same engines, with an own record of which were used (`used`)."""
        return Tools(self.offers, self._built, self._lock, [])

    @property
    def used(self) -> tuple[EngineInfo, ...]:
        """Engines handed out by this view since `recording`, each once, in order of first use."""
        return tuple(dict.fromkeys(self._seen or ()))

    def _engine(self, offer: Offer) -> Any:
        with self._lock:
            key = id(offer)
            if key not in self._built:
                self._built[key] = offer.build()
            engine = self._built[key]
            if self._seen is not None:
                self._seen.append(engine.info)
        return engine


def tools_of(engines: Mapping[type[Any], Any | tuple[Any, ...]]) -> Tools:
    """Tools made of ready engines, for tests and embedding: {TextDetector: my_detector, Inpainter: (a, b)}."""
    offers: list[Offer] = []
    for capability, given in engines.items():
        for engine in given if isinstance(given, tuple) else (given,):
            offers.append(Offer(capability, engine.info.id, lambda engine=engine: engine))  # type: ignore[misc]
    return Tools(tuple(offers))
