"""A canary through a whole run of the real runtime: it must not come out anywhere."""

from __future__ import annotations

import base64
import io
import json
import logging
import sys
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flowmason_core.config import ExecutionContext
from flowmason_core.execution import DAGExecutor
from flowmason_core.registry import ComponentRegistry

from flowmason_core.secrets import (
    RedactingFilter,
    RedactingFormatter,
    Redactor,
    SecretsManager,
    attach,
    bind,
    redacting,
    run,
)
from flowmason_core.secrets.runtime import scrub_run

from .components import registry_of, stage
from .server import Workspace

CANARIES: dict[str, str] = json.loads(
    (Path(__file__).resolve().parents[2] / "test/vectors/canaries.json").read_text(encoding="utf-8")
)["canaries"]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> ComponentRegistry:
    return registry_of(tmp_path_factory.mktemp("packages"))


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    """Everything that is logged, as JSON with every attribute of a record, beside what pytest keeps."""
    path = tmp_path / "all.log"

    class Everything(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            attributes = {name: value for name, value in vars(record).items() if name != "args"}
            return json.dumps({**attributes, "text": super().format(record)}, default=repr)

    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(Everything())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield path
    root.setLevel(level)
    root.removeHandler(handler)
    handler.close()


def leaks(canary: str, text: str) -> list[str]:
    """In which forms it stands there. Made here anew, and not by what is tested."""
    data = canary.encode()
    forms = {
        "raw": canary,
        "hex": data.hex(),
        "url": urllib.parse.quote(canary, safe=""),
        "json": json.dumps(canary)[1:-1],
        "json, not ASCII": json.dumps(canary, ensure_ascii=False)[1:-1],
        "json in json": json.dumps(json.dumps(canary))[3:-3],
        "repr": repr(canary)[1:-1],
        "a piece": canary[-12:],
        **{
            f"base64 at {at}": base64.b64encode(b"x" * at + data).decode().rstrip("=")[at + 1 if at else 0 : -2]
            for at in range(3)
        },
    }
    return [name for name, form in forms.items() if form in text]


@pytest.mark.anyio
@pytest.mark.parametrize("fail", [False, True], ids=["succeeds", "fails"])
@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
async def test_a_run(
    workspace: Workspace,
    registry: ComponentRegistry,
    log_file: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    canary: str,
    fail: bool,
) -> None:
    workspace.create("canary", canary)
    told: list[Any] = []

    class Hooks:
        def __getattr__(self, name: str) -> Any:
            async def hook(*args: Any, **kwargs: Any) -> bool:
                told.append((args, kwargs))
                return True

            return hook

    stages = [
        stage("first", "leaky", api_key="{{secrets.canary}}", fail=fail),
        stage("second", "echo", "first", text="{{upstream.first.api_key}} {{secrets.canary}}", value="{{input.x}}"),
    ]
    secrets = SecretsManager(workspace.settings())
    result = await run(stages, {"x": "y"}, secrets=secrets, registry=registry, hooks=Hooks())
    assert result.success is not fail
    printed = capsys.readouterr()
    everything = {
        "stdout": printed.out,
        "stderr": printed.err,
        "log": log_file.read_text(encoding="utf-8"),  # noqa: ASYNC240
        "caught log": caplog.text,
        "result": f"{result!r} {result.error} {json.dumps(result.output, ensure_ascii=False)}",
        "hooks": repr(told),
        "stages": " ".join(each.model_dump_json() for each in stages),
    }
    assert "the key is" in printed.out
    assert "got a key" in everything["log"]
    assert "was refused" in everything["log"]
    assert {where: found for where, text in everything.items() if (found := leaks(canary, text))} == {}
    assert sys.stdout is not None
    assert logging.getLogRecordFactory() is logging.LogRecord


@pytest.mark.anyio
async def test_without_redaction_it_would_be_found(
    workspace: Workspace, registry: ComponentRegistry, log_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = CANARIES["marks"]
    workspace.create("canary", canary)
    stages = [stage("first", "leaky", api_key="{{secrets.canary}}")]
    result = await run(stages, secrets=SecretsManager(workspace.settings()), registry=registry, redact=False)
    printed = capsys.readouterr()
    for text in (printed.out, printed.err, log_file.read_text(encoding="utf-8"), repr(result)):  # noqa: ASYNC240
        assert leaks(canary, text) != []


@pytest.mark.anyio
async def test_an_executor_of_ones_own(workspace: Workspace, registry: ComponentRegistry) -> None:
    canary = CANARIES["key"]
    workspace.create("canary", canary)
    secrets = SecretsManager(workspace.settings())
    stages = [stage("first", "leaky", api_key="{{secrets.canary}}", fail=True)]
    context = ExecutionContext(run_id="r", pipeline_id="p", pipeline_version="1")
    executor = DAGExecutor(registry, attach(context, secrets))
    await bind(executor, stages)
    with redacting(secrets.redactor), pytest.raises(Exception) as failure:  # noqa: PT011
        await executor.execute(stages, {})
    secrets.redactor.scrub_exception(failure.value)
    shown = repr((failure.value, vars(failure.value), failure.value.__cause__, failure.value.__context__))
    assert leaks(canary, shown) == []

    class Result:
        output, error, stage_results = None, None, {}  # type: ignore[var-annotated]

    assert leaks(canary, repr(executor.tracer.get_spans())) != []
    scrub_run(secrets.redactor, executor, Result())
    assert leaks(canary, repr(executor.tracer.get_spans())) == []


def test_a_filter_and_a_formatter_of_ones_own() -> None:
    redactor = Redactor(["s3cr3t-value"])
    for with_filter in (True, False):
        out = io.StringIO()
        handler = logging.StreamHandler(out)
        if with_filter:
            handler.addFilter(RedactingFilter(redactor))
            handler.setFormatter(logging.Formatter("%(message)s %(key)s"))
        else:
            handler.setFormatter(RedactingFormatter(redactor, logging.Formatter("%(message)s %(key)s")))
        logger = logging.Logger("alone")
        logger.addHandler(handler)
        try:
            raise KeyError("s3cr3t-value")
        except KeyError:
            logger.exception("a %s %d", "s3cr3t-value", 5, extra={"key": "s3cr3t-value"}, stack_info=True)
        assert "a ****...**** 5 ****...****" in out.getvalue()
        assert "KeyError" in out.getvalue()
        assert "s3cr3t-value" not in out.getvalue()


def test_redacting_nests_and_overlaps(capsys: pytest.CaptureFixture[str]) -> None:
    before = (sys.stdout, sys.stderr, logging.getLogRecordFactory())
    one, two = redacting(Redactor(["first-value"])), redacting(Redactor(["second-value"]))
    one.__enter__()
    two.__enter__()
    print("first-value second-value")
    one.__exit__(None, None, None)
    print("first-value second-value")
    two.__exit__(None, None, None)
    print("first-value second-value")
    assert capsys.readouterr().out.splitlines() == [
        "****...**** ****...****",
        "first-value ****...****",
        "first-value second-value",
    ]
    assert (sys.stdout, sys.stderr, logging.getLogRecordFactory()) == before
