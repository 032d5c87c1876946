"""The keys of a `config.json`, each checked as it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Never

from planner.spec.base import MAX_WHOLE_NUMBER, PlanError, Problem
from planner.spec.parse import MAX_BYTES
from planner.spec.words import escaped, shown


def load_json(raw: bytes, source: str) -> dict[str, Any]:
    """Parse a JSON object.

    Args:
        raw: what the file holds.
        source: its name, for messages.

    Raises:
        PlanError: too large, not UTF-8, not JSON (with line and column), or no object.
    """
    if len(raw) > MAX_BYTES:
        _refuse(f"the file is larger than {MAX_BYTES // 1_000_000} MB; this is no model's configuration.", source)
    try:
        data = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        _refuse("not a UTF-8 text file.", source)
    except json.JSONDecodeError as error:
        _refuse(f"not valid JSON: {escaped(error.msg)} (line {error.lineno}, column {error.colno}).", source)
    except RecursionError:
        _refuse("tables or lists are nested too deeply.", source)
    except ValueError:  # what Python says of an integer of thousands of digits
        _refuse("a whole number has more digits than this program reads.", source)
    if not isinstance(data, dict):
        _refuse("a model's configuration is one JSON object.", source)
    return data


class Config:
    """A configuration under the names Hugging Face's Llama has for its keys.

    Args:
        data: the parsed file, or the table of its text model.
        source: name of the file, for messages.
        defaults: values of keys the file leaves out.
        names: where a key has other names, separated by blanks; dots lead into tables.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        source: str,
        defaults: Mapping[str, int | bool] | None = None,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._data, self._source = data, source
        self._defaults, self._names = defaults or {}, names or {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - any JSON value
        """What stands at a key, or its default; None where there is neither, or null.

        Raises:
            PlanError: a key on the way is no table.
        """
        for name in self._names.get(key, key).split():
            place: Any = self._data
            *tables, last = name.split(".")
            for table in tables:
                place = place.get(table, {})
                if not isinstance(place, dict):
                    self.refuse(table, f"{shown(place)} is no table.")
            if last in place:
                return place[last]
        return self._defaults.get(key)

    def whole(self, key: str, least: int = 1) -> int:
        """A whole number.

        Raises:
            PlanError: it is missing, no whole number, too small or too large.
        """
        value = self.optional(key, least)
        if value is None:
            self.refuse(key, "this key is needed and missing.")
        return value

    def optional(self, key: str, least: int = 1) -> int | None:
        """A whole number, or None where the file has none; a list that says the same of every layer is that number.

        Raises:
            PlanError: no whole number, too small or too large, or not the same in every layer.
        """
        value = self.get(key)
        if isinstance(value, list) and value:
            if any(one != value[0] for one in value):
                self.refuse(key, "it differs from layer to layer, which a model table cannot say.")
            value = value[0]
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int):
            self.refuse(key, f"{shown(value)} is no whole number.")
        if not least <= value <= MAX_WHOLE_NUMBER:
            self.refuse(key, f"{shown(value)} is out of range: at least {least}, at most 2^53.")
        return value

    def flag(self, key: str) -> bool:
        """True or false; null counts as false.

        Raises:
            PlanError: it is neither.
        """
        value = self.get(key)
        if value is not None and not isinstance(value, bool):
            self.refuse(key, f"{shown(value)} is neither true nor false.")
        return bool(value)

    def words(self, key: str, allowed: Mapping[str, str], length: int) -> list[str] | None:
        """One word a layer, each translated; None where the file has no such list.

        Raises:
            PlanError: no list, of another length, or a word that is not allowed.
        """
        value = self.get(key)
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != length:
            self.refuse(key, f"one word for each of the {length:,} layers is needed.")
        if odd := next((word for word in value if not isinstance(word, str) or word not in allowed), None):
            self.refuse(key, f"{shown(odd)} is a kind of layer that is not known. Known: {', '.join(allowed)}.")
        return [allowed[word] for word in value]

    def numbers(self, key: str) -> list[int]:
        """Whole numbers; empty where the file has none.

        Raises:
            PlanError: something else.
        """
        value = self.get(key)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(n, int) and not isinstance(n, bool) for n in value):
            self.refuse(key, f"{shown(value)} is no list of whole numbers.")
        return value

    def refuse(self, key: str, message: str) -> Never:
        """Refuse the file for what stands at a key.

        Raises:
            PlanError: always.
        """
        raise PlanError([Problem("error", escaped(self._names.get(key, key).split()[0]), message)], self._source)


def _refuse(message: str, source: str) -> Never:
    raise PlanError([Problem("error", "", message)], source)
