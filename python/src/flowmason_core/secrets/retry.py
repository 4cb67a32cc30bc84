"""Asking again, when the server is away for a moment."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from .errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True)
class Retry:
    """
    At most `attempts` within `seconds`. Between two the wait doubles from `base` up to `longest` seconds, cut by
    chance to a half at least, so that many runs do not come back at once; never less than a `Retry-After`,
    which is itself believed up to `longest`.
    """

    attempts: int = 4
    seconds: float = 30.0
    base: float = 0.2
    longest: float = 5.0

    async def run(self, attempt: Callable[[], Awaitable[T]]) -> T:
        """Calls until it answers. @raises Unavailable the last one, or when the time is over"""
        failure = Unavailable(f"The server did not answer within {self.seconds:g} seconds.")
        with anyio.move_on_after(self.seconds):
            for count in range(self.attempts):
                try:
                    return await attempt()
                except Unavailable as error:
                    failure = error
                if count + 1 < self.attempts:
                    await anyio.sleep(self.wait(count, failure.retry_after))
        raise failure

    def wait(self, count: int, retry_after: float | None) -> float:
        """Seconds to wait after so many failures."""
        delay = min(self.longest, self.base * 2.0**count) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(delay, min(retry_after or 0.0, self.longest))
