"""Phrases of several tokens: parts of the day, "10:00 onwards", and dates beside weekdays."""

from __future__ import annotations

import re
from collections.abc import Sequence

from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.token import Clock, Dates, Token

PARTS = {
    "early morning": (6 * 60, 9 * 60),
    "late morning": (10 * 60, 12 * 60),
    "morning": (6 * 60, 12 * 60),
    "lunch": (12 * 60, 13 * 60),
    "early afternoon": (12 * 60, 15 * 60),
    "late afternoon": (15 * 60, 18 * 60),
    "afternoon": (12 * 60, 18 * 60),
    "early evening": (18 * 60, 20 * 60),
    "evening": (18 * 60, 22 * 60),
    "working hours": (9 * 60, 17 * 60),
}
"""Parts of a day, and their hours; the hours of a request also apply."""

HOUR_WORDS = ("working", "work", "office", "business")
"""Words before "hours" that mean the working hours."""


def span(hours: tuple[int, int], word: str) -> list[Token]:
    return [Token("C", Clock(hours[0]), word), Token("-", None, word), Token("C", Clock(hours[1]), word)]


def add_part(found: list[Token], word: str) -> None:
    """Add a part of the day; "after lunch" is after its end, "before lunch" before its start."""
    hours = part_hours(word)
    assert hours is not None, "the pattern has a part here"
    before = found[-1] if found else None
    if before is not None and before.kind == "A" and before.text == "after":
        found.append(Token("C", Clock(hours[1]), word))
    elif before is not None and before.kind in "AB":
        until = before.kind == "B" and before.text != "before"
        found.append(Token("C", Clock(hours[until]), word))
    else:
        found += span(hours, word)


def part_hours(word: str) -> tuple[int, int] | None:
    """The hours of a part of the day, as minutes; None if a text is none."""
    name = re.sub(r"[\s-]+", " ", re.sub(r"^in\s+the\s+", "", word))
    if name.startswith("lunch"):
        return PARTS["lunch"]
    if name.split()[0] in HOUR_WORDS:
        return PARTS["working hours"]
    name = {"am": "morning", "pm": "afternoon", "tonight": "evening"}.get(name, name)
    return PARTS.get(name) or PARTS.get(name.removesuffix("s"))


def open_end(found: list[Token], kind: str, word: str) -> None:
    """Turn "10:00 onwards" into "from 10:00": the word goes before the last time, and its day."""
    at = len(found)
    while at and found[at - 1].kind in "CM" and at == len(found):
        at -= 1
    if at == len(found) and found and found[-1].kind == "D":
        at -= 1
    if at == len(found):
        raise ValueError(f'{word!r} needs a time before it; write "10:00 or later".')
    if at and found[at - 1].kind in "AB":
        return  # "from 10:00 onwards"
    found.insert(at, Token(kind, None, "from" if kind == "A" else "by"))


def within_dates(found: list[Token], text: str) -> list[Token]:
    """Restrict dates to weekdays beside them: "Tuesday or Thursday next week", "next two weeks on Mondays"."""
    kept: list[Token] = []
    index = 0
    while index < len(found):
        token = found[index]
        index += 1
        if not isinstance(token.value, Dates):
            kept.append(token)
            continue
        begin = len(kept)
        while begin and (_named_weekday(kept[begin - 1]) or (begin < len(kept) and kept[begin - 1].kind in "-,")):
            begin -= 1
        while begin < len(kept) and not _named_weekday(kept[begin]):
            begin += 1
        names = kept[begin:]
        if not names:
            over = index + (index < len(found) and found[index].kind == ",")
            while over < len(found) and (_named_weekday(found[over]) or (names and found[over].kind in "-,")):
                names.append(found[over])
                over += 1
            while names and not _named_weekday(names[-1]):
                names.pop()
                over -= 1
            index = over if names else index
        else:
            del kept[begin:]
        kept.append(_on_weekdays(token, names, text) if names else token)
    return kept


def _named_weekday(token: Token) -> bool:
    return token.kind == "D" and isinstance(token.value, tuple)


def _on_weekdays(token: Token, names: Sequence[Token], text: str) -> Token:
    """The dates of a phrase that are on some weekdays."""
    assert isinstance(token.value, Dates)
    wanted: set[int] = set()
    for index, name in enumerate(names):
        if not isinstance(name.value, tuple):
            continue
        wanted.update(name.value)
        if index and names[index - 1].kind == "-" and isinstance(first := names[index - 2].value, tuple):
            wanted.update((first[0] + step) % 7 for step in range((name.value[-1] - first[0]) % 7 + 1))
    days = tuple(day for day in token.value.days if day.weekday() in wanted)
    words = " ".join([*(name.text for name in names), token.text])
    if not days:
        raise ValueError(f"{words!r} in {quoted(text)} is no day: {token.text!r} has none of these weekdays left.")
    return Token("D", days[0] if len(days) == 1 else Dates(days), words)
