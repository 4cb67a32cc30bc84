"""What can go wrong, as types. No error of this package ever holds a value or the text of an answer."""

from __future__ import annotations

from dataclasses import dataclass


class SecretsError(Exception):
    """The base of them all. `code` is the server's stable problem code, `request_id` names the request in its log."""

    code: str = "internal"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code
        self.status = status
        self.request_id = request_id

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text} (request {self.request_id})" if self.request_id else text


class SettingsError(SecretsError):
    """The environment does not say which server, or names one that is not safe to talk to."""

    code = "settings"


class Unsupported(SecretsError):
    """This way to the server has no such operation."""

    code = "unsupported"


@dataclass(frozen=True)
class FailedReference:
    """
    One reference that cannot be filled, every place that names it, and the nearest name that would resolve.
    `code` is the server's: `not_found`, `no_such_version`, `no_previous_version`, `not_json`, `no_such_field`,
    `field_too_deep`, `line_break_in_header`; `problem` says it in words.
    """

    name: str
    reference: str
    paths: tuple[str, ...]
    code: str
    problem: str
    nearest: str | None = None


class UnresolvedReferences(SecretsError):
    """Some references cannot be filled, so nothing was returned. `references` lists every one of them."""

    code = "unresolved_references"

    def __init__(
        self,
        message: str,
        *,
        references: tuple[FailedReference, ...] = (),
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.references = references

    @property
    def paths(self) -> tuple[str, ...]:
        """Every place of the config that names one of them, for example `$.stages[0].config.api_key`."""
        return tuple(path for reference in self.references for path in reference.paths)

    @property
    def names(self) -> tuple[str, ...]:
        """The names, once each."""
        return tuple(dict.fromkeys(reference.name for reference in self.references))

    @property
    def nearest(self) -> dict[str, str]:
        """For a name that means nothing here, the nearest one that does."""
        return {ref.name: ref.nearest for ref in self.references if ref.nearest is not None}

    def __str__(self) -> str:
        lines = [super().__str__()]
        for reference in self.references:
            hint = f"; did you mean {reference.nearest}?" if reference.nearest else ""
            where = ", ".join(reference.paths)
            lines.append(f"  {{{{secrets.{reference.reference}}}}} at {where}: {reference.problem}{hint}")
        return "\n".join(lines)


class SecretNotFound(UnresolvedReferences, LookupError):
    """No secret of that name, or no such version of it, serves this pipeline, user and environment."""


class InvalidReference(SecretsError, ValueError):
    """A name or a reference that the grammar does not allow. `paths` says where, when it stood in a config."""

    code = "validation"

    def __init__(
        self,
        message: str,
        *,
        paths: tuple[str, ...] = (),
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.paths = paths


class LimitExceeded(SecretsError):
    """The config is too deep or too large, has too many references, or its answer would be too large."""

    code = "config_too_large"


class AccessDenied(SecretsError):
    """The credential may not do that, or was not accepted. Nothing is kept in the cache after it."""

    code = "forbidden"


class Unauthenticated(AccessDenied):
    """The credential was not accepted: unknown, revoked, expired, or of a run that has ended."""

    code = "unauthenticated"


class Unavailable(SecretsError):
    """The server could not be reached, or could not answer safely, however often we asked. `retry_after`: seconds."""

    code = "unavailable"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        code: str | None = None,
        status: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, code=code, status=status, request_id=request_id)
        self.retry_after = retry_after


class AuthenticationFailed(Exception):
    """Raise this from a function given to `use` when the other side refused the value it was called with."""
