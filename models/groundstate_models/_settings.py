"""The numbers that a model learns, as a JSON file: one base for all models."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self


class SettingsError(ValueError):
    """The file holds no settings that this version can use. It is left as it is."""


@dataclass(frozen=True)
class Settings:
    """Base of a model's settings: a frozen dataclass whose fields all have defaults, the numbers before training.

    A field is a number, or a mapping of names to numbers or lists of numbers. A file has the fields of the class, their names and
    the lengths of their lists, and besides them ``format``.
    """

    FORMAT: ClassVar[int]
    """Version of the file. Raise it when a field or a name is added, or changes its meaning."""

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file that `keep` wrote.

        Raises:
            SettingsError: If the file cannot be read, is damaged, or is of another version.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            version = stored.pop("format")
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SettingsError(
                f"{path} is damaged, or holds no settings ({error}). Name the settings.json of a training run."
            ) from None
        if version != cls.FORMAT:
            raise SettingsError(
                f"{path} holds settings of format {version!r}; this version reads format {cls.FORMAT}. Train again."
            )
        if place := _misfit(stored, asdict(cls()), ""):
            raise SettingsError(f"{path} is damaged: {place}. Name the settings.json of a training run.")
        return cls(**stored)

    def keep(self, path: Path) -> None:
        """Write the settings as JSON."""
        named = {field.name: _plain(getattr(self, field.name)) for field in fields(self)}
        path.write_text(json.dumps({"format": self.FORMAT, **named}, indent=1) + "\n", encoding="utf-8")


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _misfit(value: Any, model: Any, place: str) -> str:
    """The first place where a value does not have the shape of the model, as the start of a sentence; empty if none."""
    if isinstance(model, Mapping):
        if not isinstance(value, dict):
            return f"{place or 'the file'} is not an object"
        if differing := sorted(value.keys() ^ model.keys()):
            what = "is unknown" if differing[0] in value else "is missing"
            return f"{_joined(place, differing[0])} {what}"
        each = [(value[name], model[name], _joined(place, name)) for name in model]
    elif isinstance(model, list):
        if not isinstance(value, list) or len(value) != len(model):
            return f"{place} is not a list of {len(model)} numbers"
        each = [(one, like, f"{place}[{i}]") for i, (one, like) in enumerate(zip(value, model, strict=True))]
    else:
        number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return "" if number else f"{place} is not a number"
    return next(filter(None, (_misfit(*one) for one in each)), "")


def _joined(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
