"""The real resolve function behind the real AWS client: only the platform between them is a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator

import pytest

from flowmason_core.secrets import AccessDenied, SecretNotFound, SecretsManager, SettingsError, Unauthenticated

from .conftest import ROOT
from .server import Server, Workspace

pytestmark = pytest.mark.anyio

KEY = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"

# Lambda's invoke API in front of the handler. The function's name carries its alias, as in an ARN.
PLATFORM = """
import { createServer } from 'node:http';
const { handler } = await import('./functions/resolve.ts');
const server = createServer(async (request, response) => {
  const name = decodeURIComponent(request.url.split('/')[3]);
  if (name === 'denied' || name === 'absent') {
    const [status, type] = name === 'denied' ? [403, 'AccessDeniedException'] : [404, 'ResourceNotFoundException'];
    response.writeHead(status, { 'x-amzn-errortype': type, 'content-type': 'application/json' });
    return response.end('{"Message":"no"}');
  }
  const event = JSON.parse(Buffer.concat(await request.toArray()).toString());
  const context = { awsRequestId: 'req-1', invokedFunctionArn: `arn:aws:lambda:eu-central-1:1:function:${name}` };
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(await handler(event, context)));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
"""


@pytest.fixture(scope="module")
def platform(server: Server) -> Iterator[str]:
    """The function in a process of its own, on the server's store."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("FM_")}
    process = subprocess.Popen(
        [ROOT / "node_modules/.bin/node", "--input-type=module", "--eval", PLATFORM],
        cwd=ROOT,
        env={**variables, "FM_DATA_DIR": str(server.folder)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process, process.stdout as lines:
        yield f"http://127.0.0.1:{int(lines.readline())}"
        process.terminate()


@pytest.fixture(autouse=True)
def aws(platform: str, workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the platform gives a function, and no setting of ours."""
    for name in [name for name in os.environ if name.startswith(("FM_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", platform)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-key")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    workspace.create("openai_api_key", KEY)


async def test_by_a_run_token(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FM_RESOLVE_FUNCTION", "resolve")
    monkeypatch.setenv("FM_RUN_TOKEN", workspace.settings().run_token or "")
    secrets = SecretsManager()
    assert await secrets.get("openai_api_key") == KEY
    assert await secrets.resolve({"a": ["Bearer {{secrets.openai_api_key}}"]}) == {"a": [f"Bearer {KEY}"]}
    with pytest.raises(SecretNotFound) as missing:
        await secrets.resolve({"a": ["Bearer {{secrets.openai_api_kye}}"]})
    assert missing.value.paths == ("$.a[0]",)
    assert missing.value.nearest == {"openai_api_kye": "openai_api_key"}
    workspace.end_run()
    with pytest.raises(Unauthenticated):
        await secrets.get("openai_api_key", version=1)


async def test_as_the_orchestrator(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    org = json.loads((workspace.server.folder / "admin.json").read_text())["org"]
    monkeypatch.setenv("FM_RESOLVE_FUNCTION", "resolve:orchestrator")
    monkeypatch.setenv("FM_ORG", org)
    monkeypatch.setenv("FM_ENVIRONMENT", "production")
    monkeypatch.setenv("FM_PIPELINE_ID", workspace.pipeline_id)
    assert await SecretsManager().get("openai_api_key") == KEY
    # Without the alias that IAM guards, the payload's own word counts for nothing.
    monkeypatch.setenv("FM_RESOLVE_FUNCTION", "resolve")
    with pytest.raises(AccessDenied):
        await SecretsManager().get("openai_api_key")


async def test_what_aws_refuses_is_not_asked_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FM_RUN_TOKEN", workspace.settings().run_token or "")
    for function, error in (("denied", AccessDenied), ("absent", SettingsError)):
        monkeypatch.setenv("FM_RESOLVE_FUNCTION", function)
        with pytest.raises(error):
            await SecretsManager().get("openai_api_key")
