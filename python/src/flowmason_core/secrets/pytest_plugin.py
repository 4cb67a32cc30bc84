"""
For pytest: `fake_secrets`, a store in memory, and `no_secrets_printed`, which fails a test that prints or logs a
value of it. Found by itself where the package is installed.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from typing import Any, TextIO

import pytest

from .logs import RedactingStream, redact_record
from .redaction import Redactor
from .testing import FakeSecrets

_GUARDS = pytest.StashKey["SecretGuard"]()


@pytest.fixture
def fake_secrets() -> FakeSecrets:
    """An empty store; `fake_secrets.set(name, value)` fills it."""
    return FakeSecrets()


@pytest.fixture
def no_secrets_printed(request: pytest.FixtureRequest) -> SecretGuard:
    """
    Fails the test when stdout, stderr or a log record of it holds a value, in any form that the redactor knows,
    and keeps the value out of the report. It knows those of `fake_secrets`; `watch` adds a manager's.
    """
    guard = SecretGuard()
    if "fake_secrets" in request.fixturenames:
        guard.watch(request.getfixturevalue("fake_secrets"))
    request.node.stash[_GUARDS] = guard
    return guard


class SecretGuard:
    """What a test must not print, and where it did."""

    def __init__(self) -> None:
        self._redactors: list[Redactor] = [Redactor()]
        self.leaks: list[str] = []

    def __repr__(self) -> str:
        return f"SecretGuard({len(self.leaks)} leaks)"

    def add(self, value: str) -> None:
        """Watches for a value."""
        self._redactors[0].add_value(value)

    def watch(self, secrets: Any) -> None:
        """Watches for every value that a manager gives out, now and later."""
        self._redactors.append(secrets.redactor)

    def redact(self, text: str) -> str:
        """The text without what is watched for."""
        for redactor in self._redactors:
            text = redactor.redact(text)
        return text

    def note(self, text: str, where: str) -> None:
        """Remembers a leak, if the text is one."""
        redacted = self.redact(text)
        if redacted != text:
            line = next(line for line in redacted.splitlines() if "****...****" in line)
            self.leaks.append(f"{where}: {line[:200]}")


class _GuardRedactor(Redactor):
    """A redactor of all that a guard watches for, which tells the guard what it found."""

    def __init__(self, guard: SecretGuard, where: str) -> None:
        super().__init__()
        self._guard = guard
        self._where = where

    def redact(self, text: str) -> str:
        self._guard.note(text, self._where)
        return self._guard.redact(text)


class _Tee(RedactingStream):
    """Passes text on as it is and remembers it: a value may come in pieces, so it is searched at the end."""

    def __init__(self, inner: TextIO) -> None:
        super().__init__(Redactor(), inner)
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        self._inner.write(text)
        return len(text)


class _Watch(logging.Handler):
    def __init__(self, guard: SecretGuard) -> None:
        super().__init__(level=0)
        self._redactor = _GuardRedactor(guard, "log")

    def emit(self, record: logging.LogRecord) -> None:
        redact_record(self._redactor, logging.makeLogRecord(record.__dict__))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Watches from when every fixture is set up, `capsys` too, so that nothing is put over the streams after it."""
    guard = pyfuncitem.stash.get(_GUARDS, None)
    if guard is None:
        return (yield)
    tees = {"stdout": _Tee(sys.stdout), "stderr": _Tee(sys.stderr)}
    before = {name: getattr(sys, name) for name in tees}
    watch = _Watch(guard)
    for name, tee in tees.items():
        setattr(sys, name, tee)
    logging.getLogger().addHandler(watch)
    try:
        return (yield)
    finally:
        logging.getLogger().removeHandler(watch)
        for name, tee in tees.items():
            setattr(sys, name, before[name])
            guard.note("".join(tee.written), name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fails the test for its leaks, and takes values out of what is shown of it."""
    report = yield
    guard = item.stash.get(_GUARDS, None)
    if guard is None:
        return report
    for title, content in report.sections:
        guard.note(content, title)
    report.sections = [(title, guard.redact(content)) for title, content in report.sections]
    if report.longrepr is not None and not isinstance(report.longrepr, tuple):
        shown = str(report.longrepr)
        if guard.redact(shown) != shown:
            report.longrepr = guard.redact(shown)
    if guard.leaks and call.when == "call":
        report.outcome = "failed"
        leaks = "\n".join(dict.fromkeys(guard.leaks))
        failure = f"\n\n{report.longrepr}" if report.longrepr is not None else ""
        report.longrepr = f"The test printed the value of a secret:\n{leaks}{failure}"
    return report
