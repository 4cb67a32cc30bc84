"""The direct invoke of the resolve function."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from flowmason_core.secrets import SecretNotFound, SecretsManager, Settings, Unauthenticated, Unsupported
from flowmason_core.secrets.lambda_transport import LambdaTransport

from .mock_server import FAST, TOKEN


class FakeLambda:
    """Answers as the resolve function does."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.payloads: list[Any] = []

    def invoke(self, **request: Any) -> Any:
        self.payloads.append((request["FunctionName"], json.loads(request["Payload"])))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def lambda_answer(body: Any, **more: Any) -> dict[str, Any]:
    return {"Payload": io.BytesIO(json.dumps(body).encode()), **more}


@pytest.mark.anyio
async def test_a_direct_invoke() -> None:
    client = FakeLambda(
        OSError("away"),
        lambda_answer({}, FunctionError="Unhandled"),
        lambda_answer({"config": {"value": "value-1234"}, "secrets": []}),
        lambda_answer(
            {
                "status": 422,
                "code": "unresolved_references",
                "references": [{"name": "b", "paths": ["$"], "code": "not_found", "problem": "no secret of this name"}],
            }
        ),
        lambda_answer({"status": 401, "code": "unauthenticated"}),
    )
    settings = Settings(resolve_function="f:orchestrator", org="acme", environment="production", pipeline_id="p")
    secrets = SecretsManager(transport=LambdaTransport(settings, client=client, retry=FAST))
    assert await secrets.get("a") == "value-1234"
    with pytest.raises(SecretNotFound):
        await secrets.get("b")
    with pytest.raises(Unauthenticated):
        await secrets.get("c")
    with pytest.raises(Unsupported):
        await secrets.list()
    place = {"org": "acme", "environment": "production", "pipeline_id": "p"}
    assert client.payloads[0] == ("f:orchestrator", {**place, "config": {"value": "{{secrets.a}}"}})
    by_token = FakeLambda(lambda_answer({"config": {"value": "value-1234"}, "secrets": []}))
    transport = LambdaTransport(Settings(resolve_function="f", run_token=TOKEN), client=by_token)
    assert await SecretsManager(transport=transport).get("a") == "value-1234"
    assert by_token.payloads == [("f", {"run_token": TOKEN, "config": {"value": "{{secrets.a}}"}})]


def test_the_real_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    settings = Settings.from_env({"FM_RESOLVE_FUNCTION": "f", "FM_RUN_TOKEN": TOKEN})
    assert TOKEN not in repr(vars(SecretsManager(settings)._transport)["_function"])
