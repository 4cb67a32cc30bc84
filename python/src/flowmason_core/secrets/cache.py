"""What was fetched, for a short while, and one flight for each key at a time."""

from __future__ import annotations

import copy
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from anyio.lowlevel import RunVar

from .errors import SecretsError

MISSING: Any = object()
# A RunVar is known by its name alone, so each of ours needs one of its own.
_numbers = itertools.count()


class Cache:
    """
    A bounded cache of values: the entry that was used longest ago goes first, none lives longer than `ttl`
    seconds. `generation` changes when it is cleared, so that an answer that was on its way at a denial is not
    kept after it.
    """

    def __init__(self, ttl: float, entries: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._ttl = ttl
        self._limit = entries
        self._clock = clock
        self._entries: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        self._lock = threading.Lock()
        self.generation = 0

    def __repr__(self) -> str:
        return f"Cache({len(self._entries)} entries)"

    def get(self, key: str) -> Any:
        """The value; `MISSING` when there is none or it is too old."""
        with self._lock:
            until, value = self._entries.get(key, (0.0, MISSING))
            if value is MISSING:
                return MISSING
            if self._clock() >= until:
                del self._entries[key]
                return MISSING
            self._entries.move_to_end(key)
            return value

    def put(self, key: str, value: Any, generation: int) -> None:
        """Keeps a value that was asked for in that generation."""
        with self._lock:
            if generation != self.generation or self._ttl <= 0 or self._limit <= 0:
                return
            self._entries[key] = (self._clock() + self._ttl, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forgets a secret: every version and field of it."""
        with self._lock:
            for key in [key for key in self._entries if key.split("@")[0].split(".")[0] == name]:
                del self._entries[key]

    def clear(self) -> None:
        """Forgets everything, also what is on its way."""
        with self._lock:
            self._entries.clear()
            self.generation += 1


class _Flight:
    def __init__(self) -> None:
        self.landed = anyio.Event()
        self.value: Any = MISSING
        self.error: SecretsError | None = None


class Flights:
    """Lets one task fetch a key while the others wait for what it brings, in each event loop."""

    def __init__(self) -> None:
        self._running: RunVar[dict[str, _Flight]] = RunVar(f"flowmason_secrets_flights_{next(_numbers)}")

    async def fetch(self, key: str, fetch: Callable[[], Awaitable[Any]]) -> Any:
        """Joins the flight of this key, or starts one. A flight that was cancelled is flown again by a waiter."""
        running = self._running.get(None)
        if running is None:
            self._running.set(running := {})
        while (flight := running.get(key)) is not None:
            await flight.landed.wait()
            if flight.error is not None:
                # A copy: raising one object in many tasks would mix their tracebacks.
                raise copy.copy(flight.error)
            if flight.value is not MISSING:
                return flight.value
        flight = running[key] = _Flight()
        try:
            flight.value = await fetch()
        except SecretsError as error:
            flight.error = error
            raise
        finally:
            del running[key]
            flight.landed.set()
        return flight.value
