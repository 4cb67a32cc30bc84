"""What tests do to a server beside the package that they test."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from flowmason_core.secrets import Settings


@dataclass
class Server:
    """A running server."""

    url: str
    folder: Path
    said: list[str]

    @property
    def admin_key(self) -> str:
        """Its first admin key."""
        key: str = json.loads((self.folder / "admin.json").read_text())["api_key"]
        return key


class Workspace:
    """A pipeline of its own on a shared server: its secrets are pipeline-scoped, so tests do not meet."""

    def __init__(self, server: Server, client: httpx.Client, pipeline_id: str) -> None:
        self.server = server
        self.client = client
        self.pipeline_id = pipeline_id
        self.run_id = f"run-{pipeline_id}"
        self._admin = {"authorization": f"Bearer {server.admin_key}"}
        self.api_key: str = self.call(
            "POST",
            "/api-keys",
            {"name": pipeline_id, "role": "runtime", "pipelines": [pipeline_id], "environments": ["production"]},
        )["api_key"]

    def call(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """A request of the admin, or by another key."""
        headers = self._admin if key is None else {"authorization": f"Bearer {key}"}
        response = self.client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert response.is_success, response.text
        return response.json() if response.content else None

    def create(self, name: str, value: str, **more: Any) -> None:
        """A secret of this pipeline."""
        body = {"name": name, "value": value, "scope": "pipeline", "pipeline_id": self.pipeline_id, **more}
        self.call("POST", "/secrets", body)

    def rotate(self, name: str, value: str, **more: Any) -> None:
        """Gives it a new value."""
        self.call(
            "POST",
            f"/secrets/{name}/rotate?scope=pipeline&pipeline_id={self.pipeline_id}",
            {"new_value": value, **more},
        )

    def settings(self, **more: Any) -> Settings:
        """Settings with a run token."""
        body = {"pipeline_id": self.pipeline_id, "environment": "production", "run_id": self.run_id}
        token = self.call("POST", "/runs", body, key=self.api_key)["run_token"]
        return Settings(**{"api_url": self.server.url, "run_token": token, "run_id": self.run_id, **more})

    def key_settings(self, **more: Any) -> Settings:
        """Settings with the API key."""
        place = {"environment": "production", "pipeline_id": self.pipeline_id, "run_id": self.run_id}
        return Settings(**{"api_url": self.server.url, "api_key": self.api_key, **place, **more})

    def end_run(self) -> None:
        """Ends the run and its token."""
        self.call("DELETE", f"/runs/{self.run_id}", key=self.api_key)

    def accesses(self) -> list[dict[str, Any]]:
        """The audit entries of this pipeline's resolves, once the log has them all."""
        for _ in range(200):
            if self.client.get("/health").json()["audit_lag"] == 0:
                break
            time.sleep(0.05)
        entries: list[dict[str, Any]] = self.call(
            "GET", f"/secrets/audit?action=access&limit=1000&pipeline_id={self.pipeline_id}"
        )
        return entries
