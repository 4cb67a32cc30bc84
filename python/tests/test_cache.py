"""What is kept, how long, and what a denial does to it."""

from __future__ import annotations

import json
from collections.abc import Callable

import anyio
import httpx
import pytest

from flowmason_core.secrets import AccessDenied, SecretsManager, SyncSecrets, Unauthenticated
from flowmason_core.secrets.cache import MISSING, Cache
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
async def test_a_list_that_is_denied_forgets_everything_too() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(401, json={"code": "unauthenticated"})
        asked.append(request.url.path)
        return values(request, a="value-aaaa")

    asked: list[str] = []
    secrets = manager_of(handle)
    await secrets.get("a")
    with pytest.raises(Unauthenticated):
        await secrets.list()
    await secrets.get("a")
    assert len(asked) == 2


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


class Server:
    """Gives each key the value of the moment, by the requests that it lets through."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.value = "value-one-1111"
        self.status = 200
        self.hold: anyio.Event | None = None

    async def handle(self, request: httpx.Request) -> httpx.Response:
        key = json.loads(request.content)["config"]["value"][10:-2]
        self.asked.append(key)
        value, status = self.value, self.status
        if self.hold is not None:
            await self.hold.wait()
        if status != 200:
            return httpx.Response(status, json={"code": "forbidden"})
        return values(request, **{key: value})

    def manager(self, clock: list[float]) -> SecretsManager:
        transport = HttpTransport(SETTINGS, retry=FAST, transport=httpx.MockTransport(self.handle))
        secrets = SecretsManager(transport=transport)
        secrets._cache._clock = lambda: clock[0]
        return secrets


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(30):
        while not condition():  # noqa: ASYNC110
            await anyio.sleep(0.001)


@pytest.mark.anyio
async def test_a_value_near_the_end_of_its_time_is_fetched_anew_behind_its_user() -> None:
    server, clock = Server(), [1000.0]
    secrets = server.manager(clock)
    assert await secrets.get("key") == "value-one-1111"
    server.value = "value-two-2222"
    clock[0] += 44
    assert await secrets.get("key") == "value-one-1111"
    assert server.asked == ["key"]
    clock[0] += 2
    server.hold = anyio.Event()
    # Given out while the new one is on its way, which is asked for once.
    assert [await secrets.get("key") for _ in range(3)] == ["value-one-1111"] * 3
    await until(lambda: len(server.asked) == 2)
    assert await secrets.get("key") == "value-one-1111"
    server.hold.set()
    await until(lambda: secrets._cache.get("key")[0] == "value-two-2222")
    assert server.asked == ["key", "key"]
    # It begins its time anew, from when it came.
    clock[0] += 44
    assert await secrets.get("key") == "value-two-2222"
    assert len(server.asked) == 2


@pytest.mark.anyio
async def test_a_refresh_that_is_denied_forgets_everything_and_one_that_fails_nothing() -> None:
    server, clock = Server(), [1000.0]
    secrets = server.manager(clock)
    await secrets.get("key")
    await secrets.get("other")
    clock[0] += 46
    server.status = 500
    assert await secrets.get("key") == "value-one-1111"
    await until(lambda: server.asked.count("key") == 2)
    assert await secrets.get("other") == "value-one-1111"
    await until(lambda: server.asked.count("other") == 2)
    server.status = 403
    assert await secrets.get("key") == "value-one-1111"
    await until(lambda: secrets._cache.get("other")[0] is MISSING)
    for name in ("key", "other"):
        with pytest.raises(AccessDenied):
            await secrets.get(name)
    clock[0] += 60
    server.status = 200
    assert await secrets.get("key") == "value-one-1111"


@pytest.mark.anyio
async def test_nothing_is_joined_that_was_on_its_way_when_something_was_forgotten() -> None:
    server = Server()
    secrets = server.manager([1000.0])
    server.hold = held = anyio.Event()
    got: list[str] = []

    async def get() -> None:
        got.append(await secrets.get("key"))

    async with anyio.create_task_group() as group:
        group.start_soon(get)
        await until(lambda: len(server.asked) == 1)
        secrets._cache.drop("another")
        server.value, server.hold = "value-two-2222", None
        assert await secrets.get("key") == "value-two-2222"
        held.set()
    assert got == ["value-one-1111"]
    # And the older one is not kept, though it came later.
    assert await secrets.get("key") == "value-two-2222"
    assert len(server.asked) == 2


def test_a_script_has_nobody_behind_it() -> None:
    server, clock = Server(), [1000.0]
    secrets = server.manager(clock)
    script = SyncSecrets(secrets)
    script.get("key")
    clock[0] += 59
    assert script.get("key") == "value-one-1111"
    clock[0] += 2
    server.value = "value-two-2222"
    assert script.get("key") == "value-two-2222"
    assert len(server.asked) == 2


def test_a_clock_that_was_set_back_makes_nothing_live_longer() -> None:
    now = [1000.0]
    cache = Cache(60, 10, lambda: now[0])
    cache.put("key", "value", cache.ticket())
    assert cache.get("key") == ("value", False)
    now[0] -= 1
    assert cache.get("key") == (MISSING, False)
