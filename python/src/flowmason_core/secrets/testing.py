"""A store in memory, for tests of pipelines and components that use secrets."""

from __future__ import annotations

import base64
import builtins
import difflib
import json
from collections.abc import Mapping
from typing import Any

from .errors import Unavailable
from .manager import SecretsManager
from .plan import path_text
from .redaction import Redactor
from .references import Reference, is_name, parse_template
from .transport import Reply
from .value import Base64Value

JSON = Any


class FakeSecrets(SecretsManager):
    """
    A `SecretsManager` whose store is a dictionary: the same cache, errors and redaction, no server.

        secrets = FakeSecrets({"openai_api_key": "sk-test-1234567890"})
        context = attach(context, secrets)

    `rotate` gives a secret a new value, `deny` and `fail` make the store refuse, `requests` counts what was asked.
    """

    def __init__(
        self,
        values: Mapping[str, str | bytes] | None = None,
        *,
        cache_ttl: float = 60.0,
        redactor: Redactor | None = None,
    ) -> None:
        self._store = _Store()
        super().__init__(transport=self._store, cache_ttl=cache_ttl, redactor=redactor)
        for name, value in (values or {}).items():
            self.set(name, value)

    @property
    def requests(self) -> int:
        """How often the store was asked."""
        return self._store.requests

    def set(self, name: str, value: str | bytes) -> None:
        """Stores a secret of text or bytes, or gives it a new value. Its value is redacted from now on."""
        if not is_name(name):
            raise ValueError(f"no secret can have the name {name!r}")
        text = Base64Value(base64.b64encode(value).decode()) if isinstance(value, bytes) else value
        self._store.versions.setdefault(name, []).append(text)
        self.redactor.add_value(text)

    def rotate(self, name: str, value: str | bytes) -> None:
        """Gives a secret a new value; the old one stays at hand as `previous`."""
        if name not in self._store.versions:
            raise KeyError(name)
        self.set(name, value)

    def delete(self, name: str) -> None:
        """Removes a secret."""
        del self._store.versions[name]

    def deny(self, denied: bool = True) -> None:
        """Makes the store refuse the credential (403), or accept it again."""
        self._store.refusal = Reply(403, {"code": "forbidden", "detail": "This fake denies."}) if denied else None

    def fail(self, failing: bool = True) -> None:
        """Makes the store unavailable, or available again."""
        self._store.failing = failing


class _Store:
    """What `FakeSecrets` asks instead of a server."""

    def __init__(self) -> None:
        self.versions: dict[str, builtins.list[str]] = {}
        self.refusal: Reply | None = None
        self.failing = False
        self.requests = 0

    def __repr__(self) -> str:
        return f"_Store({len(self.versions)} secrets)"

    async def resolve(self, config: JSON) -> Reply:
        self._asked()
        if self.refusal is not None:
            return self.refusal
        failed: dict[str, dict[str, Any]] = {}
        filled = self._fill(config, (), failed)
        if failed:
            detail = f"{len(failed)} references cannot be resolved. Nothing was returned."
            problem = {"code": "unresolved_references", "detail": detail, "references": builtins.list(failed.values())}
            return Reply(422, problem)
        keys = self._keys_of_bytes(config)
        return Reply(200, {"config": filled, "secrets": [{"encoding": "base64", "references": keys}]})

    async def check(self, config: JSON) -> Reply:
        reply = await self.resolve(config)
        if reply.status == 422:
            return Reply(200, {"references": [{**each, "found": False} for each in reply.body["references"]]})
        return Reply(200, {"references": [{"found": True}]}) if reply.ok else reply

    async def list(self) -> builtins.list[JSON]:
        self._asked()
        return [
            {"name": name, "scope": "org", "version": len(versions), "environment": None}
            for name, versions in sorted(self.versions.items())
        ]

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close."""

    def _asked(self) -> None:
        self.requests += 1
        if self.failing:
            raise Unavailable("This fake is unavailable.")

    def _keys_of_bytes(self, config: JSON) -> builtins.list[str]:
        if isinstance(config, dict):
            config = builtins.list(config.values())
        if isinstance(config, builtins.list):
            return [key for member in config for key in self._keys_of_bytes(member)]
        template = parse_template(config) if isinstance(config, str) else None
        references = template.references if template is not None else ()
        return [each.key for each in references if isinstance(self._look_up(each)[0], Base64Value)]

    def _fill(self, config: JSON, place: tuple[str | int, ...], failed: dict[str, dict[str, Any]]) -> JSON:
        if isinstance(config, dict):
            return {key: self._fill(value, (*place, key), failed) for key, value in config.items()}
        if isinstance(config, builtins.list):
            return [self._fill(value, (*place, index), failed) for index, value in enumerate(config)]
        template = parse_template(config) if isinstance(config, str) else None
        if template is None:
            return config
        values = []
        for part in template.parts:
            if not isinstance(part, Reference):
                values.append(part if isinstance(part, str) else part.text)
                continue
            value, failure = self._look_up(part)
            if failure is not None:
                near = difflib.get_close_matches(part.name, self.versions, n=1)
                entry = {"name": part.name, "reference": part.key, "paths": [], **failure}
                known = failed.setdefault(part.key, {**entry, "nearest": near[0] if near else None})
                known["paths"].append(path_text(place))
            values.append(value)
        if template.is_whole:
            return values[0]
        return "".join(value if isinstance(value, str) else _json_text(value) for value in values)

    def _look_up(self, reference: Reference) -> tuple[Any, dict[str, str] | None]:
        versions = self.versions.get(reference.name, [])
        if not versions:
            return None, {"code": "not_found", "problem": "no secret of this name serves this test"}
        number = len(versions)
        if reference.pin:
            if reference.pin == "@pending":
                return None, {"code": "no_pending_version", "problem": "no version of it is pending"}
            number = number - 1 if reference.pin == "@previous" else int(reference.pin[1:])
        if not 1 <= number <= len(versions):
            return None, {"code": "no_such_version", "problem": "it has no such version"}
        value: Any = versions[number - 1]
        if not reference.fields:
            return value, None
        try:
            value = json.loads(value, parse_float=_Written)
            for field in reference.fields[1:].split("."):
                value = value[_index(field)] if isinstance(value, builtins.list) else value[field]
        except (ValueError, LookupError, TypeError):
            return None, {"code": "no_such_field", "problem": "the secret has no such field"}
        return value, None


class _Written(float):
    """A number that is put into text as it was written, as the server does it."""

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _json_text(value: Any) -> str:
    if isinstance(value, _Written):
        return value.text
    if isinstance(value, dict):
        members = (f"{json.dumps(key, ensure_ascii=False)}:{_json_text(member)}" for key, member in value.items())
        return "{" + ",".join(members) + "}"
    if isinstance(value, builtins.list):
        return "[" + ",".join(map(_json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _index(field: str) -> int:
    """@raises LookupError for what is no index as JSON paths write them"""
    if not field.isdecimal() or str(int(field)) != field:
        raise LookupError(field)
    return int(field)
