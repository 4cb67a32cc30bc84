"""The manager against a real server."""

from __future__ import annotations

import base64
import copy
import pickle
import traceback
from typing import Any

import anyio
import pytest

from flowmason_core.secrets import (
    AccessDenied,
    AuthenticationFailed,
    InvalidReference,
    LimitExceeded,
    SecretNotFound,
    SecretsManager,
    Settings,
    Unauthenticated,
    UnresolvedReferences,
)

from .server import Workspace

pytestmark = pytest.mark.anyio

KEY = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


async def test_the_product_page(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.create("openai_api_key", KEY)
    settings = workspace.settings()
    monkeypatch.setenv("FM_API_URL", settings.api_url or "")
    monkeypatch.setenv("FM_RUN_TOKEN", settings.run_token or "")
    secrets = SecretsManager()
    api_key = await secrets.get("openai_api_key")
    all_secrets = await secrets.list()
    assert api_key == KEY
    assert [(each["name"], each["version"]) for each in all_secrets] == [("openai_api_key", 1)]
    assert KEY not in repr(all_secrets)
    assert await secrets.exists("openai_api_key")
    assert not await secrets.exists("my_secret")


async def test_an_api_key_says_where_the_run_is(workspace: Workspace) -> None:
    workspace.create("token", "production-value-1", environment="production")
    workspace.create("token", "staging-value-123", environment="staging")
    secrets = SecretsManager(workspace.key_settings())
    assert await secrets.get("token") == "production-value-1"
    with pytest.raises(AccessDenied) as denied:
        await SecretsManager(workspace.key_settings(environment="staging")).get("token")
    assert denied.value.code == "forbidden"
    assert denied.value.request_id


async def test_a_missing_secret_is_an_error(workspace: Workspace, settings: Settings) -> None:
    workspace.create("openai_api_key", KEY)
    secrets = SecretsManager(settings)
    with pytest.raises(SecretNotFound) as missing:
        await secrets.get("openai_api_kye")
    error = missing.value
    assert error.code == "unresolved_references"
    assert error.request_id
    assert error.status == 422
    assert error.names == ("openai_api_kye",)
    assert error.nearest == {"openai_api_kye": "openai_api_key"}
    assert "did you mean openai_api_key?" in str(error)
    assert await secrets.get("openai_api_kye", default=None) is None
    assert isinstance(error, LookupError)


async def test_resolve_names_every_place(workspace: Workspace, settings: Settings) -> None:
    workspace.create("known", "known-value-123")
    config = {
        "a": ["{{secrets.gone}}", {"b": "x {{ secrets.gone }} y {{secrets.known}}"}],
        "odd key": "{{input.x}}{{secrets.lost}}",
    }
    with pytest.raises(SecretNotFound) as missing:
        await SecretsManager(settings).resolve(config)
    places = {each.name: each.paths for each in missing.value.references}
    assert places == {"gone": ("$.a[0]", "$.a[1].b"), "lost": ('$["odd key"]',)}


async def test_resolve_fills_what_is_a_reference_and_nothing_else(workspace: Workspace, settings: Settings) -> None:
    workspace.create("plain", "{{input.x}} \\{{secrets.db}}")
    workspace.create("db", '{"user": "app", "port": 5432, "ratio": 1e-7, "big": 12345678901234567890, "on": true}')
    config = {
        "whole": "{{secrets.plain}}",
        "port": "{{ secrets.db.port }}",
        "text": "port={{secrets.db.port}} ratio={{secrets.db.ratio}} big={{secrets.db.big}} {{secrets.db.on}}",
        "twice": "{{secrets.db.user}}{{secrets.db.user}}",
        "escaped": "\\{{secrets.plain}} {{input.x}}",
        "other": ["{{input.x}}", 1, None, True, ("{{secrets.db.user}}",)],
        "{{secrets.plain}}": "key",
    }
    before = copy.deepcopy(config)
    resolved = await SecretsManager(settings).resolve(config)
    assert config == before
    assert resolved == {
        "whole": "{{input.x}} \\{{secrets.db}}",
        "port": 5432,
        "text": "port=5432 ratio=1e-7 big=12345678901234567890 true",
        "twice": "appapp",
        "escaped": "{{secrets.plain}} {{input.x}}",
        "other": ["{{input.x}}", 1, None, True, ("app",)],
        "{{secrets.plain}}": "key",
    }


async def test_versions(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", "value-one-1111")
    workspace.rotate("key", "value-two-2222", keep_previous_for="1h")
    secrets = SecretsManager(settings)
    assert await secrets.get("key") == "value-two-2222"
    assert await secrets.get("key", version=1) == "value-one-1111"
    assert await secrets.get("key", version="previous") == "value-one-1111"
    with pytest.raises(SecretNotFound):
        await secrets.get("key", version=9)
    for version in (0, -1, True, "old"):
        with pytest.raises(InvalidReference):
            await secrets.get("key", version=version)  # type: ignore[arg-type]


async def test_refusals_are_typed(workspace: Workspace, settings: Settings) -> None:
    workspace.create("header", "line\nbreak-value")
    secrets = SecretsManager(settings)
    with pytest.raises(InvalidReference):
        await secrets.get("no such name!")
    with pytest.raises(InvalidReference) as malformed:
        await secrets.resolve({"a": ["{{secrets.}}"]})
    assert malformed.value.paths == ("$.a[0]",)
    with pytest.raises(LimitExceeded) as many:
        await secrets.resolve([f"{{{{secrets.s{n}}}}}" for n in range(201)])
    assert many.value.code == "too_many_references"
    deep: Any = "{{secrets.a}}"
    for _ in range(65):
        deep = [deep]
    with pytest.raises(LimitExceeded):
        await secrets.resolve(deep)
    with pytest.raises(UnresolvedReferences) as split:
        await secrets.resolve({"headers": {"x": "a {{secrets.header}}"}})
    assert not isinstance(split.value, SecretNotFound)
    assert split.value.paths == ("$.headers.x",)


async def test_the_cache_is_one_flight_and_ends_at_a_denial(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", KEY)
    async with SecretsManager(settings) as secrets:
        got: list[str] = []

        async def get() -> None:
            got.append(await secrets.get("key"))

        async with anyio.create_task_group() as group:
            for _ in range(20):
                group.start_soon(get)
        assert got == [KEY] * 20
        workspace.rotate("key", "sk-live-another-value")
        assert await secrets.get("key") == KEY
        assert len(workspace.accesses()) == 1
        workspace.end_run()
        with pytest.raises(Unauthenticated):
            await secrets.exists("key")
        with pytest.raises(Unauthenticated):
            await secrets.get("key")


async def test_use_fetches_again_when_the_value_was_refused(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", "value-one-1111")
    secrets = SecretsManager(settings)
    await secrets.get("key")
    workspace.rotate("key", "value-two-2222", keep_previous_for="1h")
    tried: list[str] = []

    def accepts(*good: str) -> Any:
        tried.clear()

        async def fn(value: str) -> str:
            tried.append(value)
            if value not in good:
                raise AuthenticationFailed("no")
            return value

        return fn

    assert await secrets.use("key", accepts("value-two-2222")) == "value-two-2222"
    assert tried == ["value-one-1111", "value-two-2222"]
    # The other side does not know the new one yet.
    assert await secrets.use("key", accepts("value-one-1111")) == "value-one-1111"
    assert tried == ["value-two-2222", "value-one-1111"]
    with pytest.raises(AuthenticationFailed):
        await secrets.use("key", accepts())
    assert len(tried) == 2

    # Typed for functions of both colours.
    length: int = await secrets.use("key", len)
    assert length == len("value-two-2222")

    def broken(value: str) -> str:
        tried.append(value)
        raise ZeroDivisionError

    tried.clear()
    with pytest.raises(ZeroDivisionError):
        await secrets.use("key", broken)
    assert len(tried) == 1


async def test_values_do_not_show_themselves(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", KEY)
    secrets = SecretsManager(settings)
    value = await secrets.get("key")
    assert f"Bearer {value}" == f"Bearer {KEY}"
    assert repr(value) == "'****'"
    assert KEY not in repr({"key": value})
    assert copy.deepcopy(value) == KEY
    assert repr(secrets) == "SecretsManager(****)"
    assert (settings.run_token or "?") not in repr(settings)
    for thing in (value, secrets, {"key": value}):
        with pytest.raises(TypeError):
            pickle.dumps(thing)


async def test_an_error_carries_no_value_and_no_credential(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", KEY)
    secrets = SecretsManager(settings)
    await secrets.get("key")
    broken = SecretsManager(Settings(api_url="http://127.0.0.1:9", run_token=settings.run_token))
    broken._transport._retry = type(broken._transport._retry)(attempts=1)  # type: ignore[attr-defined]
    for manager, config in ((secrets, {"a": "{{secrets.key}}", "b": "{{secrets.gone}}"}), (broken, "{{secrets.a}}")):
        with pytest.raises(Exception) as failure:  # noqa: PT011
            await manager.resolve(config)
        assert failure.value.__context__ is None
        text = "".join(traceback.format_exception(failure.value)) + repr(vars(failure.value))
        assert KEY not in text
        assert (settings.run_token or "?") not in text
        assert type(pickle.loads(pickle.dumps(failure.value))) is type(failure.value)  # noqa: S301


DER = bytes([0x30, 0x82, 0, 0xFF, 0x80, 10, 13, 34, 39, 92, 0xC3, 0x28, *b"key material", 0xFE])


async def test_a_secret_of_bytes(workspace: Workspace, settings: Settings) -> None:
    encoded = base64.b64encode(DER).decode()
    workspace.create("der", encoded, encoding="base64")
    workspace.create("text", "päss-word-1")
    secrets = SecretsManager(settings)
    assert await secrets.get_bytes("der") == DER
    assert await secrets.get("der") == encoded
    assert await secrets.get_bytes("text") == "päss-word-1".encode()
    assert await secrets.get_bytes("der", version=1) == DER
    filled = await secrets.resolve({"whole": "{{secrets.der}}", "within": "x {{secrets.der}}"})
    assert filled == {"whole": encoded, "within": f"x {encoded}"}
    assert filled["whole"].to_bytes() == DER
    value = await secrets.get_bytes("der")
    assert f"{value!r} {value} {vars.__name__}" == "b'****' b'****' vars"
    with pytest.raises(TypeError):
        pickle.dumps(value)
    assert copy.deepcopy(value) is value
    for form in (encoded, DER.hex(), repr(DER), str(list(DER)).replace(" ", ""), DER.decode("latin-1")):
        assert "****...****" in secrets.redactor.redact(f"a {form} b")
    assert secrets.redactor.scrub({"body": b"a " + DER + b" b"}) == {"body": b"a ****...**** b"}
    assert SecretsManager.sync(settings).get_bytes("der") == DER


async def test_no_number_loses_a_digit(workspace: Workspace, settings: Settings) -> None:
    numbers = {
        "big": "12345678901234567890",
        "long": "0.12345678901234567890",
        "huge": "1e999",
        "plain": "1.50",
        "e": "1E3",
    }
    workspace.create("db", "{" + ",".join(f'"{name}":{number}' for name, number in numbers.items()) + "}")
    secrets = SecretsManager(settings)
    config = {name: f"{{{{secrets.db.{name}}}}}" for name in numbers}
    assert await secrets.resolve(config) == {
        "big": 12345678901234567890,
        "long": "0.12345678901234567890",
        "huge": "1e999",
        "plain": 1.5,
        "e": 1000.0,
    }
    assert secrets.redactor.scrub({"id": 12345678901234567890}) == {"id": "****...****"}


async def test_each_failing_reference_has_a_code(workspace: Workspace, settings: Settings) -> None:
    workspace.create("key", "value-one-1111")
    workspace.create("db", '{"user": "app"}')
    secrets = SecretsManager(settings)
    references = ["gone", "key@9", "key@previous"]
    with pytest.raises(SecretNotFound) as missing:
        await secrets.resolve([f"{{{{secrets.{each}}}}}" for each in references])
    codes = {each.reference: each.code for each in missing.value.references}
    assert codes == {"gone": "not_found", "key@9": "no_such_version", "key@previous": "no_previous_version"}
    with pytest.raises(UnresolvedReferences) as unusable:
        await secrets.resolve(["{{secrets.key.user}}", "x {{secrets.db.pass}}"])
    assert [each.code for each in unusable.value.references] == ["not_json", "no_such_field"]
    assert not isinstance(unusable.value, SecretNotFound)
