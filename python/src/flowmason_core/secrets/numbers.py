"""JSON whose numbers lose no digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any


def parse_json(text: str | bytes) -> Any:
    """
    Reads JSON. A number that Python would round, for example one of 20 decimal places, becomes the text that it
    was written as.

    :raises ValueError: when it is none
    """
    return json.loads(text, parse_float=_float, parse_int=_int)


def _float(text: str) -> float | str:
    value = float(text)
    # Compared as written: 0.1 is no binary fraction, but comes out as it went in.
    return value if Decimal(repr(value)) == Decimal(text) else text


def _int(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:  # Python refuses to read more than 4300 digits
        return text
