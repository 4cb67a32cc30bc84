"""A server that is a function."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx

from flowmason_core.secrets import SecretsManager, Settings
from flowmason_core.secrets.retry import Retry
from flowmason_core.secrets.transport import HttpTransport

TOKEN = "fmr_the-token-of-a-run"
SETTINGS = Settings(api_url="https://secrets.example.com", run_token=TOKEN)
FAST = Retry(attempts=3, seconds=5, base=0.001, longest=0.01)


def manager_of(handle: Callable[[httpx.Request], httpx.Response], **more: Any) -> SecretsManager:
    transport = HttpTransport(SETTINGS, retry=FAST, transport=httpx.MockTransport(handle))
    return SecretsManager(transport=transport, **more)


def values(request: httpx.Request, **known: str) -> httpx.Response:
    """Answers whole references only."""
    config = json.loads(request.content)["config"]
    return httpx.Response(200, json={"config": {k: known[v[10:-2]] for k, v in config.items()}, "secrets": []})
