"""Takes values out of text: whole, in every form they are known to turn up in, and across the borders of chunks."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable
from typing import Any

from .derived import byte_forms_of, forms_of, mask_of, texts_in, why_left_alone
from .matcher import Matcher
from .value import Base64Value


class Redactor:
    """
    Knows values and replaces them, and what is derived from them, by a mask of one width:
    `sk-****...****`. Values under eight characters, and such as stand in every log, are left alone;
    `left_alone` counts them, so that their owner can be told.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._matcher = Matcher()
        self._known: set[int] = set()
        self._lock = threading.Lock()
        self.left_alone: dict[str, int] = {"short": 0, "common": 0}
        for value in values:
            self.add(value)

    def __repr__(self) -> str:
        return f"Redactor({len(self._known)} values)"

    def add(self, value: str) -> str | None:
        """Learns a value. :returns: why it is left alone, `"short"` or `"common"`; None when it is redacted"""
        reason = why_left_alone(value)
        with self._lock:
            # By its hash alone: one in 2^61 values would be taken for known, and no copy more is kept.
            fingerprint = hash(str(value))
            if fingerprint in self._known:
                return reason
            self._known.add(fingerprint)
            if reason is not None:
                self.left_alone[reason] += 1
                return reason
            mask = mask_of(value)
            for _, form in forms_of(str(value)):
                self._matcher.add(form, mask)
        return None

    def add_bytes(self, data: bytes) -> str | None:
        """Learns bytes: as the text that they are, or else as others write bytes that are none."""
        data = bytes(data)  # plain, so that its repr is a form of it
        try:
            return self.add_value(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
        # As text of any kind, a text of this length would be left alone for the same reason.
        reason = why_left_alone(data.decode("latin-1"))
        with self._lock:
            for form in byte_forms_of(data) if reason is None else ():
                self._matcher.add(form, mask_of(""))
        return reason

    def add_value(self, value: Any) -> str | None:
        """Learns what a secret holds: its text; when that is JSON, each string within; when it is base64, the bytes."""
        if isinstance(value, Base64Value):
            self.add_bytes(value.to_bytes())
        first, *within = texts_in(value)
        reason = self.add(first)
        for text in within:
            self.add(text)
        return reason

    def redact(self, text: str) -> str:
        """The text without the values; the same object when there were none."""
        size = len(text)
        found = self._matcher.find(text, 0, size)
        if found is None:
            return text
        parts: list[str] = []
        done = 0
        while found is not None:
            start, end, mask = found
            parts += [text[done:start], mask]
            done = end
            found = self._matcher.find(text, done, size)
        parts.append(text[done:])
        return "".join(parts)

    def stream(self) -> StreamRedactor:
        """For text that comes in chunks."""
        return StreamRedactor(self._matcher)

    def scrub(self, data: Any) -> Any:
        """A copy of JSON-like data without the values, in keys too; other objects stay as they are."""
        if isinstance(data, str):
            # Also plain: what was sealed needs no seal any more.
            return self.redact(str(data))
        if isinstance(data, (bytes, bytearray)):
            text = bytes(data).decode("utf-8", "surrogateescape")
            redacted = self.redact(text)
            return data if redacted is text else type(data)(redacted.encode("utf-8", "surrogateescape"))
        if type(data) in (int, float):
            # A field of a secret may be a number.
            text = json.dumps(data)
            return data if self.redact(text) is text else mask_of("")
        if isinstance(data, dict):
            return {self.scrub(key): self.scrub(value) for key, value in data.items()}
        if type(data) in (list, tuple, set, frozenset):
            return type(data)(self.scrub(member) for member in data)
        if hasattr(data, "model_dump"):
            return self.scrub(data.model_dump())
        return data

    def scrub_exception(self, error: BaseException) -> BaseException:
        """
        Takes the values out of an exception and of all that it was caused by, in place: their arguments, and
        what they hold besides. A local variable of a frame stays: nothing can be taken out of there.
        """
        seen: set[int] = set()
        pending: list[BaseException | None] = [error]
        while pending:
            at = pending.pop()
            if at is None or id(at) in seen:
                continue
            seen.add(id(at))
            pending += [at.__cause__, at.__context__]
            pending += getattr(at, "exceptions", ())
            at.args = tuple(_scrubbed(self, argument) for argument in at.args)
            for name, held in list(getattr(at, "__dict__", {}).items()):
                if isinstance(held, BaseException):
                    pending.append(held)
                else:
                    setattr(at, name, _scrubbed(self, held))
        return error


def _scrubbed(redactor: Redactor, data: Any) -> Any:
    return redactor.scrub(data) if isinstance(data, (str, bytes, dict, list, tuple)) else data


class StreamRedactor:
    """
    Redacts text that comes in chunks of any size, with the result that one piece would have had. It keeps back
    only what could be the beginning of a value, so a line that is none comes out at once.
    """

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._held = ""

    def __repr__(self) -> str:
        return "StreamRedactor(****)"

    def feed(self, chunk: str) -> str:
        """Takes a chunk; returns what is decided by now."""
        return self._work(self._held + chunk, final=False)

    def flush(self) -> str:
        """Returns what was kept back: nothing follows."""
        return self._work(self._held, final=True)

    def _work(self, text: str, final: bool) -> str:
        matcher = self._matcher
        parts: list[str] = []
        done = 0
        undecided = len(text) if final else matcher.open_end(text, 0)
        while (found := matcher.find(text, done, undecided)) is not None:
            start, end, mask = found
            parts += [text[done:start], mask]
            done = end
            if done > undecided:
                undecided = matcher.open_end(text, done)
        parts.append(text[done:undecided])
        self._held = text[undecided:]
        return "".join(parts)
