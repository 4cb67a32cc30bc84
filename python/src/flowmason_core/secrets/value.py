"""A secret's value as a string, or as bytes, that does not show itself by accident."""

from __future__ import annotations

import base64
from typing import Any, NoReturn


class SecretValue(str):
    """
    A `str` in every use (formatting, headers, comparison), but for the three ways by which strings get out
    unnoticed: its `repr` (tracebacks with locals, `%r`, printed dictionaries) is `'****'`, and it refuses to
    be pickled. What is computed from it, `str(value)` included, is a plain string again.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'****'"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret value is not pickled")

    def __copy__(self) -> SecretValue:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SecretValue:
        return self

    def to_bytes(self) -> SecretBytes:
        """The bytes that are stored."""
        return SecretBytes(self.encode("utf-8"))


class Base64Value(SecretValue):
    """The value of a secret that holds bytes: as text it is base64, as everywhere in JSON."""

    __slots__ = ()

    def to_bytes(self) -> SecretBytes:
        """The bytes that are stored."""
        return SecretBytes(base64.b64decode(self, validate=True))


class SecretBytes(bytes):
    """The bytes of a secret, as guarded as a `SecretValue`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "b'****'"

    def __str__(self) -> str:
        return "b'****'"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a secret value is not pickled")

    def __copy__(self) -> SecretBytes:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> SecretBytes:
        return self


def sealed(value: Any) -> Any:
    """A value of a secret, a JSON field's structure included, with every string in it a `SecretValue`."""
    if isinstance(value, str):
        return SecretValue(value)
    if isinstance(value, dict):
        return {key: sealed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [sealed(member) for member in value]
    return value
