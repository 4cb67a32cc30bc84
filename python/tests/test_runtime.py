"""Pipelines in the real runtime, with secrets from a real server."""

from __future__ import annotations

import builtins
from collections.abc import Iterator
from typing import Any

import pytest
from flowmason_core.config import ExecutionContext
from flowmason_core.execution import DAGExecutor
from flowmason_core.registry import ComponentRegistry

from flowmason_core.secrets import SecretNotFound, SecretsManager, Settings, attach, bind, run

from .components import registry_of, stage
from .server import Workspace

pytestmark = pytest.mark.anyio

KEY = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture(params=["asyncio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """The runtime itself is made for asyncio."""
    return str(request.param)


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ComponentRegistry:
    return registry_of(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def ran() -> Iterator[list[str]]:
    """The ids of the echo stages that ran, in order."""
    stages: list[str] = builtins.__dict__.setdefault("_flowmason_test_ran", [])
    stages.clear()
    yield stages
    stages.clear()


def context_of(**more: Any) -> ExecutionContext:
    return ExecutionContext(**{"run_id": "r1", "pipeline_id": "p1", "pipeline_version": "1.0.0", **more})


async def test_the_product_page(workspace: Workspace, settings: Settings, registry: ComponentRegistry) -> None:
    workspace.create("openai_api_key", KEY)
    workspace.create("webhook_token", "hook-token-123")
    workspace.create("database_connection_string", "postgres://app:pw-12345@db/app")
    workspace.create("api_token", "api-token-1234")
    workspace.create("service_key", "service-key-12")
    stages = [
        stage(
            "generator",
            "echo",
            value={
                "api_key": "{{secrets.openai_api_key}}",
                "webhook_url": "https://api.example.com/hook?token={{secrets.webhook_token}}",
                "database_url": "{{secrets.database_connection_string}}",
            },
        ),
        stage(
            "api_call",
            "echo",
            text="https://api.example.com/data",
            headers={"Authorization": "Bearer {{secrets.api_token}}", "X-API-Key": "{{secrets.service_key}}"},
        ),
    ]
    executor = DAGExecutor(registry, attach(context_of(), SecretsManager(settings)))
    await bind(executor, stages)
    results = await executor.execute(stages, {})
    assert results["generator"].output["value"] == {
        "api_key": KEY,
        "webhook_url": "https://api.example.com/hook?token=hook-token-123",
        "database_url": "postgres://app:pw-12345@db/app",
    }
    assert results["api_call"].output["headers"] == {
        "Authorization": "Bearer api-token-1234",
        "X-API-Key": "service-key-12",
    }
    assert len({entry["request_id"] for entry in workspace.accesses()}) == 1


async def test_a_component_takes_a_secret_of_its_context(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry
) -> None:
    workspace.create("my_api_key", KEY)
    stages = [stage("call", "custom_api_call", data="{{input.x}}")]
    result = await run(stages, {"x": "hello"}, secrets=SecretsManager(settings), registry=registry, redact=False)
    assert result.success, result.error
    assert result.output["result"] == f"hello:{len(KEY)}:{KEY}"


async def test_attach_leaves_the_context_as_it_was(settings: Settings) -> None:
    context = context_of()
    before = (repr(context), context.model_dump(), context.model_dump_json())
    secrets = SecretsManager(settings)
    assert attach(context, secrets) is context
    assert (repr(context), context.model_dump(), context.model_dump_json()) == before
    for copied in (context.with_stage("s1"), context.model_copy(deep=True)):
        assert copied.secrets is secrets


async def test_references_stand_beside_the_runtimes_own_templates(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry
) -> None:
    workspace.create("hostile", "{{input.x}} {{env.HOME}} {{secrets.other}}")
    workspace.create("db", '{"port": 5432, "hosts": ["a", "b"]}')
    stages = [
        stage("first", "echo", text="{{input.x}}"),
        stage(
            "second",
            "echo",
            "first",
            text="{{input.x}}|{{secrets.hostile}}|{{upstream.first.text}}|{{context.run_id}}|{{secrets.db.port}}",
            value={
                "whole": "{{secrets.hostile}}",
                "port": "{{secrets.db.port}}",
                "hosts": "{{secrets.db.hosts}}",
                "n": "{{input.n}}",
                "escaped": "\\{{secrets.hostile}} {{input.x}}",
            },
        ),
    ]
    given = {"x": "{{secrets.hostile}}", "n": 7}
    result = await run(stages, given, secrets=SecretsManager(settings), registry=registry, redact=False)
    assert result.success, result.error
    hostile = "{{input.x}} {{env.HOME}} {{secrets.other}}"
    assert result.output["text"] == f"{given['x']}|{hostile}|{given['x']}|{workspace.run_id}|5432"
    assert result.output["value"] == {
        "whole": hostile,
        "port": 5432,
        "hosts": ["a", "b"],
        "n": 7,
        "escaped": "{{secrets.hostile}} {{secrets.hostile}}",
    }
    assert "hostile}}" in stages[1].model_dump_json()
    assert "env.HOME" not in stages[1].model_dump_json()


async def test_a_missing_secret_ends_the_run_before_its_first_stage(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry, ran: list[str]
) -> None:
    workspace.create("known", KEY)
    stages = [
        stage("one", "echo", text="{{secrets.known}}"),
        stage("two", "echo", "one", text="x {{secrets.knwon}}", value=["{{secrets.gone}}"]),
    ]
    with pytest.raises(SecretNotFound) as missing:
        await run(stages, secrets=SecretsManager(settings), registry=registry)
    assert ran == []
    assert sorted(missing.value.paths) == ["$.stages[1].config.text", "$.stages[1].config.value[0]"]
    assert missing.value.nearest == {"knwon": "known"}


async def test_control_flow(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry, ran: list[str]
) -> None:
    workspace.create("token", "token-of-the-loop")
    workspace.create("flags", '{"eu": true}')
    pipeline = {
        "name": "flow",
        "stages": [
            {
                "id": "is_eu",
                "type": "conditional",
                "input_mapping": {
                    "condition": "{{secrets.flags.eu}}",
                    "true_branch_stages": ["eu"],
                    "false_branch_stages": ["us"],
                },
            },
            {"id": "eu", "component_type": "echo", "config": {"text": "{{secrets.token}}"}, "depends_on": ["is_eu"]},
            {"id": "us", "component_type": "echo", "config": {"text": "{{secrets.token}}"}, "depends_on": ["is_eu"]},
            {
                "id": "each",
                "type": "foreach",
                "input_mapping": {"items": "{{input.items}}", "loop_stages": ["body"], "item_variable": "item"},
                "depends_on": ["eu"],
            },
            {
                "id": "body",
                "type": "echo",
                "input_mapping": {"text": "{{secrets.token}}/{{upstream.each.current_item}}"},
                "depends_on": ["each"],
            },
        ],
    }
    result = await run(
        pipeline, {"items": ["a", "b"]}, secrets=SecretsManager(settings), registry=registry, redact=False
    )
    assert result.success, result.error
    assert result.stage_results["eu"].output["text"] == "token-of-the-loop"
    assert result.stage_results["us"].status == "skipped"
    texts = [result.stage_results[f"body_iter_{index}"].output["text"] for index in (0, 1)]
    assert texts == ["token-of-the-loop/a", "token-of-the-loop/b"]
    assert ran == ["eu", "body", "body"]
    assert len({entry["request_id"] for entry in workspace.accesses()}) == 1


async def test_rotation_between_two_stages(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.create("key", "value-one-1111")
    between = lambda: workspace.rotate("key", "value-two-2222")  # noqa: E731
    monkeypatch.setattr(builtins, "_flowmason_test_between", between, raising=False)
    stages = [
        stage("before", "caller", name="key", good="value-one-1111"),
        stage("rotate", "rotator", "before"),
        stage("after", "caller", "rotate", name="key", good="value-two-2222"),
        stage("config", "echo", "rotate", text="{{secrets.key}}"),
    ]
    result = await run(stages, secrets=SecretsManager(settings), registry=registry, redact=False)
    assert result.success, result.error
    assert result.stage_results["before"].output["tries"] == 1
    assert result.stage_results["after"].output["tries"] == 2
    # What stands in a config was decided when the run began.
    assert result.stage_results["config"].output["text"] == "value-one-1111"


async def test_fifty_references_are_one_request(
    workspace: Workspace, settings: Settings, registry: ComponentRegistry
) -> None:
    names = [f"secret_{number}" for number in range(50)]
    for name in names:
        workspace.create(name, f"value of {name}")
    stages = [
        stage(f"s{index}", "echo", value=[f"{{{{secrets.{name}}}}}" for name in names[index::5]]) for index in range(5)
    ]
    stages.append(stage("call", "custom_api_call", name="secret_7"))
    result = await run(stages, secrets=SecretsManager(settings), registry=registry, redact=False)
    assert result.success, result.error
    found = [value for index in range(5) for value in result.stage_results[f"s{index}"].output["value"]]
    assert sorted(found) == sorted(f"value of {name}" for name in names)
    entries = workspace.accesses()
    assert len(entries) == 50
    assert len({entry["request_id"] for entry in entries}) == 1
