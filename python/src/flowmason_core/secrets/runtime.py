"""
Secrets in the real FlowMason runtime. Nothing of it is imported before it is used, so this package also works
where only `flowmason_core.secrets` is installed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .errors import Unsupported
from .logs import redacting
from .manager import SecretsManager
from .redaction import Redactor

if TYPE_CHECKING:
    from .plan import Answer

Context = TypeVar("Context")


def attach(context: Context, secrets: SecretsManager | None = None) -> Context:
    """
    Puts `context.secrets` on the runtime's `ExecutionContext`, so that a component may
    `await context.secrets.get(name)`. The copies that stages get have it too; dumps, JSON and repr of the
    context leave it out.

    :param secrets: the manager; by default a new one, with the settings of the environment
    :returns: the context
    """
    # An instance attribute beside the model's fields, like a cached property: pydantic copies it along, and
    # nothing that serializes a model looks there. As an extra field it would break `model_dump_json`.
    object.__setattr__(context, "secrets", secrets if secrets is not None else SecretsManager())
    return context


async def bind(executor: Any, stages: Sequence[Any]) -> None:
    """
    Fetches, by one request, every secret that the stages refer to, and lets a `DAGExecutor` put them where a
    stage's input is made: beside `{{input.x}}` and the like, which work as before, but never inside of a value.
    The stages themselves keep their references, so a dump of them shows no secret.

    :param executor: whose context has been through `attach`
    :raises SecretNotFound: naming every place of every missing secret; no stage has run
    """
    secrets: SecretsManager = executor.context.secrets
    answer = await secrets.fetch({"stages": [_references_of(stage) for stage in stages]})
    _use_answer(executor, answer)


async def run(
    pipeline: Any,
    input: Mapping[str, Any] | None = None,
    *,
    secrets: SecretsManager | None = None,
    registry: Any = None,
    providers: Mapping[str, Any] | None = None,
    default_provider: str | None = None,
    hooks: Any = None,
    trace_id: str | None = None,
    cancellation_token: Any = None,
    redact: bool = True,
) -> Any:
    """
    Runs a pipeline with its secrets: all stages in one graph, every reference fetched by one request before the
    first of them.

    :param pipeline: what `FlowMason.pipeline()` or `load_pipeline()` made; a `.pipeline.json` file's path; its
        content; or a list of `ComponentConfig`
    :param redact: takes values out of logs, of what is printed, and of the result, its errors and the hooks'
        arguments. A pipeline whose output is a secret on purpose needs False
    :returns: the runtime's `PipelineResult`; a stage that failed makes it one with `success=False`
    :raises SecretNotFound, AccessDenied, Unavailable: before the first stage
    """
    from flowmason_core.config import ExecutionContext
    from flowmason_core.execution import DAGExecutor

    plan = _pipeline_of(pipeline, registry)
    async with AsyncExitStack() as stack:
        if secrets is None:
            secrets = await stack.enter_async_context(SecretsManager())
        if redact:
            stack.enter_context(redacting(secrets.redactor))
        run_id = secrets.run_id or str(uuid.uuid4())
        context = ExecutionContext(
            run_id=run_id,
            pipeline_id=plan["id"],
            pipeline_version=plan["version"],
            pipeline_input=dict(input or {}),
            trace_id=trace_id or run_id,
        )
        executor = DAGExecutor(
            registry=plan["registry"],
            context=attach(context, secrets),
            providers=dict(plan["providers"] if providers is None else providers),
            default_provider=default_provider or plan["default_provider"],
            hooks=_RedactedHooks(hooks, secrets.redactor) if hooks is not None and redact else hooks,
        )
        await bind(executor, plan["stages"])
        result = await _execute(executor, plan["stages"], dict(input or {}), cancellation_token)
        if redact:
            scrub_run(secrets.redactor, executor, result)
        return result


async def _execute(executor: Any, stages: Sequence[Any], input: dict[str, Any], cancellation_token: Any) -> Any:
    """Runs the graph; an error of a stage becomes a result, as the runtime's own `Pipeline.run` does it."""
    from flowmason_core.api import PipelineResult
    from flowmason_core.execution import UsageMetrics

    try:
        results = await executor.execute(list(stages), input, cancellation_token)
    except Exception as error:
        return PipelineResult(success=False, output={}, stage_results={}, usage=UsageMetrics(), error=str(error))
    flow = executor.control_flow_handler
    last = results.get(stages[-1].id) if stages else None
    output = last.output if last is not None else {}
    if flow is not None and flow.should_return_early():
        output = flow.get_return_value()
    usage = executor.aggregate_usage(results)
    return PipelineResult(success=True, output=output, stage_results=results, usage=usage)


def scrub_run(redactor: Redactor, executor: Any, result: Any) -> None:
    """Takes values out of a run's result, its stages' results and its trace, in place."""
    result.output = redactor.scrub(result.output)
    result.error = redactor.scrub(result.error)
    for stage in result.stage_results.values():
        stage.output = redactor.scrub(stage.output)
        if getattr(stage, "error", None) is not None:
            stage.error = redactor.scrub(stage.error)
    for span in executor.tracer.spans:
        span.attributes = redactor.scrub(span.attributes)


class _RedactedHooks:
    """Hooks that are told no value: what they get goes to screens and databases."""

    def __init__(self, hooks: Any, redactor: Redactor) -> None:
        self._hooks = hooks
        self._redactor = redactor

    def __getattr__(self, name: str) -> Any:
        hook = getattr(self._hooks, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await hook(*self._redactor.scrub(args), **self._redactor.scrub(kwargs))

        return call


def _references_of(stage: Any) -> dict[str, Any]:
    """The two places of a stage where templates stand. The runtime copies one into the other: it is sent once."""
    config = stage.config or {}
    mapping = {key: value for key, value in stage.input_mapping.items() if key not in config or config[key] != value}
    return {"config": config, "input_mapping": mapping}


def _use_answer(executor: Any, answer: Answer) -> None:
    from .templates import SecretTemplates

    mapper = executor.executor.mapper
    if not isinstance(mapper.template_resolver, SecretTemplates):
        mapper.template_resolver = SecretTemplates(strict_mode=mapper.template_resolver.strict_mode)
    mapper.template_resolver.learn(answer)


def _pipeline_of(pipeline: Any, registry: Any) -> dict[str, Any]:
    """What a run needs of a pipeline, in whichever form it was given."""
    from flowmason_core.config import ComponentConfig

    if isinstance(pipeline, (str, Path)):
        path = Path(pipeline)
        content = json.loads(path.read_text(encoding="utf-8"))
        pipeline = {"name": path.name.removesuffix(".json").removesuffix(".pipeline"), **content}
    definition = getattr(pipeline, "definition", None)
    if definition is not None:
        stages = [
            ComponentConfig(id=stage.id, type=stage.component_type, config=stage.config, depends_on=stage.depends_on)
            for stage in definition.stages
        ]
        found = {"id": definition.name, "version": definition.version, "stages": stages}
        return {
            **found,
            "registry": registry or pipeline.registry,
            "providers": pipeline.providers,
            "default_provider": pipeline.default_provider,
        }
    if isinstance(pipeline, Mapping):
        stages = [ComponentConfig(**_stage_of(stage)) for stage in pipeline.get("stages", [])]
        name = str(pipeline.get("id") or pipeline.get("name") or "pipeline")
        found = {"id": name, "version": str(pipeline.get("version") or "1.0.0"), "stages": stages}
    elif isinstance(pipeline, Sequence):
        found = {"id": "pipeline", "version": "1.0.0", "stages": list(pipeline)}
    else:
        raise Unsupported("run() takes a Pipeline, the path or the content of a pipeline file, or its stages.")
    return {**found, "registry": registry or _own_components(), "providers": {}, "default_provider": None}


def _stage_of(stage: Mapping[str, Any]) -> dict[str, Any]:
    """A stage of a pipeline file; `component` is the older word for its type."""
    named = dict(stage)
    if "component" in named and "type" not in named and "component_type" not in named:
        named["type"] = named.pop("component")
    return named


def _own_components() -> Any:
    """The components that come with the runtime."""
    from flowmason_core.registry import ComponentRegistry

    registry = ComponentRegistry()
    registry.auto_discover()
    return registry
