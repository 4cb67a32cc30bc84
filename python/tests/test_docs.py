"""docs/python.md runs as it stands: its Python blocks, in order, against a real server."""

from __future__ import annotations

import ast
import inspect
import re
import types
from pathlib import Path
from typing import Any

import anyio
import pytest
from flowmason_core.config import ExecutionContext

from flowmason_core import FlowMason  # type: ignore[attr-defined]

from .components import registry_of, stage
from .server import Workspace

PAGE = Path(__file__).resolve().parents[2] / "docs/python.md"


def blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.M | re.S)


def test_its_examples(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("openai_api_key", "my_api_key", "webhook_token", "partner_key"):
        workspace.create(name, f"sk-live-value-of-{name}")
    settings = workspace.settings()
    monkeypatch.setenv("FM_API_URL", settings.api_url or "")
    monkeypatch.setenv("FM_RUN_TOKEN", settings.run_token or "")
    registry = registry_of(tmp_path)
    fm = FlowMason(auto_load_env=False)
    fm.registry = registry
    given: dict[str, Any] = {
        "fm": fm,
        "registry": registry,
        "context": ExecutionContext(run_id="r", pipeline_id="p", pipeline_version="1"),
        "stages": [stage("call", "custom_api_call", data="{{secrets.webhook_token}}")],
        "call_partner": lambda value: value,
        "some_log_text": "key sk-live-value-of-openai_api_key",
    }

    async def run() -> None:
        for block in blocks():
            code = compile(block, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            if code.co_flags & inspect.CO_COROUTINE:
                await types.FunctionType(code, given)()
            else:
                exec(code, given)  # noqa: S102

    anyio.run(run)
    assert given["result"].success, given["result"].error
    assert given["clean"] == "key sk-****...****"
    assert "call" in given["results"]
    test = given["test_the_component"]
    anyio.run(test, given["FakeSecrets"](), None)
