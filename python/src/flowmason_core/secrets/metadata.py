"""What a secret tells about itself."""

from __future__ import annotations

from typing import Any, TypedDict


class SecretMetadata(TypedDict, total=False):
    """As `GET /api/v1/secrets` answers it: times are RFC 3339 in UTC, absent things None. There is no value in it."""

    name: str
    scope: str
    pipeline_id: str | None
    user: str | None
    environment: str | None
    description: str | None
    metadata: dict[str, Any] | None
    version: int
    fingerprint: str | None
    created_at: str
    created_by: str
    last_rotated: str | None
    last_rotated_by: str | None
    rotation_days: int | None
    next_rotation_at: str | None
    last_accessed_at: str | None
    deleted_at: str | None
    state: str
    previous: dict[str, Any] | None
    pending: dict[str, Any] | None
    rotator: dict[str, Any] | None
    rotation: dict[str, Any] | None
    reminder: dict[str, Any]
