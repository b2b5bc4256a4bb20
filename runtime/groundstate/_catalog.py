"""Installed models: files that packages announce in the entry-point group ``groundstate.models``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundstate import _words
from groundstate._errors import UnknownModelError

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "groundstate.models"


def names() -> list[str]:
    """Names of the installed models, sorted."""
    from importlib.metadata import entry_points  # 20 ms to import, most of what `import groundstate` would cost

    return sorted({entry.name for entry in entry_points(group=GROUP)})


def locate(name: str) -> Path:
    """The artefact of an installed model.

    Raises:
        UnknownModelError: If there is none of this name.
    """
    from importlib.metadata import entry_points
    from pathlib import Path

    entries = entry_points(group=GROUP)
    for entry in entries:
        if entry.name == name:
            return Path(entry.load()())
    known = sorted({entry.name for entry in entries})
    installed = f" Installed are {_words.quoted(known)}." if known else " No model is installed."
    hint = _words.did_you_mean(name, known, cutoff=0.5)
    raise UnknownModelError(f"There is no installed model {name!r}, and no file of that name.{hint}{installed}")
