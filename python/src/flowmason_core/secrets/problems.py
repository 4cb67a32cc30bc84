"""The server's problem documents (RFC 9457) as this package's errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .errors import (
    AccessDenied,
    FailedReference,
    InvalidReference,
    LimitExceeded,
    SecretNotFound,
    SecretsError,
    Unauthenticated,
    Unavailable,
    UnresolvedReferences,
)

_LIMITS = {"config_too_large", "answer_too_large", "config_too_deep", "too_many_references", "body_too_large"}
# There is no such thing, as against one that cannot be used in this place.
_MISSING = {"not_found", "no_such_version", "no_previous_version", "no_pending_version"}


def error_of(
    problem: Mapping[str, Any], status: int, own_path: Callable[[str], str] = lambda path: path
) -> SecretsError:
    """
    The error for a refusal.

    :param own_path: translates a path of the server's into one of the user's config
    """
    code = _text(problem.get("code")) or _code_of(status)
    detail = _text(problem.get("detail")) or _text(problem.get("title")) or f"The server answered {status}."
    request_id = _text(problem.get("request_id"))
    if code == "unresolved_references":
        failed = _failed(problem.get("references"), own_path)
        if failed:
            missing = any(reference.code in _MISSING for reference in failed)
            kind = SecretNotFound if missing else UnresolvedReferences
            return kind(detail, references=failed, code=code, status=status, request_id=request_id)
    if code in ("validation", "unresolved_references", "malformed_request"):
        errors = _list(problem.get("errors"))
        paths = tuple(own_path(path) for error in errors if (path := _text(_member(error, "path"))))
        return InvalidReference(detail, paths=paths, code=code, status=status, request_id=request_id)
    if code in _LIMITS:
        return LimitExceeded(detail, code=code, status=status, request_id=request_id)
    if status == 401:
        return Unauthenticated(detail, code=code, status=status, request_id=request_id)
    if status == 403:
        return AccessDenied(detail, code=code, status=status, request_id=request_id)
    if status in (429, 502, 503, 504):
        return Unavailable(detail, code=code, status=status, request_id=request_id)
    return SecretsError(detail, code=code, status=status, request_id=request_id)


def _failed(references: Any, own_path: Callable[[str], str]) -> tuple[FailedReference, ...]:
    failed = []
    for entry in _list(references):
        name = _text(_member(entry, "name")) or ""
        paths = [own_path(path) for path in _list(_member(entry, "paths")) if isinstance(path, str)]
        failed.append(
            FailedReference(
                name=name,
                reference=_text(_member(entry, "reference")) or name,
                paths=tuple(dict.fromkeys(paths)),
                code=_text(_member(entry, "code")) or "internal",
                problem=_text(_member(entry, "problem")) or "it cannot be resolved",
                nearest=_text(_member(entry, "nearest")),
            )
        )
    return tuple(failed)


def _code_of(status: int) -> str:
    return {401: "unauthenticated", 403: "forbidden", 413: "body_too_large", 503: "unavailable"}.get(status, "internal")


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _member(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
