"""
The forms in which a value turns up where it should not: as others encode it on the way to a log.

`test/vectors/redaction.json` fixes what each one is, for every language that redacts.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

MIN_LENGTH = 8

# What providers publish about their own keys: which kind it is, nothing of the key. Longest first.
_PUBLIC_PREFIXES = (
    *("github_pat_", "sk-proj-", "sk_live_", "sk_test_", "pk_live_", "pk_test_", "rk_live_", "rk_test_"),
    *("sk-ant-", "dop_v1_", "glpat-", "shpat_", "xoxb-", "xoxp-", "xapp-", "whsec_", "ghp_", "gho_", "ghu_", "ghs_"),
    *("pypi-", "npm_", "AKIA", "ASIA", "AIza", "fmk_", "SG.", "hf_", "sk-"),
)

# Texts that stand in every log: hiding them would tell more than it hides.
_COMMON = frozenset(
    [
        *("password", "changeme", "username", "password1", "12345678", "anonymous", "administrator", "redacted"),
        *("production", "development", "undefined", "disabled", "required", "internal", "external", "database"),
        *("postgres", "postgresql", "localhost", "127.0.0.1", "http://localhost", "https://localhost"),
    ]
)
_PEM_LINE = re.compile(r"-----(?:BEGIN|END) [A-Z0-9 ]+-----")


def why_left_alone(value: str) -> str | None:
    """Why a value cannot be redacted: `"short"` or `"common"`; None when it can."""
    if len(value) < MIN_LENGTH:
        return "short"
    if value.lower() in _COMMON or len(set(value)) == 1:
        return "common"
    return None


def mask_of(value: str) -> str:
    """What stands in its place: of one width, with the provider's public prefix if much more follows it."""
    for prefix in _PUBLIC_PREFIXES:
        if value.startswith(prefix) and len(value) >= len(prefix) + MIN_LENGTH:
            return f"{prefix}****...****"
    return "****...****"


def forms_of(value: str) -> Iterator[tuple[str, str]]:
    """Each form of a value with its name; forms that are equal or shorter than 8 characters are left out."""
    seen = set()
    for name, form in _all_forms(value):
        if len(form) >= MIN_LENGTH and form not in seen:
            seen.add(form)
            yield name, form


def byte_forms_of(data: bytes) -> Iterator[str]:
    """Each form of bytes that are no UTF-8, under 8 characters left out: as written for bytes, and as misread text."""
    for _, form in _byte_forms(data):
        if len(form) >= MIN_LENGTH:
            yield form
    yield repr(data)[2:-1]
    for text in (data.decode("latin-1"), data.decode("utf-8", "surrogateescape"), data.decode("utf-8", "replace")):
        # Of what replaces bytes, nothing could be told.
        if len(text.replace("\ufffd", "")) >= MIN_LENGTH:
            for _, form in forms_of(text):
                yield form


def _all_forms(value: str) -> Iterator[tuple[str, str]]:
    yield "raw", value
    yield from _byte_forms(value.encode("utf-8", "surrogatepass"))
    yield from _escaped_forms(value)
    for line in _lines(value):
        yield "line", line


def _byte_forms(data: bytes) -> Iterator[tuple[str, str]]:
    for offset in range(3):
        text = _base64_at(data, offset)
        yield f"base64@{offset}", text
        yield f"base64url@{offset}", text.replace("+", "-").replace("/", "_")
    yield from _wrapped_forms(_base64_at(data, 0))
    yield "hex", data.hex()
    yield "HEX", data.hex().upper()
    # As Node prints a Buffer, whose first bytes it shows, and as it writes one in JSON.
    yield "hex-spaced", data[:50].hex(" ")
    yield "numbers", ",".join(map(str, data))
    yield from _url_forms(data)


def _url_forms(data: bytes) -> Iterator[tuple[str, str]]:
    """What encodeURIComponent, `quote`, HTML's forms and RFC 3986 leave as it is differs; all are in use."""
    # `quote` leaves a tilde as it is, whatever is safe; a form of HTML does not.
    by_form = quote(data, safe="*").replace("~", "%7E")
    for once in (by_form, *(quote(data, safe=safe) for safe in ("-_.~", "-_.~!*'()", "-_.~/"))):
        yield "url", once
        yield "url-lower", _lower_escapes(once)
        yield "url-form", once.replace("%20", "+")
        yield "url-form-twice", once.replace("%", "%25").replace("%2520", "%2B")
        yield "url-twice", once.replace("%", "%25")
        yield "url-twice-lower", _lower_escapes(once).replace("%", "%25")
    path = quote(data, safe="/-_.~!$&'()*+,;=:@")
    yield "url-path", path


def _escaped_forms(value: str) -> Iterator[tuple[str, str]]:
    as_json = json.dumps(value, ensure_ascii=False)[1:-1]
    yield "json", as_json
    ascii_json = json.dumps(value)[1:-1]
    yield "json-ascii", ascii_json
    for text in (as_json, ascii_json):
        yield "json-slash", text.replace("/", "\\/")
        yield "json-twice", json.dumps(text, ensure_ascii=False)[1:-1]
        # Within JSON there are double quotes, so Python quotes the whole by single ones.
        yield "json-repr", text.replace("\\", "\\\\").replace("'", "\\'")
    # As Go writes it, safe to stand in HTML.
    yield "json-html", re.sub("[<>&\u2028\u2029]", lambda match: f"\\u{ord(match[0]):04x}", as_json)
    yield "repr", _repr(value)
    yield "repr-ascii", ascii(str(value))[1:-1]
    yield "repr-bytes", repr(value.encode("utf-8", "surrogatepass"))[2:-1]
    markup = html.escape(value, quote=False)
    quoted = markup.replace('"', "&quot;")
    yield "markup", markup
    yield "attribute", quoted
    for text in (markup, quoted):
        yield "attribute-lines", text.replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
    for apostrophe in ("&#x27;", "&#39;", "&apos;"):
        yield "html", quoted.replace("'", apostrophe)
    yield "html-decimal", quoted.replace('"', "&#34;").replace("&quot;", "&#34;").replace("'", "&#39;")
    for apostrophe in ("'\\''", "'\"'\"'"):
        yield "shell", value.replace("'", apostrophe)
    yield "shell-double", re.sub(r'([\\"$`])', r"\\\1", value)
    yield "shell-ansi", as_json.replace('\\"', '"').replace("'", "\\'")


def _base64_at(data: bytes, offset: int) -> str:
    """The characters of base64 that the data alone decides, wherever in longer data it stands."""
    encoded = base64.b64encode(b"\0" * offset + data).decode().rstrip("=")
    whole = (offset + len(data)) % 3 == 0
    return encoded[(0, 2, 3)[offset] : len(encoded) if whole else -1]


def _wrapped_forms(encoded: str) -> Iterator[tuple[str, str]]:
    """As `base64` and mail break it into lines, and PEM."""
    for width, end in ((76, "\n"), (76, "\r\n"), (64, "\n")):
        yield f"base64/{width}", end.join(encoded[at : at + width] for at in range(0, len(encoded), width))


def _lower_escapes(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), text)


def _repr(value: str) -> str:
    return repr(str(value))[1:-1]


def _lines(value: str) -> list[str]:
    """Each line of several; the frame of a PEM file is no secret, and stands in many."""
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) < 2:
        return []
    return [line for line in lines if why_left_alone(line) is None and not _PEM_LINE.fullmatch(line)]


def texts_in(value: Any) -> Iterator[str]:
    """The strings that a secret holds, if it holds JSON: whoever parses it may print one of them."""
    if isinstance(value, str):
        yield value
        if value[:1] in ("{", "["):
            try:
                parsed = json.loads(value)
            except (ValueError, RecursionError):
                return
            yield from _members(parsed)
    else:
        yield json.dumps(value, ensure_ascii=False)
        yield from _members(value)


def _members(value: Any) -> Iterator[str]:
    pending = [value]
    while pending:
        at = pending.pop()
        if isinstance(at, dict):
            pending.extend(at.values())
        elif isinstance(at, list):
            pending.extend(at)
        elif isinstance(at, str):
            yield at
        elif isinstance(at, (int, float)) and not isinstance(at, bool):
            yield json.dumps(at)
