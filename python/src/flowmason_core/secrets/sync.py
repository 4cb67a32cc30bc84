"""The manager for scripts that have no event loop."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar

from anyio.from_thread import start_blocking_portal

from .cache import MISSING
from .metadata import SecretMetadata
from .using import is_authentication_failure

if TYPE_CHECKING:
    from .manager import SecretsManager
    from .redaction import Redactor
    from .references import Version
    from .value import SecretBytes

T = TypeVar("T")


class SyncSecrets:
    """
    Each call runs in an event loop of its own thread and leaves nothing behind, so it works in a script, in a
    worker thread, and even where another loop is running (which it then blocks).
    """

    def __init__(self, manager: SecretsManager) -> None:
        self._manager = manager
        manager.refreshes_ahead = False

    def __repr__(self) -> str:
        return "SyncSecrets(****)"

    @property
    def redactor(self) -> Redactor:
        """Knows every value that was given out."""
        return self._manager.redactor

    def get(self, name: str, *, version: Version | None = None, default: Any = MISSING) -> str:
        """See `SecretsManager.get`."""
        return _wait(lambda: self._manager.get(name, version=version, default=default))

    def get_bytes(self, name: str, *, version: Version | None = None) -> SecretBytes:
        """See `SecretsManager.get_bytes`."""
        return _wait(lambda: self._manager.get_bytes(name, version=version))

    def list(self) -> builtins.list[SecretMetadata]:
        """See `SecretsManager.list`."""
        return _wait(self._manager.list)

    def exists(self, name: str) -> bool:
        """See `SecretsManager.exists`."""
        return _wait(lambda: self._manager.exists(name))

    def resolve(self, config: Any) -> Any:
        """See `SecretsManager.resolve`."""
        return _wait(lambda: self._manager.resolve(config))

    def prefetch(self, config: Any) -> None:
        """See `SecretsManager.prefetch`."""
        _wait(lambda: self._manager.prefetch(config))

    def use(
        self,
        name: str,
        fn: Callable[[str], T],
        *,
        is_failure: Callable[[BaseException], bool] = is_authentication_failure,
    ) -> T:
        """See `SecretsManager.use`; `fn` is called in the thread of the loop."""
        return _wait(lambda: self._manager.use(name, fn, is_failure=is_failure))


def _wait(call: Callable[[], Awaitable[T]]) -> T:
    with start_blocking_portal() as portal:
        return portal.call(call)
