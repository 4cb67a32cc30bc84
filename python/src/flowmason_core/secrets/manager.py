"""`SecretsManager`: a run's own view of the store."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, overload

from .cache import MISSING, Cache, Flights, in_background
from .errors import (
    AccessDenied,
    AuthenticationFailed,
    SecretNotFound,
    SecretsError,
    UnresolvedReferences,
)
from .lambda_transport import LambdaTransport
from .metadata import SecretMetadata
from .plan import Answer, local_answer, plan_config
from .problems import error_of
from .redaction import Redactor
from .references import Version, key_of
from .settings import Settings
from .transport import HttpTransport, Reply, Transport
from .using import call, is_authentication_failure
from .value import SecretBytes, SecretValue

if TYPE_CHECKING:
    from .sync import SyncSecrets

T = TypeVar("T")


class SecretsManager:
    """
    The secrets that a pipeline's run may use. Settings come from the environment, see `Settings`.

    Values are cached for `cache_ttl` seconds, `cache_entries` of them at most, and forgotten at a denial; near the
    end of its time a value that is asked for is fetched anew in the background. It always is resolved again: a
    check of its version alone would take a secret that was deleted and made anew for the old one.

    As `async with SecretsManager() as secrets:` it keeps its connection; without, it needs no closing. One manager
    serves any number of tasks, under asyncio and trio. `redactor` knows every value that it gave out.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        transport: Transport | None = None,
        cache_ttl: float = 60.0,
        cache_entries: int = 1000,
        redactor: Redactor | None = None,
    ) -> None:
        if transport is None:
            settings = settings or Settings.from_env()
            transport = _transport_for(settings)
        self._transport = transport
        # Of the run that these secrets are for; None when the environment does not say.
        self.run_id = settings.run_id if settings is not None else None
        self._cache = Cache(cache_ttl, cache_entries)
        self._flights = Flights(self._cache)
        # Not where no event loop lives on after a call: see `SyncSecrets`.
        self.refreshes_ahead = True
        self.redactor = redactor if redactor is not None else Redactor()
        for credential in (settings.run_token, settings.api_key) if settings is not None else ():
            if credential is not None:
                self.redactor.add(credential)

    @classmethod
    def sync(cls, *args: Any, **kwargs: Any) -> SyncSecrets:
        """The same for scripts without an event loop; takes what `SecretsManager` takes."""
        from .sync import SyncSecrets

        return SyncSecrets(cls(*args, **kwargs))

    def __repr__(self) -> str:
        return "SecretsManager(****)"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a SecretsManager is not pickled: make one where it is used")

    def __copy__(self) -> SecretsManager:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SecretsManager:
        return self

    async def __aenter__(self) -> SecretsManager:
        await self._transport.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.close()

    async def get(self, name: str, *, version: Version | None = None, default: Any = MISSING) -> str:
        """
        A secret's value, as text (a secret of bytes: in base64).

        :param version: an older one by its number, or `"previous"` while a rotation keeps it
        :param default: what to return when there is no such secret here; other errors are raised all the same
        :raises SecretNotFound: nothing of this name serves this pipeline, user and environment
        :raises AccessDenied, Unavailable, InvalidReference: see each
        """
        key = key_of(name, version)
        try:
            return await self._value(key)
        except SecretNotFound:
            if default is MISSING:
                raise
        fallback: str = default
        return fallback

    async def get_bytes(self, name: str, *, version: Version | None = None) -> SecretBytes:
        """
        A secret's value as the bytes that were stored, whether as text or as base64.

        :raises SecretNotFound, AccessDenied, Unavailable, InvalidReference: as `get`
        """
        return (await self._value(key_of(name, version))).to_bytes()

    async def list(self) -> builtins.list[SecretMetadata]:
        """Metadata of the secrets that could resolve here, by name; never a value."""
        found: builtins.list[SecretMetadata] = await self._guarded(self._transport.list())
        return found

    async def exists(self, name: str) -> bool:
        """Whether `get(name)` would find something here. Nothing is opened."""
        key_of(name, None)
        reply = await self._guarded(self._transport.check({"value": f"{{{{secrets.{name}}}}}"}))
        if not reply.ok:
            raise self._refused(reply)
        try:
            found: object = reply.body["references"][0]["found"]
        except (KeyError, IndexError, TypeError):
            found = None
        if not isinstance(found, bool):
            raise SecretsError("The server's answer is no check.", code="invalid_answer")
        return found

    async def resolve(self, config: Any) -> Any:
        """
        A copy of a config with every reference replaced, by one request.

        :raises SecretNotFound: listing every reference that nothing serves, with all of its places
        """
        return (await self.fetch(config)).fill(config)

    async def prefetch(self, config: Any) -> None:
        """Fetches, by one request, what a config refers to, so that `get` finds it in the cache."""
        await self.fetch(config)

    @overload
    async def use(
        self, name: str, fn: Callable[[str], Awaitable[T]], *, is_failure: Callable[[BaseException], bool] = ...
    ) -> T: ...

    @overload
    async def use(
        self, name: str, fn: Callable[[str], T], *, is_failure: Callable[[BaseException], bool] = ...
    ) -> T: ...

    async def use(
        self,
        name: str,
        fn: Callable[[str], Any],
        *,
        is_failure: Callable[[BaseException], bool] = is_authentication_failure,
    ) -> Any:
        """
        Calls `fn` with the value. When it raises an authentication failure, the secret may have been rotated
        since it was cached, or not yet where it is used: `fn` is called once more with a value fetched anew, if
        that is another one, and then with the previous version, while that is kept.

        :param fn: a function of the value, plain or async; at most three calls
        :param is_failure: which exceptions count; else those of `is_authentication_failure`
        """
        tried: builtins.list[str] = []
        failure: Exception = AuthenticationFailed()
        for source in (self.get, self._fresh, self._previous):
            value = await source(name)
            if value is None or value in tried:
                continue
            tried.append(value)
            try:
                return await call(fn, value)
            except Exception as error:
                if not is_failure(error):
                    raise
                failure = error
        raise failure

    async def fetch(self, config: Any, ticket: int | None = None) -> Answer:
        """Asks for all references of a config at once, and keeps them. Most callers want `resolve`."""
        plan = plan_config(config)
        answer = local_answer(config)
        if plan.request is None:
            return answer
        if ticket is None:
            ticket = self._cache.ticket()
        reply = await self._guarded(self._transport.resolve(plan.request))
        if not reply.ok:
            raise self._refused(reply, plan.own_path)
        body = reply.body if isinstance(reply.body, dict) else {}
        taken = plan.take(body.get("config"), _keys_of_bytes(body))
        for key, value in taken.values.items():
            self.redactor.add_value(value)
            if "." not in key:
                self._cache.put(key, value, ticket)
        answer.values.update(taken.values)
        answer.texts.update(taken.texts)
        return answer

    async def _value(self, key: str) -> SecretValue:
        value: SecretValue
        value, is_aging = self._cache.get(key)
        if value is MISSING:
            value = await self._fly(key)
        elif is_aging and self.refreshes_ahead:
            # A denial clears the cache; any other failure is met when the value's time is over.
            in_background(lambda: self._refresh(key))
        return value

    async def _refresh(self, key: str) -> None:
        # Others may have asked for the same before this began.
        if self._cache.get(key)[1]:
            await self._fly(key)

    async def _fly(self, key: str) -> SecretValue:
        value: SecretValue = await self._flights.fetch(key, lambda ticket: self._ask(key, ticket))
        return value

    async def _ask(self, key: str, ticket: int) -> SecretValue:
        answer = await self.fetch({"value": f"{{{{secrets.{key}}}}}"}, ticket)
        value: SecretValue = answer.values[key]
        return value

    async def _fresh(self, name: str) -> str | None:
        self._cache.drop(name)
        return await self._value(name)

    async def _previous(self, name: str) -> str | None:
        try:
            return await self._value(f"{name}@previous")
        except UnresolvedReferences:
            return None

    async def _guarded(self, operation: Awaitable[T]) -> T:
        try:
            return await operation
        except AccessDenied:
            self._cache.clear()
            raise

    def _refused(self, reply: Reply, own_path: Callable[[str], str] = lambda path: path) -> SecretsError:
        error = error_of(reply.body, reply.status, own_path)
        if isinstance(error, AccessDenied):
            self._cache.clear()
        if isinstance(error, UnresolvedReferences):
            for name in error.names:
                self._cache.drop(name)
        return error


def _keys_of_bytes(body: dict[str, Any]) -> set[str]:
    """The references that the server answers in base64, since their secrets hold bytes."""
    used = body.get("secrets")
    return {
        key
        for each in (used if isinstance(used, builtins.list) else [])
        if isinstance(each, dict) and each.get("encoding") == "base64"
        for key in each.get("references", [])
    }


def _transport_for(settings: Settings) -> Transport:
    return LambdaTransport(settings) if settings.resolve_function is not None else HttpTransport(settings)
