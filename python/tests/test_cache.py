"""What is kept, how long, and what a denial does to it."""

from __future__ import annotations

import json

import anyio
import httpx
import pytest

from flowmason_core.secrets import AccessDenied, SecretsManager, Unauthenticated
from flowmason_core.secrets.transport import HttpTransport

from .mock_server import FAST, SETTINGS, manager_of, values


@pytest.mark.anyio
async def test_nothing_is_served_past_a_denial() -> None:
    now = 200

    def handle(request: httpx.Request) -> httpx.Response:
        if now != 200:
            return httpx.Response(now, json={"code": {401: "unauthenticated", 403: "forbidden"}[now]})
        return values(request, a="value-aaaa", b="value-bbbb")

    for status, error in ((401, Unauthenticated), (403, AccessDenied)):
        now = 200
        secrets = manager_of(handle)
        assert await secrets.get("a") == "value-aaaa"
        now = status
        assert await secrets.get("a") == "value-aaaa"
        with pytest.raises(error):
            await secrets.get("b")
        with pytest.raises(error):
            await secrets.get("a")


@pytest.mark.anyio
async def test_an_answer_from_before_a_denial_is_not_kept() -> None:
    flying, denied = anyio.Event(), anyio.Event()
    asked: list[str] = []

    async def handle(request: httpx.Request) -> httpx.Response:
        key = json.loads(request.content)["config"]["value"][10:-2]
        asked.append(key)
        if key == "slow" and asked.count("slow") == 1:
            flying.set()
            await denied.wait()
        if key == "bad":
            return httpx.Response(403, json={"code": "forbidden"})
        return values(request, slow="value-slow")

    transport = HttpTransport(SETTINGS, retry=FAST, transport=httpx.MockTransport(handle))
    secrets = SecretsManager(transport=transport)

    async def deny() -> None:
        await flying.wait()
        with pytest.raises(AccessDenied):
            await secrets.get("bad")
        denied.set()

    async with anyio.create_task_group() as group:
        group.start_soon(secrets.get, "slow")
        group.start_soon(deny)
    await secrets.get("slow")
    assert asked.count("slow") == 2


@pytest.mark.anyio
async def test_the_cache_is_bounded_and_can_be_off() -> None:
    count = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return values(request, **{name: f"value-{name}" for name in "abc"})

    secrets = manager_of(handle, cache_entries=2)
    for name in "abcb":
        await secrets.get(name)
    assert count == 3
    await secrets.get("a")
    assert count == 4
    without = manager_of(handle, cache_ttl=0)
    await without.get("a")
    await without.get("a")
    assert count == 6


@pytest.mark.anyio
async def test_a_flight_that_is_cancelled_is_flown_by_another() -> None:
    count = 0

    async def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        if count == 1:
            await anyio.sleep_forever()
        return values(request, key="value-1234")

    transport = HttpTransport(SETTINGS, retry=FAST, transport=httpx.MockTransport(handle))
    secrets = SecretsManager(transport=transport)
    got: list[str] = []

    async def first() -> None:
        with anyio.move_on_after(0.1):
            await secrets.get("key")

    async def second() -> None:
        await anyio.sleep(0.02)
        got.append(await secrets.get("key"))

    async with anyio.create_task_group() as group:
        group.start_soon(first)
        group.start_soon(second)
    assert (got, count) == (["value-1234"], 2)
