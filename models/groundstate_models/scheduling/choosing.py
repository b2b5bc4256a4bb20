"""People to choose, as people write them: "2 of Ada, Bob, Cem", "anyone", "Dora if possible"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
_MANY = rf"\d{{1,3}}|{'|'.join(_NUMBERS)}"
_FORM = re.compile(
    rf"""
    (?P<bound>at\s+least\s+|at\s+most\s+|exactly\s+)?
    (?:(?:any\s+)?(?P<low>{_MANY})(?:\s*(?:-|–|to|or)\s*(?P<high>{_MANY}))?|any)
    (?:\s+(?:people|persons?))?
    (?:\s+(?:of|from|out\s+of)(?:\s+the)?\s+(?P<names>.+))?
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ALL = re.compile(r"(?:any(?:one|body|\s+person)|everyone|everybody|all|them)(?:\s+of\s+(?P<names>.+))?", re.IGNORECASE)
_EITHER = re.compile(r"(?:either\s+)?(?P<names>.+\s+or\s+.+)", re.IGNORECASE | re.DOTALL)
_WISHED = re.compile(
    r"(?P<name>.+?)\s*(?:,?\s+if\s+possible|\(optional\)|\(if\s+possible\))", re.IGNORECASE | re.DOTALL
)


@dataclass(frozen=True)
class Choice:
    """People to choose for an activity.

    Attributes:
        least, most: How many.
        among: The people to choose from.
        weight: Cost if there are fewer than `most`; 0 if that does not matter.
    """

    least: int
    most: int
    among: tuple[str, ...]
    weight: float = 0.0

    def in_words(self) -> str:
        if self.weight:
            return f"{', '.join(self.among)} if possible"
        many = f"{self.least}" if self.least == self.most else f"{self.least} to {self.most}"
        return f"{many} of {', '.join(self.among)}"


@dataclass(frozen=True)
class Wanted:
    """What a text says about the people of an activity: how many of which names; None for everybody."""

    least: int
    most: int | None
    names: tuple[str, ...] | None
    weight: float = 0.0


def wanted(text: str, known: Sequence[str] | None) -> Wanted | None:
    """The people that a text lets choose; None if it is a plain name.

    Args:
        text: As written.
        known: The names of all people; None if they are not known yet.
    """
    if known is not None and text in known:
        return None
    if match := _WISHED.fullmatch(text.strip()):
        return Wanted(0, 1, _names(match["name"], known), 1.0)
    if match := _ALL.fullmatch(text.strip()):
        names = None if match["names"] is None else _names(match["names"], known)
        return Wanted(1, 1, names)
    match = _FORM.fullmatch(text.strip())
    if match is None:
        either = _EITHER.fullmatch(text.strip())
        return None if either is None else Wanted(1, 1, _names(either["names"], known))
    if (match["low"] is None and match["names"] is None) or _vague(match):
        return None
    low = _number(match["low"]) if match["low"] else 1
    high: int | None = _number(match["high"]) if match["high"] else low
    bound = (match["bound"] or "").split()
    if bound[:2] == ["at", "least"]:
        high = None
    elif bound[:2] == ["at", "most"]:
        low = 0
    names = None if match["names"] is None or _ALL.fullmatch(match["names"].strip()) else _names(match["names"], known)
    return Wanted(low, high, names)


def _vague(match: re.Match[str]) -> bool:
    """Whether a text is a word like "a" or "one" without names."""
    return (
        match["names"] is None and match["low"] is not None and not match["low"].isdecimal() and match["bound"] is None
    )


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else _NUMBERS[text.lower()]


def _names(text: str, known: Sequence[str] | None) -> tuple[str, ...]:
    """The names of a list; a name that has a comma, "and" or "or" in it only if it is known."""
    if known is not None and text in known:
        return (text,)
    parts = re.split(r"\s*(?:,|;|/)\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+", text.strip())
    return tuple(dict.fromkeys(part for part in parts if part))
