"""
What a config asks of the server, and how its answer fills the config.

Only the places that hold a reference are sent, each at its own path, so that an error names the place where the
user wrote it; prompts and other text stay here. A reference inside other text is asked for alone, so that every
value is known by itself: for the cache, for redaction, and so that the pipeline's own templates are never
looked for inside of one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from .errors import InvalidReference, LimitExceeded, Unavailable
from .references import Literal, Reference, Template, parse_template
from .value import Base64Value, SecretValue, sealed

MAX_DEPTH = 64
_MAX_KEY_CHARACTERS = 128
# Asks the server to write a value as text, exactly as it would inside a string; it is cut off again.
_AS_TEXT = "="


@dataclass(frozen=True)
class Filled:
    """What came out of the store; nothing scans it again. `value` is text, or a JSON field's own type."""

    value: Any

    def __repr__(self) -> str:
        return "Filled(****)"


Part = str | Filled


@dataclass
class Plan:
    """A config's references. `request` is what to send; None when there is nothing to ask."""

    request: Any
    slots: list[Slot]
    # A reference inside text is sent within an array of its own: the server's path to it, and ours.
    _moved: dict[str, str] = field(default_factory=dict)

    def own_path(self, path: str) -> str:
        """The place in the user's config that a path of the server means."""
        return self._moved.get(path, path)

    def take(self, answer: Any, of_bytes: AbstractSet[str] = frozenset()) -> Answer:
        """
        Reads the server's config.

        :param of_bytes: the references that stand in it as base64, since their secrets hold bytes
        :raises Unavailable: when it has not the shape of what was sent
        """
        taken = Answer()
        try:
            for slot in self.slots:
                slot.take(_at(answer, slot.place), taken, of_bytes)
        except (KeyError, IndexError, TypeError):
            taken = Answer(complete=False)
        if not taken.complete:
            raise Unavailable("The server's answer has not the shape of the config.", code="invalid_answer")
        return taken


@dataclass
class Answer:
    """The values by reference, and for each text of the config the parts that it became."""

    values: dict[str, Any] = field(default_factory=dict)
    texts: dict[str, tuple[Part, ...]] = field(default_factory=dict)
    complete: bool = True

    def fill(self, config: Any) -> Any:
        """A copy of the config with every reference replaced; what holds none stays the same object."""
        if isinstance(config, str):
            parts = self.texts.get(config)
            return config if parts is None else join(parts)
        if isinstance(config, dict):
            return {key: self.fill(value) for key, value in config.items()}
        if isinstance(config, (list, tuple)):
            return _like(config, [self.fill(value) for value in config])
        return config


def _like(config: Any, values: list[Any]) -> Any:
    """Values in a list or a tuple, a named one too."""
    if isinstance(config, list):
        return values
    return type(config)(*values) if hasattr(config, "_fields") else tuple(values)


def join(parts: tuple[Part, ...]) -> Any:
    """A string of its parts; a part that stands alone keeps its own type."""
    if len(parts) == 1 and isinstance(parts[0], Filled):
        return parts[0].value
    text = "".join(part if isinstance(part, str) else part.value for part in parts)
    # An escaped reference alone is no secret.
    return SecretValue(text) if any(is_secret(part) for part in parts) else text


def is_secret(part: Part) -> bool:
    """Whether a part of a string came out of the store as text."""
    return isinstance(part, Filled) and isinstance(part.value, SecretValue)


@dataclass
class Slot:
    """A string of the config that holds references, and where its answer stands."""

    text: str
    template: Template
    place: tuple[str | int, ...]
    # At the deepest level there is no room for an array: the string is sent as it is and taken as a whole.
    composed: bool

    @property
    def asked(self) -> Any:
        """What is sent in its place."""
        if self.composed or self.template.malformed or self.template.is_whole:
            return self.text
        return [f"{_AS_TEXT}{reference}" for reference in self.template.references]

    def take(self, answer: Any, into: Answer, of_bytes: AbstractSet[str]) -> None:
        """Reads the answer of this place."""
        if not isinstance(self.asked, list):
            value = sealed(answer)
            if self.template.is_whole:
                key = self.template.references[0].key
                if key in of_bytes:
                    value = Base64Value(value)
                into.values[key] = value
            into.texts[self.text] = (Filled(value),)
            return
        if len(answer) != len(self.asked):
            raise IndexError
        values = iter(value[len(_AS_TEXT) :] for value in answer)
        parts: list[Part] = []
        for part in self.template.parts:
            if isinstance(part, Reference):
                text = next(values)
                value = Base64Value(text) if part.key in of_bytes else SecretValue(text)
                # Written as text it is the value itself, unless it is a field that may be a number.
                if not part.fields:
                    into.values[part.key] = value
                else:
                    into.values.setdefault(f"{part.key}\0text", value)
                parts.append(Filled(value))
            else:
                parts.append(Filled(part.text) if isinstance(part, Literal) else part)
        into.texts[self.text] = tuple(parts)


def plan_config(config: Any) -> Plan:
    """Finds a config's references. @raises LimitExceeded when it is nested too deeply: nothing was sent"""
    plan = Plan(None, [])
    plan.request = _scan(config, (), plan)
    return plan


def local_answer(config: Any) -> Answer:
    """What a config without references becomes: escaped ones lose their backslash."""
    answer = Answer()
    for text in _strings(config):
        template = parse_template(text)
        if template is not None and not template.references and not template.malformed:
            answer.texts[text] = tuple(
                Filled(part.text) if isinstance(part, Literal) else str(part) for part in template.parts
            )
    return answer


def _strings(config: Any) -> Iterator[str]:
    if isinstance(config, str):
        yield config
    elif isinstance(config, dict):
        for value in config.values():
            yield from _strings(value)
    elif isinstance(config, (list, tuple)):
        for value in config:
            yield from _strings(value)


def _scan(config: Any, place: tuple[str | int, ...], plan: Plan) -> Any:
    """The part of a config that is sent; None when it holds no reference."""
    if isinstance(config, str):
        template = parse_template(config)
        if template is None or not (template.references or template.malformed):
            return None
        slot = Slot(config, template, place, composed=len(place) >= MAX_DEPTH)
        plan.slots.append(slot)
        if isinstance(slot.asked, list):
            own = path_text(place)
            plan._moved.update({f"{own}[{index}]": own for index in range(len(slot.asked))})
        return slot.asked
    if not isinstance(config, (dict, list, tuple)):
        return None
    if len(place) >= MAX_DEPTH:
        raise LimitExceeded(f"A config may be nested {MAX_DEPTH} levels deep.", code="config_too_deep")
    if isinstance(config, dict):
        members = {
            key: sent for key, value in config.items() if (sent := _scan(value, (*place, key), plan)) is not None
        }
        # JSON would make text of it, perhaps of another member's name.
        if not all(isinstance(key, str) for key in members):
            raise InvalidReference("A reference stands under a key that is no text.", paths=(path_text(place),))
        return members or None
    items = [_scan(value, (*place, index), plan) for index, value in enumerate(config)]
    return items if any(item is not None for item in items) else None


def _at(answer: Any, place: tuple[str | int, ...]) -> Any:
    for key in place:
        answer = answer[key]
    return answer


def path_text(place: tuple[Any, ...]) -> str:
    """A JSON path as the server writes it; long keys are cut."""
    return "$" + "".join(_segment(key) for key in place)


def _segment(key: Any) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    name = str(key)
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name):
        return f".{name}"
    cut = f"{name[:_MAX_KEY_CHARACTERS]}…" if len(name) > _MAX_KEY_CHARACTERS else name
    return f"[{json.dumps(cut, ensure_ascii=False)}]"
