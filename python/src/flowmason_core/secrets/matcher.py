"""
Finds many texts at once, in time linear in what is searched (Wu and Manber's algorithm on blocks of four).

A window of eight characters, the least that any pattern has, moves over the text. Its last four say how far it
may jump; only where a pattern could begin are the eight looked up, and then the few lengths that patterns with
this beginning have, longest first. A thousand patterns with one long common beginning cost as much as one.
"""

from __future__ import annotations

_WINDOW = 8
_BLOCK = 4
_JUMP = _WINDOW - _BLOCK + 1


class Matcher:
    """Patterns of eight characters and more, each with what to put in its place. Patterns may be added any time."""

    def __init__(self) -> None:
        self._jumps: dict[str, int] = {}
        # By their first eight characters: the patterns with their masks, and their lengths, longest first.
        self._patterns: dict[str, dict[str, str]] = {}
        self._lengths: dict[str, list[int]] = {}
        self._short_beginnings: set[str] = set()
        self.longest = 0

    def __repr__(self) -> str:
        return f"Matcher({len(self)} patterns)"

    def __len__(self) -> int:
        return sum(len(patterns) for patterns in self._patterns.values())

    def add(self, pattern: str, mask: str) -> None:
        """Adds a pattern; the first mask of a pattern stays."""
        pattern = str(pattern)
        beginning = pattern[:_WINDOW]
        if len(beginning) < _WINDOW:
            raise ValueError("a pattern has at least eight characters")
        known = self._patterns.setdefault(beginning, {})
        if pattern in known:
            return
        for at in range(_JUMP):
            block = beginning[at : at + _BLOCK]
            self._jumps[block] = min(self._jumps.get(block, _JUMP), _JUMP - 1 - at)
        self._short_beginnings.update(beginning[:length] for length in range(1, _WINDOW))
        known[pattern] = mask
        lengths = self._lengths.setdefault(beginning, [])
        if len(pattern) not in lengths:
            lengths.append(len(pattern))
            lengths.sort(reverse=True)
        self.longest = max(self.longest, len(pattern))

    def find(self, text: str, at: int, before: int) -> tuple[int, int, str] | None:
        """
        The first match that begins from `at` on and ahead of `before`, the longest where several begin: its
        start, its end, its mask.
        """
        while (start := self._next_beginning(text, at, before)) is not None:
            beginning = text[start : start + _WINDOW]
            known = self._patterns[beginning]
            for length in self._lengths[beginning]:
                mask = known.get(text[start : start + length])
                if mask is not None:
                    return start, start + length, mask
            at = start + 1
        return None

    def open_end(self, text: str, at: int) -> int:
        """Where the first tail of the text begins that more text could make a (longer) match; its length if none."""
        size = len(text)
        at = max(at, size - self.longest + 1)
        while (start := self._next_beginning(text, at, size)) is not None:
            tail = size - start
            beginning = text[start : start + _WINDOW]
            if self._lengths[beginning][0] > tail:
                rest = text[start:]
                if any(len(pattern) > tail and pattern.startswith(rest) for pattern in self._patterns[beginning]):
                    return start
            at = start + 1
        for start in range(max(at, size - _WINDOW + 1), size):
            if text[start:] in self._short_beginnings:
                return start
        return size

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
