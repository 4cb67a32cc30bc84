"""Redaction in `logging`, and on the standard streams of a whole run."""

from __future__ import annotations

import codecs
import io
import logging
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from .redaction import Redactor, StreamRedactor

_OWN_ATTRIBUTES = frozenset(logging.makeLogRecord({}).__dict__)


def redact_record(redactor: Redactor, record: logging.LogRecord) -> logging.LogRecord:
    """Takes the values out of a record: message and arguments, exception and stack, and what `extra` brought."""
    try:
        message = record.getMessage()
    except Exception:
        # A message that does not fit its arguments: `logging` would print both, on stderr.
        message = str(record.msg)
    record.msg = redactor.redact(message)
    record.args = None
    if record.exc_info and record.exc_info[1] is not None:
        record.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
        # A formatter that formats exceptions itself would find the values again.
        record.exc_info = None
    if record.exc_text:
        record.exc_text = redactor.redact(record.exc_text)
    if record.stack_info:
        record.stack_info = redactor.redact(record.stack_info)
    for name in record.__dict__.keys() - _OWN_ATTRIBUTES:
        record.__dict__[name] = redactor.scrub(record.__dict__[name])
    return record


class RedactingFilter(logging.Filter):
    """On a handler (or a logger): every record that passes is redacted. It drops none."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def filter(self, record: logging.LogRecord) -> bool:
        redact_record(self._redactor, record)
        return True


class RedactingFormatter(logging.Formatter):
    """Around another formatter: redacts the line it made, whatever it put there."""

    def __init__(self, redactor: Redactor, inner: logging.Formatter | None = None) -> None:
        super().__init__()
        self._redactor = redactor
        self._inner = inner or logging.Formatter()

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self._inner.format(record))


class RedactingBuffer(io.BufferedIOBase):
    """A stream of bytes before another one: values are looked for in UTF-8, all else passes as it is."""

    def __init__(self, redactor: Redactor, inner: Any) -> None:
        super().__init__()
        self._inner = inner
        self._stream: StreamRedactor = redactor.stream()
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._lock = threading.Lock()

    def write(self, data: Any) -> int:
        raw = bytes(data)
        with self._lock:
            self._pass_on(self._stream.feed(self._decoder.decode(raw)))
        return len(raw)

    def flush(self) -> None:
        # As in `RedactingStream`.
        self._inner.flush()

    def settle(self) -> None:
        """Writes what was kept back: nothing follows."""
        with self._lock:
            self._pass_on(self._stream.feed(self._decoder.decode(b"", final=True)) + self._stream.flush())
            self._decoder.reset()
            self._inner.flush()

    def writable(self) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _pass_on(self, text: str) -> None:
        self._inner.write(text.encode("utf-8", "surrogateescape"))


class RedactingStream(io.TextIOBase):
    """A text stream before another one. A line that could not be decided stays until `flush` or the next write."""

    def __init__(self, redactor: Redactor, inner: TextIO) -> None:
        super().__init__()
        self._inner: Any = inner
        self._stream: StreamRedactor = redactor.stream()
        self._lock = threading.Lock()
        # For those who write bytes; the stream below may have none, as in a notebook.
        self._buffer = RedactingBuffer(redactor, inner.buffer) if hasattr(inner, "buffer") else None

    @property
    def buffer(self) -> RedactingBuffer:
        """The stream of bytes below, redacted too."""
        if self._buffer is None:
            raise AttributeError("buffer")
        return self._buffer

    def write(self, text: str) -> int:
        with self._lock:
            self._inner.write(self._stream.feed(text))
        return len(text)

    def flush(self) -> None:
        # What is kept back is not written by `print(..., flush=True)` in the middle of a value; `settle` does.
        self._inner.flush()

    def settle(self) -> None:
        """Writes what was kept back: nothing follows."""
        with self._lock:
            self._inner.write(self._stream.flush())
            self._inner.flush()
        if self._buffer is not None:
            self._buffer.settle()

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return bool(self._inner.isatty())

    def fileno(self) -> int:
        return int(self._inner.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _Installation:
    """What `redacting` put in place for the whole process, and who needs it: one for nested and parallel runs."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.active: list[Redactor] = []
        self.undo: list[Any] = []


_installation = _Installation()


class _AllActive(Redactor):
    """Redacts for every run that is going on."""

    def redact(self, text: str) -> str:
        for redactor in tuple(_installation.active):
            text = redactor.redact(text)
        return text


@contextmanager
def redacting(redactor: Redactor, *, streams: bool = True) -> Iterator[Redactor]:
    """
    While it lasts, log records of every logger and what is printed on `sys.stdout` and `sys.stderr` are
    redacted. It may be nested and overlap with others; the process is as before when the last one ends. Not
    covered: what a subprocess or C code writes to the file descriptors itself.

    :param streams: False for `logging` alone
    """
    with _installation.lock:
        _installation.active.append(redactor)
        if len(_installation.active) == 1:
            _install_logging()
        printed = _install_streams(redactor) if streams else []
    try:
        yield redactor
    finally:
        with _installation.lock:
            for name, stream in printed:
                stream.settle()
                _remove_stream(name, stream)
            _installation.active.remove(redactor)
            if not _installation.active:
                while _installation.undo:
                    _installation.undo.pop()()


def _install_logging() -> None:
    everything = _AllActive()
    make_record = logging.getLogRecordFactory()

    def make_redacted(*args: Any, **kwargs: Any) -> logging.LogRecord:
        return redact_record(everything, make_record(*args, **kwargs))

    def restore() -> None:
        # Another factory may have been put over ours meanwhile: it stays, and ours has nothing to redact.
        if logging.getLogRecordFactory() is make_redacted:
            logging.setLogRecordFactory(make_record)

    logging.setLogRecordFactory(make_redacted)
    _installation.undo.append(restore)
    # A record gets what `extra` brings only after it is made, so the handlers filter as well.
    for handler in _handlers():
        added = RedactingFilter(everything)
        handler.addFilter(added)
        _installation.undo.append(lambda handler=handler, added=added: handler.removeFilter(added))


def _handlers() -> list[logging.Handler]:
    loggers = [logging.getLogger(), *logging.Logger.manager.loggerDict.values()]
    handlers = [handler for logger in loggers if isinstance(logger, logging.Logger) for handler in logger.handlers]
    if not logging.getLogger().handlers and logging.lastResort is not None:
        handlers.append(logging.lastResort)
    return list({id(handler): handler for handler in handlers}.values())


def _install_streams(redactor: Redactor) -> list[tuple[str, RedactingStream]]:
    printed = []
    for name in ("stdout", "stderr"):
        stream = RedactingStream(redactor, getattr(sys, name))
        setattr(sys, name, stream)
        printed.append((name, stream))
    return printed


def _remove_stream(name: str, stream: RedactingStream) -> None:
    """Takes one out of the chain, wherever in it another run's has been put over it."""
    at: Any = getattr(sys, name)
    if at is stream:
        setattr(sys, name, stream._inner)
        return
    while isinstance(at, RedactingStream):
        if at._inner is stream:
            at._inner = stream._inner
            return
        at = at._inner
