"""Installed models: files that packages announce in entry-point groups.

Models of the group ``groundstate.models`` are served by default. Those of ``groundstate.models.named`` are served where somebody
names them: every tool's schema costs a language model's attention.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundstate import _words
from groundstate._errors import UnknownModelError

if TYPE_CHECKING:
    from pathlib import Path

GROUP = "groundstate.models"
NAMED = "groundstate.models.named"


def names(*, every: bool = False) -> list[str]:
    """Names of the installed models, sorted.

    Args:
        every: Include the models that are served only where they are named.
    """
    from importlib.metadata import entry_points  # 20 ms to import, most of what `import groundstate` would cost

    groups = (GROUP, NAMED) if every else (GROUP,)
    return sorted({entry.name for group in groups for entry in entry_points(group=group)})


def locate(name: str) -> Path:
    """The artefact of an installed model.

    Raises:
        UnknownModelError: If there is none of this name.
    """
    from importlib.metadata import entry_points
    from pathlib import Path

    entries = [*entry_points(group=GROUP), *entry_points(group=NAMED)]
    for entry in entries:
        if entry.name == name:
            return Path(entry.load()())
    known = sorted({entry.name for entry in entries})
    installed = f" Installed are {_words.quoted(known)}." if known else " No model is installed."
    hint = _words.did_you_mean(name, known, cutoff=0.5)
    raise UnknownModelError(f"There is no installed model {name!r}, and no file of that name.{hint}{installed}")
