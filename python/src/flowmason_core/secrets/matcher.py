"""
Finds many texts at once, in time linear in what is searched (Wu and Manber's algorithm on blocks of four).

A window of eight characters, the least that any pattern has, moves over the text. Its last four say how far it
may jump; only where a pattern could begin are the eight looked up, and then one binary search among the patterns
with this beginning finds the longest. A thousand patterns with one long common beginning, such as the first line
of PEM keys, cost little more than one.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

_WINDOW = 8
_BLOCK = 4
_JUMP = _WINDOW - _BLOCK + 1


class Matcher:
    """Patterns of eight characters and more, each with what to put in its place. Patterns may be added any time."""

    def __init__(self) -> None:
        self._jumps: dict[str, int] = {}
        # By their first eight characters: the patterns, sorted. A list is replaced and never changed, since another
        # thread may be searching in it.
        self._patterns: dict[str, list[str]] = {}
        # How long the longest of them is: no more of the text is copied to compare.
        self._lengths: dict[str, int] = {}
        self._masks: dict[str, str] = {}
        # The longest pattern that each pattern begins with, itself apart.
        self._inner: dict[str, str | None] = {}
        self._short_beginnings: set[str] = set()
        self.longest = 0

    def __repr__(self) -> str:
        return f"Matcher({len(self)} patterns)"

    def __len__(self) -> int:
        return len(self._masks)

    def add(self, pattern: str, mask: str) -> None:
        """Adds a pattern; the first mask of a pattern stays."""
        pattern = str(pattern)
        beginning = pattern[:_WINDOW]
        if len(beginning) < _WINDOW:
            raise ValueError("a pattern has at least eight characters")
        if pattern in self._masks:
            return
        known = self._patterns.get(beginning, [])
        at = bisect_left(known, pattern)
        self._inner[pattern] = self._longest_in(known, pattern)
        # Before any other pattern leads to this one.
        self._masks[pattern] = mask
        for longer in known[at:]:
            if not longer.startswith(pattern):
                break
            inner = self._inner[longer]
            if inner is None or len(inner) < len(pattern):
                self._inner[longer] = pattern
        self.longest = max(self.longest, len(pattern))
        self._short_beginnings.update(beginning[:length] for length in range(1, _WINDOW))
        self._lengths[beginning] = max(self._lengths.get(beginning, 0), len(pattern))
        self._patterns[beginning] = [*known[:at], pattern, *known[at:]]
        # Last: from now on it is found.
        for at in range(_JUMP):
            block = beginning[at : at + _BLOCK]
            self._jumps[block] = min(self._jumps.get(block, _JUMP), _JUMP - 1 - at)

    def find(self, text: str, at: int, before: int) -> tuple[int, int, str] | None:
        """
        The first match that begins from `at` on and ahead of `before`, the longest where several begin: its
        start, its end, its mask.
        """
        while (start := self._next_beginning(text, at, before)) is not None:
            beginning = text[start : start + _WINDOW]
            known = self._patterns[beginning]
            match = self._longest_in(known, text[start : start + self._lengths[beginning]])
            if match is not None:
                return start, start + len(match), self._masks[match]
            at = start + 1
        return None

    def open_end(self, text: str, at: int) -> int:
        """Where the first tail of the text begins that more text could make a (longer) match; its length if none."""
        size = len(text)
        at = max(at, size - self.longest + 1)
        while (start := self._next_beginning(text, at, size)) is not None:
            beginning = text[start : start + _WINDOW]
            if size - start < self._lengths[beginning]:
                rest = text[start:]
                known = self._patterns[beginning]
                after = bisect_right(known, rest)
                if after < len(known) and known[after].startswith(rest):
                    return start
            at = start + 1
        for start in range(max(at, size - _WINDOW + 1), size):
            if text[start:] in self._short_beginnings:
                return start
        return size

    def _longest_in(self, known: list[str], text: str) -> str | None:
        """
        The longest of sorted patterns that the text begins with. All that it begins with sort before it, and
        what sorts between one of those and the text begins with that one too: so it is the last that sorts
        before the text, or is what that one begins with.
        """
        at = bisect_right(known, text)
        match = known[at - 1] if at else None
        while match is not None and not text.startswith(match):
            match = self._inner[match]
        return match

    def _next_beginning(self, text: str, at: int, before: int) -> int | None:
        """Where the first eight characters of a pattern stand next."""
        jumps, patterns, jump = self._jumps, self._patterns, _JUMP
        end = at + _WINDOW
        last = min(len(text), before + _WINDOW - 1)
        while end <= last:
            step = jumps.get(text[end - _BLOCK : end], jump)
            if step:
                end += step
            elif text[end - _WINDOW : end] in patterns:
                return end - _WINDOW
            else:
                end += 1
        return None
