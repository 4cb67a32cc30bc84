"""Components as a user writes them, in packages of the runtime's own format."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from flowmason_core.config import ComponentConfig
from flowmason_core.registry import ComponentRegistry

_HEAD = """
from typing import Any, Dict, List, Optional
from flowmason_core import node, NodeInput, NodeOutput
"""

SOURCES = {
    # The product page's component, with the two words that the decorator wants besides.
    "custom_api_call": """
@node(name="custom_api_call", category="custom", description="Calls an API with a secret")
class CustomAPINode:
    class Input(NodeInput):
        data: str = ""
        name: str = "my_api_key"

    class Output(NodeOutput):
        result: str

    async def execute(self, input, context):
        # Access secrets via context
        api_key = await context.secrets.get(input.name)
        # Use the secret
        response = await self.call_api(api_key, input.data)
        return self.Output(result=response)

    async def call_api(self, api_key, data):
        return f"{data}:{len(api_key)}:{api_key}"
""",
    "echo": """
@node(name="echo", category="custom", description="Gives back what it was given")
class Echo:
    class Input(NodeInput):
        value: Any = None
        text: str = ""
        headers: Dict[str, str] = {}
        items: List[Any] = []

    class Output(NodeOutput):
        value: Any = None
        text: str = ""
        headers: Dict[str, str] = {}
        items: List[Any] = []

    async def execute(self, input, context):
        ran.append(context.stage_id)
        return self.Output(**input.model_dump())

import builtins
ran = builtins.__dict__.setdefault("_flowmason_test_ran", [])
""",
    "caller": """
@node(name="caller", category="custom", description="Calls with a value that may be old")
class Caller:
    class Input(NodeInput):
        name: str
        good: str

    class Output(NodeOutput):
        tries: int

    async def execute(self, input, context):
        from flowmason_core.secrets import AuthenticationFailed
        tried = []

        async def call(value):
            tried.append(value)
            if value != input.good:
                raise AuthenticationFailed("refused")

        await context.secrets.use(input.name, call)
        return self.Output(tries=len(tried))
""",
    "rotator": """
@node(name="rotator", category="custom", description="Waits for what a test does between two stages")
class Rotator:
    class Input(NodeInput):
        pass

    class Output(NodeOutput):
        done: bool = True

    async def execute(self, input, context):
        import builtins
        builtins._flowmason_test_between()
        return self.Output()
""",
    "leaky": """
@node(name="leaky", category="custom", description="Tells everybody")
class Leaky:
    class Input(NodeInput):
        api_key: str
        fail: bool = False

    class Output(NodeOutput):
        api_key: str
        encoded: str
        by_header: Dict[str, Any] = {}

    async def execute(self, input, context):
        import base64, json, logging, sys, urllib.parse
        key = input.api_key
        got = await context.secrets.get("canary")
        encoded = base64.b64encode(f"user:{key}".encode()).decode()
        print("the key is", key)
        print("as json", json.dumps({"key": key}), file=sys.stderr)
        sys.stdout.write(key[:10]); sys.stdout.write(key[10:] + "\\\\n")
        context.logger.info("got a key", key=key, input=input)
        log = logging.getLogger("a.library")
        log.warning("url https://x/?k=%s %r", urllib.parse.quote(key, safe=""), {"got": got}, extra={"key": key})
        try:
            raise ValueError(key)
        except ValueError:
            log.exception("it was refused: %s", key.encode().hex())
        if input.fail:
            raise RuntimeError(f"{key} is wrong")
        return self.Output(api_key=key, encoded=encoded, by_header={"authorization": "Bearer " + key, key: [key]})
""",
}


def registry_of(folder: Path) -> ComponentRegistry:
    """A registry with the components above and the runtime's own."""
    registry = ComponentRegistry(packages_dir=folder / "none", cache_dir=folder / "cache")
    registry.auto_discover()
    for name, source in SOURCES.items():
        path = folder / f"{name}.fmpkg"
        manifest = {"name": name, "version": "1.0.0", "type": "node", "entry_point": "index.py", "description": name}
        with zipfile.ZipFile(path, "w") as package:
            package.writestr("flowmason-package.json", json.dumps(manifest))
            package.writestr("index.py", _HEAD + source)
        registry.register_package(path)
        registry.get_component_class(name)
    return registry


def stage(id: str, type: str, *depends_on: str, **config: Any) -> ComponentConfig:
    """A stage of a pipeline."""
    return ComponentConfig(id=id, type=type, config=config, depends_on=list(depends_on))
