"""Frozen values as JSON-able lists and back, by their type hints; for what is kept between runs.

Promises that `decoder(T)(encode(value))` equals `value` for the values of this room. Text that was not made by
`encode` raises one of FAULTS.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from pathlib import PurePosixPath
from typing import Any

Decoder = Callable[[Any], Any]
FAULTS = (ValueError, TypeError, KeyError, IndexError, AttributeError)


def encode(value: Any) -> Any:
    """`value` in nothing but lists, mappings of texts, texts, numbers, booleans and None."""
    if isinstance(value, Enum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return [encode(getattr(value, field.name)) for field in fields(value)]
    if isinstance(value, tuple | list):
        return [encode(part) for part in value]
    if isinstance(value, Mapping):
        return {key: encode(part) for key, part in value.items()}
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, PurePosixPath):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be kept")


@cache
def decoder(kind: Any) -> Decoder:
    """What makes a value of type `kind` from what `encode` made of one."""
    if is_dataclass(kind):
        return _record(kind)
    if isinstance(kind, type):
        return _simple(kind)
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return _optional(decoder(next(part for part in inner if part is not type(None))))
    if origin is tuple:
        return _sequence(inner)
    part = decoder(inner[1])
    return lambda value: {key: part(one) for key, one in value.items()}


def _simple(kind: type) -> Decoder:
    if issubclass(kind, str | int) and not issubclass(kind, Enum):
        return lambda value: value
    if issubclass(kind, datetime | date):
        return kind.fromisoformat
    if issubclass(kind, tuple):
        return lambda value: kind(*value)
    return kind


def _optional(part: Decoder) -> Decoder:
    return lambda value: None if value is None else part(value)


def _sequence(inner: tuple[Any, ...]) -> Decoder:
    if len(inner) == 2 and inner[1] is Ellipsis:
        part = decoder(inner[0])
        return lambda value: tuple([part(one) for one in value]) if value else ()
    parts = [decoder(one) for one in inner]
    return lambda value: tuple([part(one) for part, one in zip(parts, value, strict=True)])


def _record(kind: Any) -> Decoder:
    hints = typing.get_type_hints(kind)
    parts = [decoder(hints[field.name]) for field in fields(kind)]
    return lambda value: kind(*[part(one) for part, one in zip(parts, value, strict=True)])
