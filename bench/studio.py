"""The flowmason package's own secrets service: a library over files, used in the process that asks."""

import importlib.util
import itertools
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable

SECRETS, REFERENCES, VALUE, SECONDS = 10_000, 50, "v" * 1024, 2.0


def main() -> None:
    # By its path: the package's __init__ wants a web framework that the service does not.
    found = importlib.util.find_spec("flowmason_studio_backend")
    if found is None or not found.submodule_search_locations:
        sys.exit("the package is not installed")
    path = pathlib.Path(found.submodule_search_locations[0]) / "services" / "secrets.py"
    spec = importlib.util.spec_from_file_location("studio_secrets", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["studio_secrets"] = module
    spec.loader.exec_module(module)
    with tempfile.TemporaryDirectory() as folder:
        secrets = module.SecretsService(org_id="bench", master_key="bench", storage_path=folder)
        for index in range(SECRETS):
            secrets.set(f"s{index:07d}", VALUE)
        numbers = itertools.count()

        def name() -> str:
            return f"s{next(numbers) * 7919 % SECRETS:07d}"

        figures = {
            "read": timed(lambda: secrets.get(name())),
            "config": timed(lambda: [secrets.get(name()) for _ in range(REFERENCES)]),
            "write": timed(lambda: secrets.set(name(), VALUE)),
            "list": timed(secrets.list),
        }
        print(json.dumps(figures))


def timed(turn: Callable[[], object]) -> float:
    """Milliseconds of one turn, the median."""
    taken = []
    until = time.perf_counter() + SECONDS
    while time.perf_counter() < until:
        started = time.perf_counter()
        turn()
        taken.append(time.perf_counter() - started)
    return sorted(taken)[len(taken) // 2] * 1e3


main()
