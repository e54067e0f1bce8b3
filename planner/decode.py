"""Decoded JSON, taken apart value by value with the path of every fault."""

from __future__ import annotations

import json
import sys
from typing import Any

from planner.errors import Fault

_NAMES = {str: "string", int: "integer", bool: "boolean", float: "number", list: "array", dict: "object"}


class Reader:
    """Takes typed values out of decoded JSON and collects the faults with their paths.

    A bad value is replaced by a neutral one, so that reading goes on to the other faults.
    """

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.shifted = False  # An array lost an item, so that later positions no longer match.

    def refuse(self, where: str, code: str, **fields: object) -> None:
        """Add one fault."""
        self.faults.append(Fault(where, code, fields))

    def check(self, value: object, kind: type, where: str) -> Any:
        """Return `value` when it is of `kind`, else the kind's neutral value and a fault."""
        if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
            if -sys.float_info.max <= value <= sys.float_info.max:
                return float(value)
            self.refuse(where, "not_finite")
        elif type(value) is str and kind is str and any("\ud800" <= sign <= "\udfff" for sign in value):
            self.refuse(where, "not_utf8", offset=0)
        elif type(value) is kind:
            return value
        else:
            found = "null" if value is None else _NAMES.get(type(value), type(value).__name__)
            self.refuse(where, "wrong_type", expected=_NAMES[kind], found=found)
        return kind()

    def take(self, holder: dict[str, Any], key: str, kind: type, at: str = "") -> Any:
        """Return a required value."""
        where = f"{at}.{key}" if at else key
        if key in holder:
            return self.check(holder[key], kind, where)
        self.refuse(where, "missing")
        return kind()

    def allow(self, holder: dict[str, Any], key: str, kind: type, default: object, at: str = "") -> Any:
        """Return an optional value; null stands for the default where that is null."""
        if key not in holder or (holder[key] is None and default is None):
            return default
        return self.check(holder[key], kind, f"{at}.{key}" if at else key)

    def words(self, holder: dict[str, Any], key: str, at: str) -> tuple[str, ...]:
        """Return an optional array of strings, none when it is missing or null."""
        where = f"{at}.{key}"
        items = self.allow(holder, key, list, None, at) or ()
        return tuple(self.check(item, str, f"{where}[{index}]") for index, item in enumerate(items))

    def objects(self, holder: dict[str, Any], key: str, at: str = "") -> list[tuple[str, dict[str, Any]]]:
        """Return path and content of each object of a required array."""
        path = f"{at}.{key}" if at else key
        items = []
        for index, item in enumerate(self.take(holder, key, list, at)):
            if isinstance(item, dict):
                items.append((f"{path}[{index}]", item))
            else:
                self.check(item, dict, f"{path}[{index}]")
                self.shifted = True
        return items


def decode(text: str, expected: str) -> tuple[Reader, dict[str, Any]]:
    """Return a reader and the top object of a JSON text; its faults say why there is none."""
    reader = Reader()
    try:
        top = json.loads(text)
    except json.JSONDecodeError as error:
        reader.refuse("", "not_json", line=error.lineno, column=error.colno)
        return reader, {}
    except ValueError:  # An integer of thousands of digits.
        reader.refuse("", "not_json")
        return reader, {}
    except RecursionError:
        reader.refuse("", "too_deep")
        return reader, {}
    if not isinstance(top, dict):
        reader.check(top, dict, "")
        return reader, {}
    if top.get("format") != expected:
        reader.refuse("format", "unknown_format", expected=expected, found=top.get("format"))
    return reader, top
