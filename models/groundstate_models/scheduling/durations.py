"""Durations as people and language models write them: whole minutes, "1h30", "half an hour", "3 days".

Errors are ``ValueError``; the message quotes the text and shows the accepted forms.
"""

from __future__ import annotations

import re
from fractions import Fraction

from groundstate_models.scheduling.relative import quoted

DAY = 24 * 60
"""Minutes of a day. Days have 24 hours here, also at clock changes."""

LONGEST = 7 * DAY
"""The longest duration, in minutes."""

LONGEST_DURATION = 100
"""Longest text of a duration, in characters."""

_DURATIONS = 'write minutes (45), "1h", "1h30", "1:30", "90 min" or "PT1H30M"'
_UNITS = {"d": DAY, "h": 60, "m": 1}
_PART = r"(\d+(?:[.,]\d+)?)\s*(d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?)"
_PARTS = re.compile(rf"(?:{_PART}\s*(?:and\s+|,\s*)?)+")
_ISO = re.compile(r"p(?:(\d+)d)?(?:t(?=\d)(?:(\d+(?:[.,]\d+)?)h)?(?:(\d+)m)?(?:0+s)?)?")


def duration(value: float | str) -> int:
    """Minutes of a duration: whole minutes, ``"1h30"``, ``"1:30"``, ``"1.5 hours"``, ``"PT1H30M"``.

    Raises:
        ValueError: If it is not a duration, not in whole minutes, or not from 1 minute to `LONGEST`.
    """
    minutes = gap(value)
    if minutes == 0:
        raise ValueError(f"{value!r} is a duration of zero; the shortest is 1 minute.")
    return minutes


_IN_DAYS = re.compile(
    r"(?P<many>\d+(?:[.,]\d+)?|half\s+an?|half|an?|one|two|three|four|five|six)\s*(?:full\s+|working\s+|work\s*|business\s+)?"
    r"(?P<unit>days?|weeks?)(?:\s+of\s+work)?",
    re.IGNORECASE,
)
_SPELT = {
    "half": "0.5",
    "a": "1",
    "an": "1",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
}


_IN_WORDS = (
    (r"\b(?:an?|one)\s+hour\s+and\s+a\s+half\b", "90m"),
    (r"\b(\d+)\s+and\s+a\s+half\s+hours\b", r"\1h 30m"),
    (r"\bthree\s+quarters\s+of\s+an\s+hour\b", "45m"),
    (r"\b(?:a\s+)?quarter\s+of\s+an\s+hour\b", "15m"),
    (r"\bhalf\s+an\s+hour\b", "30m"),
)
"""Durations in words, and what they are."""


def in_days(value: float | str) -> Fraction | None:
    """The days of a duration in days or weeks (of five days): "3 days", "half a day"; None if it is in other units."""
    match = _IN_DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    word = match["many"].lower().split()[0].replace(",", ".")
    return Fraction(_SPELT.get(word, word)) * (5 if match["unit"].lower().startswith("week") else 1)


def long_duration(value: str) -> int:
    """Minutes of a working time: a duration that may be longer than `LONGEST`.

    Raises:
        ValueError: If it is not a duration, or not in whole minutes.
    """
    minutes = _minutes(value) if len(value) <= LONGEST_DURATION else None
    if minutes is None or minutes.denominator != 1:
        raise ValueError(f"{quoted(value)} is not a duration; {_DURATIONS}.")
    return int(minutes)


def gap(value: float | str) -> int:
    """Minutes of a gap or a travel time: a duration that may be zero.

    Raises:
        ValueError: As `duration`.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 60.0 is an integer in JSON
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError(f"{value!r} is not a duration in whole minutes; {_DURATIONS}.")  # noqa: TRY004 - a fault of the request
    if isinstance(value, str) and len(value) > LONGEST_DURATION:
        raise ValueError(f"{quoted(value)} is not a duration; {_DURATIONS}.")
    minutes = _minutes(value) if isinstance(value, str) else Fraction(value)
    if minutes is None:
        raise ValueError(f"{value!r} is not a duration; {_DURATIONS}.")
    if minutes.denominator != 1:
        raise ValueError(f"{value!r} is {float(minutes):g} minutes; durations are whole minutes.")
    if not 0 <= minutes <= LONGEST:
        raise ValueError(f"{value!r} is not from 0 minutes to {LONGEST // DAY} days ({LONGEST} minutes).")
    return int(minutes)


def _minutes(text: str) -> Fraction | None:
    lowered = text.strip().lower()
    if re.fullmatch(r"\d+", lowered):
        return Fraction(lowered)
    if clock := re.fullmatch(r"(\d+):([0-5]\d)", lowered):
        return Fraction(60 * int(clock[1]) + int(clock[2]))
    if (iso := _ISO.fullmatch(lowered)) and any(iso.groups()):
        days, hours, minutes = (Fraction((part or "0").replace(",", ".")) for part in iso.groups())
        return days * DAY + hours * 60 + minutes
    for words, digits in _IN_WORDS:
        lowered = re.sub(words, digits, lowered)
    lowered = re.sub(r"\b(an?|one)\s+(?=h|d|m)", "1 ", lowered)
    lowered = re.sub(r"(\d\s*h)\s*(\d{1,2})$", r"\1 \2m", lowered)  # 1h30
    if not _PARTS.fullmatch(lowered):
        return None
    return sum((Fraction(n.replace(",", ".")) * _UNITS[unit[0]] for n, unit in re.findall(_PART, lowered)), Fraction(0))


def printed_duration(minutes: int) -> str:
    """``"45 min"``, ``"1 h"``, ``"1 h 30 min"``; `duration` can read it."""
    hours, rest = divmod(minutes, 60)
    return " ".join([*([f"{hours} h"] if hours else []), *([f"{rest} min"] if rest or not hours else [])])
