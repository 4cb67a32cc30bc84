"""The vectors of the grammar that every language shares, through the manager with a store in memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from flowmason_core.secrets import LimitExceeded, UnresolvedReferences
from flowmason_core.secrets.plan import path_text, plan_config
from flowmason_core.secrets.references import Reference
from flowmason_core.secrets.testing import FakeSecrets

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "test/vectors/references.json").read_text("utf-8"))[
    "vectors"
]


def fake_of(values: dict[str, str]) -> FakeSecrets:
    """A store with the row's values; a version of it may have any number."""
    secrets = FakeSecrets()
    look_up = secrets._store._look_up

    def by_pin(reference: Reference) -> tuple[Any, dict[str, str] | None]:
        found = values.get(f"{reference.name}{reference.pin}")
        secrets._store.versions = {} if found is None else {reference.name: [found]}
        return look_up(Reference(reference.name, "", reference.fields))

    secrets._store._look_up = by_pin  # type: ignore[method-assign]
    return secrets


@pytest.mark.anyio
@pytest.mark.parametrize("row", VECTORS, ids=lambda row: row["name"])
async def test_vectors(row: dict[str, Any]) -> None:
    secrets = fake_of(row.get("values", {}))
    if "expected" in row:
        resolved = await secrets.resolve(row["config"])
        assert resolved == row["expected"]
        assert json.dumps(resolved) == json.dumps(row["expected"])
    elif "malformed" in row:
        slots = plan_config(row["config"]).slots
        assert [path_text(slot.place) for slot in slots if slot.template.malformed] == row["malformed"]
    elif "unresolved" in row:
        with pytest.raises(UnresolvedReferences) as failure:
            await secrets.resolve(row["config"])
        assert list(dict.fromkeys(failure.value.paths)) == row["unresolved"]
    else:
        assert row["too_deep"]
        with pytest.raises(LimitExceeded):
            await secrets.resolve(row["config"])
