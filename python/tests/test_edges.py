"""What few do, and what must not go wrong when they do."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, NamedTuple

import httpx
import pytest

from flowmason_core.secrets import InvalidReference, Redactor, SecretsManager, redacting
from flowmason_core.secrets.testing import FakeSecrets
from flowmason_core.secrets.transport import HttpTransport

from .mock_server import FAST, SETTINGS, TOKEN, values

VALUE = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"
MASK = "sk-****...****"


class Pair(NamedTuple):
    url: str
    key: str


@pytest.mark.anyio
async def test_tuples_keep_their_type() -> None:
    secrets = FakeSecrets({"a": VALUE})
    config = {"pair": Pair("u", "{{secrets.a}}"), "plain": ("{{secrets.a}}",)}
    resolved = await secrets.resolve(config)
    assert resolved == {"pair": Pair("u", VALUE), "plain": (VALUE,)}
    assert isinstance(resolved["pair"], Pair)


@pytest.mark.anyio
@pytest.mark.parametrize("key", [1, None, True, ("a", "b")])
async def test_a_reference_under_a_key_that_json_has_not(key: Any) -> None:
    secrets = FakeSecrets({"a": VALUE})
    with pytest.raises(InvalidReference) as refused:
        await secrets.resolve({"x": {key: ["u {{secrets.a}}"]}})
    assert refused.value.paths == ("$.x",)
    assert secrets.requests == 0
    assert await secrets.resolve({key: "no reference"}) == {key: "no reference"}


@pytest.mark.anyio
async def test_a_connection_is_kept_until_the_last_lets_go() -> None:
    closed: list[bool] = []

    class Counting(httpx.MockTransport):
        async def aclose(self) -> None:
            closed.append(True)

    mock = Counting(lambda request: values(request, a=VALUE))
    secrets = SecretsManager(transport=HttpTransport(SETTINGS, retry=FAST, transport=mock), cache_ttl=0)
    async with secrets:
        async with secrets:
            assert await secrets.get("a") == VALUE
        assert closed == []
        assert await secrets.get("a") == VALUE
    assert closed == [True]
    assert await secrets.get("a") == VALUE


def test_a_managers_own_credential_is_redacted() -> None:
    assert SecretsManager(SETTINGS).redactor.redact(f"authorization: Bearer {TOKEN}") == (
        "authorization: Bearer ****...****"
    )


def test_bytes_are_redacted_and_otherwise_left_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(below, encoding="utf-8", write_through=True))
    noise = os.urandom(5000) + "ü€😀".encode()
    with redacting(Redactor([VALUE, "pä€ssword-😀"])):
        for data in (b"key ", VALUE.encode()[:9], VALUE.encode()[9:], b" end\n"):
            assert sys.stdout.buffer.write(data) == len(data)
        for byte in "pä€ssword-😀\n".encode():
            sys.stdout.buffer.write(bytes([byte]))
        for at in range(0, len(noise), 7):
            sys.stdout.buffer.write(memoryview(noise)[at : at + 7])
        sys.stdout.buffer.write(b"sk-live-")
        sys.stdout.buffer.flush()
    assert below.getvalue() == f"key {MASK} end\n****...****\n".encode() + noise + b"sk-live-"


def test_a_stream_without_bytes_below(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.StringIO()
    monkeypatch.setattr(sys, "stdout", below)
    with redacting(Redactor([VALUE])):
        assert not hasattr(sys.stdout, "buffer")
        print(VALUE)
    assert below.getvalue() == f"{MASK}\n"
