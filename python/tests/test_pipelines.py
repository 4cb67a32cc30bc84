"""`run` with a pipeline in each of the forms that it may have."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flowmason_core.registry import ComponentRegistry

from flowmason_core import FlowMason  # type: ignore[attr-defined]
from flowmason_core.secrets import Settings, Unsupported, run

from .components import registry_of
from .server import Workspace

pytestmark = pytest.mark.anyio

KEY = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ComponentRegistry:
    return registry_of(tmp_path_factory.mktemp("packages"))


async def test_flowmasons_own_pipelines_and_files(
    workspace: Workspace,
    settings: Settings,
    registry: ComponentRegistry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workspace.create("key", KEY)
    monkeypatch.setenv("FM_API_URL", settings.api_url or "")
    monkeypatch.setenv("FM_RUN_TOKEN", settings.run_token or "")
    fm = FlowMason(auto_load_env=False)
    fm.registry = registry
    first = fm.stage("echo", id="first", config={"text": "{{secrets.key}} {{input.x}}"})
    last = fm.stage("echo", id="last", config={"text": "{{upstream.first.text}}"}, depends_on=["first"])
    result = await run(fm.pipeline("p", [first, last]), {"x": "y"}, redact=False)
    assert result.success, result.error
    assert result.output["text"] == f"{KEY} y"

    path = tmp_path / "my.pipeline.json"
    content = {"name": "my", "stages": [{"id": "a", "component_type": "echo", "config": {"text": "{{secrets.key}}"}}]}
    path.write_text(json.dumps(content))
    for given in (path, str(path), fm.load_pipeline(path), content):
        result = await run(given, registry=registry)
        assert result.success, result.error
        # Redacted, as by default.
        assert result.output["text"] == "sk-****...****"
    with pytest.raises(Unsupported):
        await run(42, registry=registry)
