"""Redaction by the vectors that every language shares, in one piece and in chunks; what it leaves alone."""

from __future__ import annotations

import base64
import json
import random
import threading
from pathlib import Path
from typing import Any

import pytest

from flowmason_core.secrets import Redactor
from flowmason_core.secrets.derived import mask_of
from flowmason_core.secrets.value import SecretValue

VECTORS = json.loads((Path(__file__).resolve().parents[2] / "test/vectors/redaction.json").read_text(encoding="utf-8"))


def redactor_of(secrets: list[str]) -> Redactor:
    redactor = Redactor()
    for secret in secrets:
        redactor.add_value(secret)
    return redactor


@pytest.mark.parametrize("vector", VECTORS["redact"], ids=lambda vector: vector["name"])
def test_vectors(vector: dict[str, Any]) -> None:
    text, redacted = vector["text"], vector["redacted"]
    redactor = redactor_of(vector["secrets"])
    assert redactor.redact(text) == redacted
    for cut in range(len(text) + 1):
        stream = redactor.stream()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.flush() == redacted
    stream = redactor.stream()
    assert "".join(stream.feed(character) for character in text) + stream.flush() == redacted


@pytest.mark.parametrize("vector", VECTORS["redact_bytes"], ids=lambda vector: vector["name"])
def test_vectors_of_bytes(vector: dict[str, str]) -> None:
    redactor = Redactor()
    assert redactor.add_bytes(base64.b64decode(vector["bytes"])) is None
    assert redactor.redact(vector["text"]) == vector["redacted"]


def test_bytes_that_are_left_alone() -> None:
    redactor = Redactor()
    assert redactor.add_bytes(b"\xff\xfe\xfd") == "short"
    assert redactor.add_bytes(b"\xff" * 32) == "common"
    assert redactor.redact("fffefd " + "ff" * 32) == "fffefd " + "ff" * 32


@pytest.mark.parametrize("vector", VECTORS["masks"], ids=lambda vector: vector["mask"])
def test_masks(vector: dict[str, str]) -> None:
    assert mask_of(vector["value"]) == vector["mask"]


@pytest.mark.parametrize("vector", VECTORS["left_alone"], ids=lambda vector: vector["reason"])
def test_left_alone(vector: dict[str, str]) -> None:
    redactor = Redactor()
    assert redactor.add(vector["value"]) == vector["reason"]
    assert redactor.left_alone[vector["reason"]] == 1
    assert redactor.redact(f"a {vector['value']} b") == f"a {vector['value']} b"


def test_chunks_of_any_size_come_out_as_one_piece() -> None:
    chance = random.Random(7)
    for _ in range(300):
        # A small alphabet, so that values overlap, begin alike and nearly match.
        secrets = ["".join(chance.choices("ab", k=chance.randint(8, 14))) for _ in range(chance.randint(1, 6))]
        redactor = Redactor(secrets)
        text = "".join(chance.choices("ab", k=chance.randint(0, 120)))
        for _ in range(chance.randint(0, 3)):
            at = chance.randint(0, len(text))
            text = text[:at] + chance.choice(secrets) + text[at:]
        stream = redactor.stream()
        out, at = "", 0
        while at < len(text):
            size = chance.randint(1, 20)
            out += stream.feed(text[at : at + size])
            at += size
        assert out + stream.flush() == redactor.redact(text)


def test_a_line_that_is_no_beginning_comes_out_at_once() -> None:
    stream = Redactor(["s3cr3t-value"]).stream()
    assert stream.feed("a line\n") == "a line\n"
    assert stream.feed("a s3cr") == "a "
    assert stream.feed("et") == "s3cret"


def test_structures_and_exceptions() -> None:
    redactor = Redactor(["s3cr3t-value"])
    data = {"s3cr3t-value": [SecretValue("s3cr3t-value"), ("x", b"=s3cr3t-value="), 1, None]}
    mask = "****...****"
    assert redactor.scrub(data) == {mask: [mask, ("x", f"={mask}=".encode()), 1, None]}
    try:
        try:
            raise ValueError("s3cr3t-value", {"key": "s3cr3t-value"})
        except ValueError as error:
            failure = RuntimeError("because of s3cr3t-value")
            failure.detail = {"key": "s3cr3t-value"}  # type: ignore[attr-defined]
            raise failure from error
    except RuntimeError as error:
        redactor.scrub_exception(error)
        assert "s3cr3t" not in repr((error, vars(error), error.__cause__))


def clean_log(size: int) -> str:
    chance = random.Random(3)
    words = ["INFO", "stage", "generator", "finished", "run", "pipeline", "sk-live-", "https://example.com", "token"]
    lines: list[str] = []
    length = 0
    while length < size:
        lines.append(
            f"2026-11-01T00:00:{len(lines) % 60:02} {chance.getrandbits(64):x} " + " ".join(chance.choices(words, k=9))
        )
        length += len(lines[-1]) + 1
    return "\n".join(lines)[:size]


def test_not_a_byte_of_a_megabyte_of_clean_log_changes() -> None:
    chance = random.Random(1)
    secrets = [f"sk-live-{chance.getrandbits(160):040x}" for _ in range(1000)]
    redactor = Redactor(secrets)
    text = clean_log(1_000_000)
    assert redactor.redact(text) == text
    stream = redactor.stream()
    assert "".join(stream.feed(text[at : at + 4096]) for at in range(0, len(text), 4096)) + stream.flush() == text
    dirty = text[:500_000] + secrets[500] + text[500_000:]
    assert redactor.redact(dirty).count("****") == 2


def test_near_misses_and_long_values_stay_linear() -> None:
    redactor = Redactor([f"sk-proj-common-beginning-{number:06}" for number in range(1000)])
    text = "sk-proj-common-beginning-x " * 40_000
    assert redactor.redact(text) == text
    # What begins alike is compared with, and not all that the longest pattern of all could reach.
    redactor.add("".join(random.Random(4).choices("ghijkl=/ ", k=60_000)))
    assert redactor.redact(text) == text
    long = "".join(random.Random(2).choices("abcdefghij \n", k=60_000))
    redactor = Redactor([long])
    stream = redactor.stream()
    out = "".join(stream.feed((long + "end")[at : at + 100]) for at in range(0, len(long) + 3, 100)) + stream.flush()
    assert out == "****...****end"


def test_values_are_learned_while_other_threads_search() -> None:
    redactor = Redactor(["beginning-0000"])
    failures: list[BaseException] = []
    done = threading.Event()

    def search() -> None:
        try:
            while not done.is_set():
                assert redactor.redact("a beginning-0000 b beginning-0400 c").startswith("a ****...**** b ")
                redactor.stream().feed("beginning-04")
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(1, 800):
        redactor.add(f"beginning-{number:04}" + "x" * (number % 40))
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
