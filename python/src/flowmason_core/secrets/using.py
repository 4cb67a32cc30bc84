"""Which exceptions say that the other side refused a secret."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .errors import AuthenticationFailed, SecretsError


def is_authentication_failure(error: BaseException) -> bool:
    """
    True for `AuthenticationFailed`; for an exception whose `status_code`, `status` or `code`, or whose
    `response`'s, is 401 or 403 (httpx, requests, aiohttp, urllib, the OpenAI and Anthropic clients); for an AWS
    error that names an invalid key; and for a database's `sqlstate` or `pgcode` of class 28.
    """
    if isinstance(error, AuthenticationFailed):
        return True
    if isinstance(error, SecretsError):
        return False  # ours: it was the store that refused, and asking it again would not help
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        code = response.get("Error", {}).get("Code")
        return code in ("InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException", "AccessDenied")
    for holder in (error, response):
        for name in ("status_code", "status", "code"):
            if getattr(holder, name, None) in (401, 403):
                return True
    state = getattr(error, "sqlstate", None) or getattr(error, "pgcode", None)
    return isinstance(state, str) and state.startswith("28")


async def call(fn: Callable[[str], Any], value: str) -> Any:
    """Calls a function of either colour."""
    result = fn(value)
    return await result if inspect.isawaitable(result) else result
