"""The ways to the server. HTTPS here; a direct Lambda invoke in `lambda_transport`."""

from __future__ import annotations

import builtins
import itertools
import re
import ssl
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from anyio.lowlevel import RunVar

from .errors import SecretsError, Unavailable, Unsupported
from .numbers import parse_json
from .problems import error_of
from .retry import Retry
from .settings import Settings, is_loopback

JSON = Any
_NEXT = re.compile(r'<([^<>]*)>\s*;\s*rel="?next"?')
_CONNECT_SECONDS = 5.0
_READ_SECONDS = 15.0
_MAX_PAGES = 1000
# A RunVar is known by its name alone, so each of ours needs one of its own.
_numbers = itertools.count()


class Transport(Protocol):
    """What the manager needs of the server. Every method raises the errors of `errors`, never another's."""

    async def resolve(self, config: JSON) -> Reply:
        """A config with its references replaced, or why not."""

    async def check(self, config: JSON) -> Reply:
        """What each reference of a config would find. Nothing is opened."""

    async def list(self) -> builtins.list[JSON]:
        """The metadata of every secret that could resolve here."""

    async def open(self) -> None:
        """Keeps connections until `close`, within this event loop."""

    async def close(self) -> None:
        """Ends what `open` began."""


class Reply:
    """A JSON answer, or the problem document of a refusal. Its repr shows neither."""

    __slots__ = ("body", "status")

    def __init__(self, status: int, body: JSON) -> None:
        self.status = status
        self.body = body

    def __repr__(self) -> str:
        return f"Reply({self.status})"

    @property
    def ok(self) -> bool:
        """Whether it is an answer."""
        return 200 <= self.status < 300


class HttpTransport:
    """
    The HTTP API. Certificates are verified always; redirects are not followed, since they could lead the
    credential elsewhere; a proxy of the environment is used for https only.
    """

    def __init__(
        self, settings: Settings, *, retry: Retry | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        if settings.api_url is None or settings.credential is None:
            raise Unsupported("This needs FM_API_URL with FM_RUN_TOKEN or FM_API_KEY.")
        self._base = settings.api_url.rstrip("/") + "/api/v1"
        self._place = settings.place()
        self._authorization = f"Bearer {settings.credential}"
        self._retry = retry or Retry()
        self._transport = transport
        self._loopback = is_loopback(urlsplit(settings.api_url).hostname or "")
        self._tls: ssl.SSLContext | None = None
        # The client of this event loop, and how many have it open.
        self._opened: RunVar[tuple[httpx.AsyncClient, int] | None] = RunVar(
            f"flowmason_secrets_client_{next(_numbers)}"
        )

    def __repr__(self) -> str:
        return f"HttpTransport({self._base!r})"

    async def resolve(self, config: JSON) -> Reply:
        """POST /resolve"""
        return await self._send("POST", "/resolve", {"config": config, **self._place})

    async def check(self, config: JSON) -> Reply:
        """POST /resolve/check"""
        return await self._send("POST", "/resolve/check", {"config": config, **self._place})

    async def list(self) -> builtins.list[JSON]:
        """GET /secrets, page after page."""
        found: builtins.list[JSON] = []
        path: str | None = "/secrets?limit=1000"
        for _ in range(_MAX_PAGES):
            if path is None:
                return found
            links: builtins.list[str] = []
            reply = await self._send("GET", path, None, links)
            if not reply.ok:
                raise error_of(reply.body, reply.status)
            if not isinstance(reply.body, builtins.list):
                raise Unavailable("The server's answer is no list.", code="invalid_answer")
            found += reply.body
            path = _next_page(links)
        raise Unavailable(f"The list has more than {_MAX_PAGES} pages.", code="invalid_answer")

    async def open(self) -> None:
        """Keeps one client for this event loop, for all that open it."""
        opened = self._opened.get(None)
        client, holders = (self._client(), 0) if opened is None else opened
        self._opened.set((client, holders + 1))

    async def close(self) -> None:
        """Closes it when the last of them does."""
        opened = self._opened.get(None)
        if opened is None:
            return
        client, holders = opened
        self._opened.set((client, holders - 1) if holders > 1 else None)
        if holders == 1:
            await client.aclose()

    def _client(self) -> httpx.AsyncClient:
        if self._tls is None and not self._base.startswith("http:"):
            self._tls = httpx.create_ssl_context()
        return httpx.AsyncClient(
            verify=self._tls or True,
            timeout=httpx.Timeout(_READ_SECONDS, connect=_CONNECT_SECONDS),
            follow_redirects=False,
            # Over loopback a proxy would be sent the credential in the clear.
            trust_env=not self._loopback,
            transport=self._transport,
        )

    async def _send(self, method: str, path: str, body: JSON, links: builtins.list[str] | None = None) -> Reply:
        opened = self._opened.get(None)
        if opened is not None:
            return await self._retry.run(lambda: self._attempt(opened[0], method, path, body, links))
        async with self._client() as client:
            return await self._retry.run(lambda: self._attempt(client, method, path, body, links))

    async def _attempt(
        self, client: httpx.AsyncClient, method: str, path: str, body: JSON, links: builtins.list[str] | None
    ) -> Reply:
        headers = {"authorization": self._authorization, "accept": "application/json"}
        failure: SecretsError | None = None
        reply = Reply(0, None)
        try:
            response = await client.request(method, self._base + path, headers=headers, json=body)
            reply = Reply(response.status_code, _json_of(response))
            retry_after = _seconds(response.headers.get("retry-after"))
            if links is not None:
                links += _NEXT.findall(response.headers.get("link", ""))
            if response.status_code in (429, 502, 503, 504):
                problem = reply.body if isinstance(reply.body, dict) else {}
                failure = error_of(problem, response.status_code)
                if isinstance(failure, Unavailable):
                    failure.retry_after = retry_after
        except httpx.HTTPError as error:
            failure = Unavailable(f"The server could not be reached ({type(error).__name__}).")
        except (TypeError, ValueError, RecursionError):
            failure = SecretsError("The config cannot be written as JSON.", code="validation")
        # Raised here and not above: the library's errors hold the request with its credential, and ours would
        # carry them along as their context.
        if failure is not None:
            raise failure
        if not reply.ok and not isinstance(reply.body, dict):
            return Reply(reply.status, {})
        return reply


def _json_of(response: httpx.Response) -> JSON:
    """The body; None when it is no JSON, whose error would hold all of its text."""
    try:
        return parse_json(response.content)
    except (ValueError, RecursionError):
        return None


def _seconds(header: str | None) -> float | None:
    return float(header) if header is not None and re.fullmatch(r"[0-9]{1,6}", header) else None


def _next_page(links: builtins.list[str]) -> str | None:
    """Only the query of a link is followed: the credential goes to the server it is for."""
    if not links:
        return None
    query = urlsplit(links[-1]).query
    return f"/secrets?{query}" if query else None
