"""JSON in and out, numbers digit for digit."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import msgspec

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Decimals are written as numbers, with every digit."""


def decode(text: str | bytes) -> Any:
    """Numbers with a fraction become Decimals."""
    return json.loads(text, parse_float=Decimal)
