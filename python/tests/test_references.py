"""The grammar, against the server's own: what one of them takes for a reference, the other must too."""

from __future__ import annotations

import random

import pytest

from flowmason_core.secrets import SecretsManager, Settings
from flowmason_core.secrets.references import Literal, Reference, parse_template

from .server import Workspace

PIECES = [
    *(
        "{{",
        "}}",
        "{{secrets",
        "{{ secrets",
        "\\{{secrets",
        "\\",
        "secrets.",
        ".",
        "@",
        "@1",
        "@previous",
        "@01",
        " ",
        "\t",
    ),
    *("{{secrets.one}}", "{{ secrets.one }}", "{{secrets.two.a}}", "{{secrets.two.b.0}}", "{{secrets.one@1}}"),
    *(
        "\\{{secrets.one}}",
        "{{input.x}}",
        "{{secrets-one}}",
        "{{secrets_x}}",
        "{{secrets.9}}",
        "{{secrets.one",
        "one}}",
    ),
    *("text", "é😀", "\n", "{", "}", "{{{secrets.one}}}", "{{secrets.one.}}", "{{secrets.two.}}", "{{SECRETS.one}}"),
]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("{{secrets.a}}", (Reference("a", "", ""),)),
        ("x{{ secrets.a@7.b.0\t}}y", ("x", Reference("a", "@7", ".b.0"), "y")),
        ("\\{{secrets.a}}{{secrets.b@previous}}", (Literal("{{secrets.a}}"), Reference("b", "@previous", ""))),
    ],
)
def test_examples(text: str, parts: tuple[object, ...]) -> None:
    template = parse_template(text)
    assert template is not None
    assert template.parts == parts
    assert not template.malformed


def test_what_is_no_reference() -> None:
    for text in ("", "secrets.a", "{{input.x}}", "{{secretsx.a}}", "{ {secrets.a}}", "{{upstream.secrets.a}}"):
        assert parse_template(text) is None
    for text in ("{{secrets}}", "{{secrets.}}", "{{secrets.a b}}", "{{secrets.a@0}}", "{{secrets.a", "{{secrets.1a}}"):
        template = parse_template(text)
        assert template is not None
        assert template.malformed


@pytest.mark.anyio
async def test_both_fill_random_strings_alike(workspace: Workspace, settings: Settings) -> None:
    workspace.create("one", "first {{secrets.two}} \\")
    workspace.create("two", '{"a": "é😀", "b": [1.50], "c": {}}')
    chance = random.Random(11)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 7))) for _ in range(1500)]
    whole: list[str] = []
    malformed: list[str] = []
    for text in texts:
        template = parse_template(text)
        (malformed if template is not None and template.malformed else whole).append(text)
    # What names something that is not there fails in both ways alike; here both are to succeed.
    known = {"one", "one@1", "two", "two.a", "two.b", "two.b.0", "two@1"}
    whole = [text for text in whole if {each.key for each in getattr(parse_template(text), "references", ())} <= known]
    assert len(whole) > 300
    assert len(malformed) > 300
    ours = await SecretsManager(settings).resolve(whole)
    theirs = workspace.call("POST", "/resolve", {"config": whole}, key=settings.run_token)["config"]
    assert ours == theirs
    for text in malformed[:60]:
        response = workspace.client.post(
            "/api/v1/resolve",
            json={"config": [text]},
            headers={"authorization": f"Bearer {settings.run_token}"},
        )
        assert response.status_code == 422, text
