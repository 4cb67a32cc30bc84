"""The way to the server: settings, retries, refusals, and what never leaves with an error."""

from __future__ import annotations

import anyio
import httpx
import pytest

from flowmason_core.secrets import (
    SecretsError,
    SecretsManager,
    Unavailable,
)
from flowmason_core.secrets.retry import Retry
from flowmason_core.secrets.transport import HttpTransport

from .mock_server import SETTINGS, TOKEN, manager_of, values


@pytest.mark.anyio
async def test_it_asks_again_while_the_server_is_away() -> None:
    answers: list[httpx.Response | Exception] = [
        httpx.ConnectError("no"),
        httpx.Response(503, headers={"retry-after": "1"}, json={"code": "unavailable"}),
    ]

    def handle(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert str(request.url) == "https://secrets.example.com/api/v1/resolve"
        answer = answers.pop(0) if answers else values(request, key="value-1234")
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert await manager_of(handle).get("key") == "value-1234"


@pytest.mark.anyio
async def test_it_gives_up_in_time() -> None:
    count = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(503, headers={"retry-after": "7"}, json={"code": "unavailable", "request_id": "r-1"})

    with pytest.raises(Unavailable) as failure:
        await manager_of(handle).get("key")
    assert (count, failure.value.request_id, failure.value.retry_after) == (3, "r-1", 7)

    async def never() -> None:
        await anyio.sleep(60)

    with pytest.raises(Unavailable, match="within"):
        await Retry(seconds=0.05).run(never)


def test_the_wait_grows_by_chance_and_honours_the_server() -> None:
    retry = Retry(base=0.2, longest=5)
    assert 0.1 <= retry.wait(0, None) <= 0.2
    assert 0.4 <= retry.wait(2, None) <= 0.8
    assert 2.5 <= retry.wait(20, None) <= 5
    assert retry.wait(0, 3) == 3
    assert retry.wait(0, 3600) == 5


@pytest.mark.anyio
@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, text="value-1234 is no JSON"),
        httpx.Response(200, json=["value-1234"]),
        httpx.Response(200, json={"config": {"other": "value-1234"}}),
        httpx.Response(302, headers={"location": "https://elsewhere.example.com"}),
        httpx.Response(500, text="value-1234"),
        httpx.Response(422, json={"code": "unresolved_references", "references": "value-1234"}),
    ],
    ids=["no json", "a list", "other config", "redirect", "500", "odd problem"],
)
async def test_what_is_no_answer_is_an_error_without_its_text(response: httpx.Response) -> None:
    with pytest.raises(SecretsError) as failure:
        await manager_of(lambda request: response).get("key")
    shown = repr((failure.value, vars(failure.value), failure.value.__context__, failure.value.__cause__))
    assert "value-1234" not in shown
    assert TOKEN not in shown


@pytest.mark.anyio
async def test_every_page_of_a_list_comes_from_the_same_server() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert request.url.host == "secrets.example.com"
        if "cursor=2" in str(request.url):
            return httpx.Response(200, json=[{"name": "b"}])
        link = '<https://elsewhere.example.com/api/v1/secrets?limit=1000&cursor=2>; rel="next"'
        return httpx.Response(200, json=[{"name": "a"}], headers={"link": link})

    assert [each["name"] for each in await manager_of(handle).list()] == ["a", "b"]


def test_the_sync_face() -> None:
    count = 0

    def handle(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return values(request, key="value-1234")

    transport = HttpTransport(SETTINGS, transport=httpx.MockTransport(handle))
    secrets = SecretsManager.sync(transport=transport)
    assert secrets.get("key") == secrets.get("key") == "value-1234"
    assert secrets.resolve({"a": "{{secrets.key}}"}) == {"a": "value-1234"}
    assert secrets.use("key", lambda value: value[:5]) == "value"
    assert repr(secrets) == "SyncSecrets(****)"
    assert count == 2

    async def within_a_loop() -> str:
        return secrets.get("key")

    assert anyio.run(within_a_loop) == "value-1234"
