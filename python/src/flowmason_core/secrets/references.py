"""
The grammar of `{{secrets.name}}`, as the server has it. Python reads references itself for two reasons: to send
only those places of a config that hold one, and to tell apart, in a string that also holds `{{input.x}}`, what
the pipeline's own templates may still touch from what came out of a secret.
"""

from __future__ import annotations

import re
import typing
from dataclasses import dataclass

from .errors import InvalidReference

Version = int | typing.Literal["previous", "pending"]

_OPENER = re.compile(r"(\\?)\{\{[ \t]*secrets(?![A-Za-z0-9_-])")
# Bounded repetition: the text after an opener is looked at once, and never more than a few kB of it.
_REST = re.compile(
    r"\.([A-Za-z][A-Za-z0-9_-]{0,127})((?:@(?:[1-9][0-9]{0,8}|previous|pending))?)"
    r"((?:\.[A-Za-z0-9_-]{1,128}){0,16})[ \t]*\}\}"
)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,127}")


@dataclass(frozen=True)
class Reference:
    """`{{secrets.name@7.field.0}}`: `key` is what stands after `secrets.`."""

    name: str
    pin: str
    fields: str

    @property
    def key(self) -> str:
        """Identifies the reference, for example `db@7.password`."""
        return f"{self.name}{self.pin}{self.fields}"

    def __str__(self) -> str:
        return f"{{{{secrets.{self.key}}}}}"


@dataclass(frozen=True)
class Template:
    """A string split at its references. An escaped `\\{{secrets.x}}` is a `Literal`, other text a plain `str`."""

    parts: tuple[str | Literal | Reference, ...]
    malformed: bool

    @property
    def references(self) -> tuple[Reference, ...]:
        """Those in it, in order, repeated ones too."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    @property
    def is_whole(self) -> bool:
        """Whether the string is one reference and nothing else, so that it takes the value's own type."""
        return len(self.parts) == 1 and isinstance(self.parts[0], Reference)


@dataclass(frozen=True)
class Literal:
    """An opener that was escaped: these characters, which nothing interprets any more."""

    text: str


def parse_template(text: str) -> Template | None:
    """Splits a string at its references; None when it has none, none escaped, and none malformed. Linear."""
    if "{{" not in text:
        return None
    parts: list[str | Literal | Reference] = []
    malformed = False
    done = 0
    at = 0
    while (opener := _OPENER.search(text, at)) is not None:
        at = opener.end()
        if opener[1]:
            # The whole template is literal, up to its end: the runtime's resolver would refuse `{{secrets`.
            parts.append(text[done : opener.start()])
            closed = _REST.match(text, at)
            at = closed.end() if closed else at
            parts.append(Literal(text[opener.start() + 1 : at]))
            done = at
            continue
        rest = _REST.match(text, at)
        if rest is None:
            malformed = True
            continue
        parts += [text[done : opener.start()], Reference(rest[1], rest[2], rest[3])]
        done = at = rest.end()
    if not parts and not malformed:
        return None
    parts.append(text[done:])
    return Template(tuple(part for part in parts if part != ""), malformed)


def is_name(text: str) -> bool:
    """Whether a secret could have this name."""
    return _NAME.fullmatch(text) is not None and text != "audit"


def key_of(name: str, version: Version | None) -> str:
    """A secret, or a version of it, as a reference names it. @raises InvalidReference when none can be called so"""
    if not isinstance(name, str) or not is_name(name):
        raise InvalidReference("A secret's name is a letter, then at most 127 letters, digits, _ or -.")
    if version is None:
        return name
    if version not in ("previous", "pending") and (
        not isinstance(version, int) or isinstance(version, bool) or version < 1
    ):
        raise InvalidReference('A version is a number from 1, "previous" or "pending".')
    return f"{name}@{version}"
