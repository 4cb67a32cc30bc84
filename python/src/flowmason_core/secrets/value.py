"""A secret's value as a string that does not show itself by accident."""

from __future__ import annotations

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


def sealed(value: Any) -> Any:
    """A value of a secret, a JSON field's structure included, with every string in it a `SecretValue`."""
    if isinstance(value, str):
        return SecretValue(value)
    if isinstance(value, dict):
        return {key: sealed(member) for key, member in value.items()}
    if isinstance(value, list):
        return [sealed(member) for member in value]
    return value
