"""What was fetched, for a short while, and one flight for each key at a time."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import anyio
from anyio.lowlevel import RunVar

from .errors import SecretsError

MISSING: Any = object()
# From this part of its time on, a value is fetched anew while it is still given out.
_AGING = 0.75
# A RunVar is known by its name alone, so each of ours needs one of its own.
_numbers = itertools.count()


class _Entry(NamedTuple):
    stored_at: float
    ticket: int
    value: Any


class Cache:
    """
    A bounded cache of values: the entry that was used longest ago goes first, none lives longer than `ttl`
    seconds. Who fetches takes a ticket before it asks: what was on its way when a denial or a drop came is not
    kept.

    :param clock: the wall clock; a Lambda's monotonic one may stand still while the function is frozen
    """

    def __init__(self, ttl: float, entries: int, clock: Callable[[], float] = time.time) -> None:
        self._ttl = ttl
        self._limit = entries
        self._clock = clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._last = 0
        self._barrier = 0

    def __repr__(self) -> str:
        return f"Cache({len(self._entries)} entries)"

    def ticket(self) -> int:
        """To be taken before asking."""
        with self._lock:
            self._last += 1
            return self._last

    @property
    def barrier(self) -> int:
        """What was asked for with this ticket or an earlier one is not to be relied on any more."""
        return self._barrier

    def get(self, key: str) -> tuple[Any, bool]:
        """The value, and whether its time is nearly over; `MISSING` when there is none or it is too old."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return MISSING, False
            age = self._clock() - entry.stored_at
            if not 0 <= age < self._ttl:
                del self._entries[key]
                return MISSING, False
            self._entries.move_to_end(key)
            return entry.value, age >= self._ttl * _AGING

    def put(self, key: str, value: Any, ticket: int) -> None:
        """Keeps what was asked for with that ticket."""
        with self._lock:
            known = self._entries.get(key)
            if ticket <= self._barrier or self._ttl <= 0 or (known is not None and known.ticket > ticket):
                return
            self._entries[key] = _Entry(self._clock(), ticket, value)
            self._entries.move_to_end(key)
            while len(self._entries) > self._limit:
                self._entries.popitem(last=False)

    def drop(self, name: str) -> None:
        """Forgets a secret, every version of it, and all that is on its way."""
        with self._lock:
            for key in [key for key in self._entries if key.split("@")[0] == name]:
                del self._entries[key]
            self._barrier = self._last

    def clear(self) -> None:
        """Forgets everything, also what is on its way."""
        with self._lock:
            self._entries.clear()
            self._barrier = self._last


class _Flight:
    def __init__(self, ticket: int) -> None:
        self.ticket = ticket
        self.landed = anyio.Event()
        self.value: Any = MISSING
        self.error: SecretsError | None = None


class Flights:
    """Lets one task fetch a key while the others wait for what it brings, in each event loop."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._running: RunVar[dict[str, _Flight]] = RunVar(f"flowmason_secrets_flights_{next(_numbers)}")

    async def fetch(self, key: str, fly: Callable[[int], Awaitable[Any]]) -> Any:
        """
        Joins the flight of this key, or starts one. None is joined that was on its way when something was
        forgotten: its value may be older than the denial, or than the rotation. A flight that was cancelled is
        flown again by a waiter.

        :param fly: fetches, by the ticket that it is given
        """
        running = self._running.get(None)
        if running is None:
            self._running.set(running := {})
        while (flight := running.get(key)) is not None and flight.ticket > self._cache.barrier:
            await flight.landed.wait()
            if flight.error is not None:
                # A copy: raising one object in many tasks would mix their tracebacks.
                raise copy.copy(flight.error)
            if flight.value is not MISSING:
                return flight.value
        flight = running[key] = _Flight(self._cache.ticket())
        try:
            flight.value = await fly(flight.ticket)
        except SecretsError as error:
            flight.error = error
            raise
        finally:
            if running.get(key) is flight:
                del running[key]
            flight.landed.set()
        return flight.value


_in_background: set[asyncio.Task[None]] = set()


def in_background(work: Callable[[], Awaitable[Any]]) -> None:
    """
    Starts work that nobody waits for, in the running event loop and no longer than that lives. A failure is
    dropped: who needs what it was to bring fails by itself.
    """

    async def quietly() -> None:
        with contextlib.suppress(Exception):
            await work()

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:  # no loop of asyncio's: it is trio's
        import trio

        trio.lowlevel.spawn_system_task(quietly)
        return
    task = loop.create_task(quietly())
    _in_background.add(task)  # the loop itself holds it weakly
    task.add_done_callback(_in_background.discard)
