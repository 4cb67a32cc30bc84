"""`atheris` targets of the Python package: any bytes as a config's text, and as secrets with a log."""

import sys

import atheris

with atheris.instrument_imports():
    from flowmason_core.secrets.derived import forms_of, why_left_alone
    from flowmason_core.secrets.plan import local_answer, plan_config
    from flowmason_core.secrets.redaction import Redactor
    from flowmason_core.secrets.references import parse_template


def references(data: bytes) -> None:
    """What is asked for, answered by its own text, fills the config without a reference left open."""
    text = data.decode("utf-8", "replace")
    template = parse_template(text)
    config = {"a": [text, {"headers": text}]}
    plan = plan_config(config)
    if template is None:
        assert plan.request is None
        return
    shown = [part if isinstance(part, str) else getattr(part, "text", None) or str(part) for part in template.parts]
    assert sum(map(len, shown)) <= len(text) or template.references
    if template.malformed or plan.request is None:
        assert template.malformed or local_answer(config).fill(config)["a"]
        return
    answer = plan.take(_answered(plan.request))
    filled = answer.fill(config)
    assert filled["a"][0] == filled["a"][1]["headers"]


def _answered(asked: object) -> object:
    if isinstance(asked, dict):
        return {key: _answered(member) for key, member in asked.items()}
    if isinstance(asked, list):
        return [_answered(member) for member in asked]
    return "=value {{secrets.again}}" if isinstance(asked, str) else asked


def redactor(data: bytes) -> None:
    """As test/fuzz/redactor.ts."""
    lines = data.decode("utf-8", "replace").split("\n")
    end = lines.index("", 1) if "" in lines[1:] else len(lines)
    secrets = lines[1:end][:8]
    known = [secret for secret in secrets if why_left_alone(secret) is None]
    redacts = Redactor(secrets)
    forms = [form for secret in known for _, form in forms_of(secret)]
    rest = "\n".join(lines[end + 1 :])
    text = rest + rest[:3].join(forms[:3])
    redacted = redacts.redact(text)
    if not any(form in text for form in forms):
        assert redacted == text
    if not any(form in "****...****" for form in forms):
        for piece in redacted.split("****...****"):
            assert not any(form in piece for form in forms), "a form of a secret is left"
    sizes = [1 + ord(letter) % 17 for letter in lines[0]] or [4]
    stream, out, at, count = redacts.stream(), "", 0, 0
    while at < len(text):
        size = sizes[count % len(sizes)]
        out += stream.feed(text[at : at + size])
        at, count = at + size, count + 1
    assert out + stream.flush() == redacted


TARGETS = {"references": references, "redactor": redactor}
atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
atheris.Fuzz()
