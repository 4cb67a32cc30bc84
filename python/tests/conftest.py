"""A real server of this repository for each test session, and what tests need of it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flowmason_core.secrets import Settings

from .server import Server, Workspace

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every async test runs on both."""
    return str(request.param)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A server of its own process and folder."""
    folder = Path(tempfile.mkdtemp(prefix="fm-python-"))
    variables = {name: value for name, value in os.environ.items() if not name.startswith("FM_")}
    process = subprocess.Popen(
        [ROOT / "node_modules/.bin/node", "infra/local/server.ts"],
        cwd=ROOT,
        env={**variables, "FM_PORT": "0", "FM_DATA_DIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    try:
        reader = _wait_until_ready(process, said)
        yield Server(_address(said), folder, said)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=20)
        reader.join()
        shutil.rmtree(folder, ignore_errors=True)


def _wait_until_ready(process: subprocess.Popen[str], said: list[str]) -> threading.Thread:
    """Reads on in a thread: a full pipe would stop the server."""
    ready = threading.Event()

    def read() -> None:
        assert process.stdout is not None
        with process.stdout as lines:
            for line in lines:
                said.append(line)
                if " is ready at " in line:
                    ready.set()
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    ready.wait(timeout=30)
    return reader


def _address(said: list[str]) -> str:
    found = re.search(r"is ready at (http\S+);", "".join(said))
    assert found, f"the server was not ready: {''.join(said)}"
    return found[1]


@pytest.fixture
def workspace(server: Server) -> Iterator[Workspace]:
    """An environment and a pipeline that no other test uses, with a key and a run of its own."""
    with httpx.Client(base_url=server.url, trust_env=False) as client:
        yield Workspace(server, client, f"pipe-{uuid.uuid4().hex[:12]}")


@pytest.fixture
def settings(workspace: Workspace) -> Settings:
    """A run token for the workspace's pipeline."""
    return workspace.settings()
