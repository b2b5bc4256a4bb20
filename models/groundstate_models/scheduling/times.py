"""Times as people and language models write them: durations, clock times, and the words of windows.

All times are whole minutes. Errors are ``ValueError``; the message quotes the text and shows the accepted forms.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import lru_cache

from groundstate_models.scheduling.durations import duration
from groundstate_models.scheduling.phrases import HOUR_WORDS, PARTS, add_part, open_end, span, within_dates
from groundstate_models.scheduling.relative import NUMBERS, PATTERN, dates, quoted
from groundstate_models.scheduling.token import WEEKDAYS, Clock, Dates, Token
from groundstate_models.scheduling.vague import VAGUE, vague

MOST_TEXT = 200_000
"""Longest text with times, in characters."""

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Of dates."""

_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def printed_clock(minute: int) -> str:
    """``"9:00"``; 1440 is ``"24:00"``."""
    return f"{minute // 60}:{minute % 60:02d}"


_PART = r"(?:(?:early|late)[\s-]+)?(?:morning|afternoon|evening)s?\b|lunch(?:\s?time|\s+break|\s+hour)?\b|(?:am|pm)\b"
_HOUR = "|".join(NUMBERS)
_WORDS = "|".join(f"{name}s?|{short}s?|{short[:2]}" for name, short in zip(_NAMES, WEEKDAYS, strict=True))
_DAYNAME = rf"(?:{_WORDS}|tues|weds|thur|thurs)\b\.?"
_TOKEN = re.compile(
    rf"""
      {PATTERN}
    | (?P<moment>\d{{4}}-\d\d-\d\d(?:t\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:z|\+\d\d:?\d\d|-(?:0\d|1[0-2]):?\d\d)?
                                 |\s\d\d?:\d\d(?::\d\d(?:\.\d+)?(?:z|[+-]\d\d:?\d\d)?|z|\+\d\d:?\d\d))(?![\d:]))
    | (?P<date>\d{{4}}-\d\d-\d\d|\d{{4}}-w\d\d-[1-7])(?!\d)
    | (?P<period>p(?:\d|t\d)[\dtdhms.,]*)
    | (?P<slashed>\d\d?/\d\d?(?:/\d{{2,4}})?(?![\d:])|\d\d?\.\d\d?\.(?:\d{{2,4}})?(?!\d))
    | (?P<earliest>(?:not?|never)\s+(?:before|earlier\s+than)\b|earliest\b)
    | (?P<latest>(?:not?|never)\s+(?:after|later\s+than)\b|latest\b)
    | (?P<onwards>(?:(?:or|and)\s+(?:later|after)|(?:and\s+)?onwards?|at\s+the\s+earliest)\b|\+(?!\d))
    | (?P<upwards>(?:or\s+(?:earlier|before)|at\s+the\s+latest)\b)
    | (?P<except>(?:except|excluding|other\s+than|apart\s+from|but\s+not|without|but|not)\b(?:\s+(?:for|on|in|at|during)\b)?)
    | (?P<spoken>(?:half\s+past|quarter\s+past|(?:a\s+)?quarter\s+to)\s+(?:\d\d?|{_HOUR})\b(?:\s?(?:am|pm)\b)?
        |(?:\d\d?|{_HOUR})\s+o['’]?\s?clock\b(?:\s?(?:am|pm)\b)?|(?:{_HOUR})\b(?:\s?(?:am|pm)\b)?)
    | (?P<clock>\d\d?(?::\d\d)?(?::\d\d)?\s?(?:a\.m\.|p\.m\.|am\b|pm\b)?(?![\d:.]|\s?h)|noon\b|midday\b|midnight\b
        |\d\d?(?::\d\d)?\s?h\b|\d\d?h\d\d\b|\d\d?\.(?:00|1[3-9]|[2-5]\d)(?!\d)|(?:the\s+)?end\s+of\s+(?:the\s+)?day\b|close\s+of\s+business\b
        |eod\b|cob\b)
    | (?P<alternate>(?:every\s+(?:other|second|2nd)|alternate)\s+{_DAYNAME})
    | (?P<and_days>(?<=[a-z.])/(?=\s*(?:{_WORDS})\b))
    | (?P<weekday>{_DAYNAME})
    | (?P<several>every\s?day\b|daily\b|(?:week|work)days?\b|(?:working|business)\s+days?\b|week-?\s?ends?\b|any\s?day\b)
    | (?P<every>every\b|each\b)
    | (?P<part>(?:in\s+the\s+)?(?:{_PART}|(?:{"|".join(HOUR_WORDS)})\s+hours\b)|(?<=after\s)work\b|(?<=before\s)work\b)
    | (?P<until>-|–|—|/|to\b|until\b|(?:'|un)?till?\b|through\b|thru\b|up\s+to\b)
    | (?P<and>,|;|and\b|or\b|&)
    | (?P<after>after\b|from\b|since\b|starting\b|beginning\b|as\s+of\b)
    | (?P<before>before\b|by\b)
    | (?P<between>between\b)
    | (?P<vague>{"|".join(VAGUE)})
    | (?P<skip>\s+|on\b|at\b|of\b|in\b|during\b|over\b|(?:all|whole|entire)\s+day\b|all\b|any\s?time\b|some\s?time\b|only\b|the\b)
    """,
    re.VERBOSE,
)
_KINDS = {
    "moment": "M", "date": "D", "period": "P", "clock": "C", "spoken": "C", "weekday": "D", "alternate": "D", "several": "D",
    "until": "-", "and": ",", "and_days": ",", "after": "A", "earliest": "A", "before": "B", "latest": "B", "between": "W",
    "except": "X",
}  # fmt: skip


def tokens(text: str, today: date | None = None) -> tuple[Token, ...]:
    """The words of a window or a moment.

    Args:
        text: As written.
        today: The date of today, see `relative`.

    Raises:
        ValueError: If a word is unknown, or a day or time does not exist.
    """
    return (_known if len(text) <= SHORT else _read)(text, today)


def _read(text: str, today: date | None) -> tuple[Token, ...]:
    if len(text) > MOST_TEXT:
        raise ValueError(
            f"{quoted(text)} has {len(text)} characters; at most {MOST_TEXT} are read. Give a list of shorter texts."
        )
    found: list[Token] = []
    lowered, at = text.lower(), 0
    while at < len(lowered):
        match = _TOKEN.match(lowered, at)
        if match is None or match.lastgroup is None:
            word = re.split(r"[\s,;]", text[at : at + 40], maxsplit=1)[0]
            raise ValueError(
                f'{word!r} in {quoted(text)} is not a day or time; write "mon 9:00-12:00", "2025-03-03T09:00/2025-03-03T12:00", '
                '"9:00-12:00" (every day) or "tue" (all day).'
            )
        group, word = match.lastgroup, match[0].strip()
        at = match.end()
        if _phrase(group, word, found, today, text):
            continue
        kind = _KINDS.get(group)
        if (
            kind == "-"
            and (word in ("until", "up to") or word.endswith(("til", "till")))
            and (not found or found[-1].kind in "D,")
        ):
            kind = "B"
        if kind is not None:
            word = {"earliest": "from", "latest": "by"}.get(group, word)
            try:
                found.append(_token(kind, group, word))
            except _UnreadError as error:
                raise ValueError(f"{word!r} in {quoted(text)} {error}") from None
    return tuple(_dates_win(within_dates(found, text), text))


def _phrase(group: str, word: str, found: list[Token], today: date | None, text: str) -> bool:
    """Add the tokens of a phrase of several tokens; whether it is one.

    Raises:
        ValueError: If it has no exact meaning.
    """
    match group:
        case "relative" | "named":
            days = dates(word, today, text, named=group == "named")
            found.append(Token("D", days[0] if len(days) == 1 else Dates(days), word))
            if word == "tonight":
                found += span(PARTS["evening"], word)
        case "part":
            add_part(found, word)
        case "onwards" | "upwards":
            open_end(found, "A" if group == "onwards" else "B", word)
        case "vague":
            raise ValueError(f"{word!r} in {quoted(text)} {vague(word)}")
        case "slashed":
            advice = 'write "2025-03-06", "March 6" or "3:00-6:00"'
            raise ValueError(f"{word!r} in {quoted(text)} may be a day and month in either order, or hours; {advice}.")
        case _:
            return False
    return True


SHORT = 64
"""Longest text that is remembered between requests, in characters."""

_known = lru_cache(maxsize=1024)(_read)
"""A request's texts are read several times (for its days, its hours, and what is echoed), and schedules share texts."""


class _UnreadError(Exception):
    """A word that is no day or time. The text is a clause whose subject is the word."""


@lru_cache(maxsize=4096)
def _token(kind: str, group: str, word: str) -> Token:
    """A word that does not depend on its text. A long text has few different ones."""
    return Token(kind, _value(group, word), word)


def _value(group: str, word: str) -> tuple[int, ...] | date | Clock | datetime | Dates | int | None:
    match group:
        case "weekday":
            return (_numbered(word),)
        case "alternate":
            return (_numbered(word.rsplit(maxsplit=1)[-1]),)
        case "several":
            first = word.replace("-", "").replace(" ", "")
            if first.startswith("weekend"):
                return (5, 6)
            return (0, 1, 2, 3, 4) if first.startswith(("week", "work", "business")) else tuple(range(7))
        case "clock":
            return _clock(word)
        case "spoken":
            return _spoken(word)
        case "period":
            return duration(word)
        case "moment" | "date":
            read = _date(word) if group == "date" else _moment(word)
            if read is None or not FIRST_YEAR <= read.year <= LAST_YEAR:
                years = f"from {FIRST_YEAR} to {LAST_YEAR}"
                raise _UnreadError(f"is not a date, or no time in whole minutes, {years}.")
            return read
    return None


def _date(word: str) -> date | None:
    try:
        return date.fromisoformat(word.upper())
    except ValueError:
        return None


def _moment(word: str) -> datetime | None:
    day, clock = re.split(r"[t\s]", word, maxsplit=1)
    try:
        read = datetime.fromisoformat(f"{day}T{'0' if clock[1] == ':' else ''}{clock}".upper())
    except ValueError:
        return None
    return None if read.second or read.microsecond else read


def _clock(word: str) -> Clock:
    if word in ("noon", "midday"):
        return Clock(12 * 60)
    if word == "midnight":
        return Clock(0)
    if word[0] in "tec":  # the end of the day, close of business
        return Clock(PARTS["working hours"][1])
    word = re.sub(r"(?<=\d)[.h](?=\d)", ":", word).removesuffix("h").rstrip()
    half = next((f"{h}m" for h in "ap" if word.endswith((f"{h}m", f"{h}.m."))), "")
    hour, minute, second = (int(part) for part in [*re.findall(r"\d+", word), "0", "0"][:3])
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise _UnreadError(_NO_CLOCK)
    if second:
        raise _UnreadError("has seconds; times are whole minutes.")
    if not half:
        short = 1 <= hour <= 12 and word[0] != "0"
        return Clock(60 * hour + minute, form=("short" if ":" in word else "bare") if short else "")
    if not 1 <= hour <= 12:
        raise _UnreadError(_NO_CLOCK)
    return Clock(60 * (hour % 12 + 12 * (half == "pm")) + minute, half)


def _spoken(word: str) -> Clock:
    """The time of "half past nine", "quarter to 10", "9 o'clock" or "nine am"."""
    half = word[-2:] if word.endswith(("am", "pm")) else ""
    number = next(
        part for part in word.replace("am", " ").replace("pm", " ").split() if part.isdecimal() or part in NUMBERS
    )
    hour = int(number) if number.isdecimal() else NUMBERS.index(number) + 1
    if not 1 <= hour <= (12 if half else 24):
        raise _UnreadError(_NO_CLOCK)
    more = 30 if word.startswith("half") else 0 if "quarter" not in word else 15 if " past " in word else -15
    minute = 60 * (hour % 12 + 12 * (half == "pm") if half else hour) + more
    return Clock(minute % (24 * 60), half, "" if half or hour > 12 else "short" if more else "bare")


_NO_CLOCK = "is not a time of day; write 0:00 to 24:00, or 1am to 12pm."


def _dates_win(found: list[Token], text: str) -> list[Token]:
    """Drop a correct weekday before its date ("Mon 2025-03-03")."""
    kept: list[Token] = []
    for token in found:
        before = kept[-1] if kept else None
        if (
            isinstance(token.value, date)
            and before is not None
            and before.kind == "D"
            and isinstance(before.value, tuple)
        ):
            if token.value.weekday() not in before.value:
                day = _NAMES[token.value.weekday()].capitalize()
                raise ValueError(f"{token.text} in {quoted(text)} is a {day}, not {before.text!r}.")
            kept.pop()
        kept.append(token)
    return kept


def _numbered(word: str) -> int:
    """The number of a weekday from Monday, of its name or the first two letters."""
    return next(number for number, name in enumerate(WEEKDAYS) if name.startswith(word[:2]))
