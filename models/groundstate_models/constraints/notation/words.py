"""The words of a text, the names of the request among them, and reading them one after another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.names import hinted

Domains = Mapping[str, Sequence[Value]]
JSON = dict[str, Any]

MOST_NESTED = 50
_NUMBER_WORDS = dict(
    zip(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], range(11), strict=True)
)
_SYMBOLS = {"=": "==", "≠": "!=", "<>": "!=", "=<": "<=", "≤": "<=", "=>": "->", "⇒": "->", "→": "->", "≥": ">=", "<=>": "<->",
            "⇔": "<->", "−": "-", "–": "-", "·": "*", "×": "*", "∈": "in", "&&": "and", "&": "and", "||": "or", "|": "|",
            "∧": "and", "∨": "or", "¬": "not", "!": "not", "//": "//", "÷": "//"}  # fmt: skip

_TOKEN = re.compile(
    r"""
      (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)
    | (?P<phrase>(?:all[\s_-]*(?:diff(?:erent)?|distinct|equal|the\s+same)|(?:no|not)[\s_-]+overlap|at[\s_]+(?:least|most)
        |no[\s_]+(?:more|fewer|less)[\s_]+than|if\s+and\s+only\s+if|not\s+in|is\s+not\s+in|is\s+in|is\s+not|right\s+before)\b)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<word>[^\W\d]\w*)
    | (?P<symbol><=>|<->|\.\.\.?|->|=>|<=|>=|==|!=|<>|=<|//|&&|\|\||[-+*/%<>=!(){}\[\],:;|&≠≤≥⇒→⇔−–·×∈∧∨¬÷])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_PHRASES = {"alldistinct": "alldifferent", "alldiff": "alldifferent", "allthesame": "allequal", "notoverlap": "nooverlap",
            "nomorethan": "atmost", "nofewerthan": "atleast", "nolessthan": "atleast", "ifandonlyif": "<->", "isnotin": "notin",
            "isin": "in", "isnot": "!="}  # fmt: skip
_KEYWORDS = {"if", "then", "and", "or", "not", "in", "of", "is", "are", "iff", "implies", "before", "after", "for", "exactly",
             "between", "alldifferent", "allequal", "alldiff", "different", "equal", "abs", "min", "max", "sum"}  # fmt: skip
_MEANT = {"is": "==", "are": "==", "iff": "<->", "implies": "->", "alldiff": "alldifferent"}


_FIRST = re.compile(r"\w+|\S")


class NotationError(ValueError):
    """A text that is not a constraint; it says where, and what is understood.

    Args:
        at: Place in the text, from 0.
        why: As a clause.
    """

    def __init__(self, at: int, why: str) -> None:
        self.at = at
        super().__init__(f"At character {at + 1}: {why}{'' if why.endswith('?') else '.'}")


class MeaningError(NotationError):
    """A text that reads well and means nothing; no other way of reading it is tried."""


@dataclass(frozen=True)
class Token:
    """A word of a text: ``kind`` is name, number, quoted, or the word or symbol itself."""

    kind: str
    text: str
    value: Value
    at: int


class Names:
    """Where the names of variables and values are found in texts; made once a request.

    Args:
        domains: The variables and their values.
    """

    def __init__(self, domains: Domains) -> None:
        self.domains = domains
        self._values = {value for values in domains.values() for value in values if isinstance(value, str)}
        self._starting: dict[str, dict[int, set[str]]] = {}
        for name in {*domains, *self._values}:
            if match := _FIRST.match(name):
                self._starting.setdefault(match[0], {}).setdefault(len(name), set()).add(name)

    def known(self, name: Value) -> bool:
        return name in self.domains or name in self._values

    def at(self, text: str, place: int) -> str | None:
        """The longest name that stands at a place of a text as a whole word."""
        match = _FIRST.match(text, place)
        by_length = self._starting.get(match[0], {}) if match else {}
        for length in sorted(by_length, reverse=True):
            name, end = text[place : place + length], place + length
            if name in by_length[length] and not (_wordy(name[-1]) and end < len(text) and _wordy(text[end])):
                return name
        return None

    def all(self) -> list[str]:
        """All names, of variables first."""
        return [*self.domains, *self._values]


def _wordy(character: str) -> bool:
    return character.isalnum() or character == "_"


def _tokens(text: str, names: Names) -> Iterator[Token]:
    at = 0
    while at < len(text):
        if text[at].isspace() or text[at] == ";":
            at += 1
            continue
        match = _TOKEN.match(text, at)
        name, length = names.at(text, at), len(match[0]) if match else 0
        number = match is not None and match.lastgroup == "number"
        if name is not None and (len(name) > length or (len(name) == length and not number)):
            if name.lower() in _KEYWORDS:
                raise NotationError(at, f"{name!r} is a name and a word of the notation; put it in quotes")
            yield Token("name", name, name, at)
            at += len(name)
            continue
        if match is None:
            raise NotationError(at, f"{text[at]!r} is not part of the notation")
        yield _token(match, at)
        at = match.end()
    yield Token("end", "the end", "", at)


def _token(match: re.Match[str], at: int) -> Token:
    word = match[0]
    match match.lastgroup:
        case "quoted":
            inner = word[1:-1] if word[0] == "`" else re.sub(r"\\(.)", r"\1", word[1:-1])
            return Token("name" if word[0] == "`" else "quoted", word, inner, at)
        case "number":
            if not word.isdecimal():
                raise NotationError(at, f"{word} is not a whole number; multiply by 10 or 100")
            return Token("number", word, int(word), at)
        case "phrase":
            short = re.sub(r"[\s_-]+", "", word.lower())
            return Token(_PHRASES.get(short, short), word, word, at)
        case "word":
            low = word.lower()
            if low in _KEYWORDS:
                return Token(_MEANT.get(low, low), word, word, at)
            return Token("name", word, word, at)
    return Token(_SYMBOLS.get(word, word), word, word, at)


class Reader:
    """Steps over the words of a text.

    Args:
        text: The text.
        names: Of the request.
    """

    def __init__(self, text: str, names: Names) -> None:
        self.names, self.domains = names, names.domains
        self.tokens = list(_tokens(text, names))
        self.place = self.depth = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.place]

    def wrong(self, why: str, token: Token | None = None) -> NotationError:
        return NotationError((token or self.token).at, why)

    def meaningless(self, why: str, token: Token | None = None) -> MeaningError:
        return MeaningError((token or self.token).at, why)

    def taken(self, *kinds: str) -> bool:
        """Step over a word of some kind, if it stands here."""
        if self.token.kind in kinds:
            self.place += 1
            return True
        return False

    def expect(self, kind: str, after: str) -> None:
        if not self.taken(kind):
            raise self.wrong(f"{kind!r} is missing {after}, before {self.token.text!r}")

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of brackets or sums further in."""
        self.depth += 1
        if self.depth > MOST_NESTED:
            raise MeaningError(self.token.at, "this is nested too deeply")
        yield
        self.depth -= 1

    def values_after_in(self, names: Sequence[str]) -> list[Value]:
        """``{1, 2}``, ``[red, blue]`` or ``1..5``; the values of 1..5 that there are."""
        self.place += 1
        closing = {"{": "}", "[": "]", "(": ")"}.get(self.token.kind)
        if closing is None:
            low = self.whole(signed=True)
            if not self.taken("..", "..."):
                raise self.wrong("write a set, {1, 2, 3}, or a range, 1..3")
            return self.between(names, low, self.whole(signed=True))
        self.place += 1
        found: list[Value] = []
        while not self.taken(closing):
            one = self.one_value(names)
            if self.taken("..", "...") and isinstance(one, int):
                found += self.between(names, one, self.whole(signed=True))
            else:
                found.append(one)
            if not self.taken(",", "or", "and") and self.token.kind != closing:
                raise self.wrong(f"{closing!r} is missing before {self.token.text!r}")
        return list(dict.fromkeys(found))

    def between(self, names: Sequence[str], low: int, high: int) -> list[Value]:
        found = [v for v in self.domains[names[0]] if isinstance(v, int) and low <= v <= high]
        if not found:
            raise self.wrong(f"none of the values of {names[0]!r} is from {low} to {high}")
        return list(found)

    def one_value(self, names: Sequence[str]) -> Value:
        """A value that some variables may have."""
        place = self.place
        found = self.value_of(names[0])
        for name in names[1:]:
            self.place = place
            self.value_of(name)
        return found

    def value_of(self, variable: str) -> Value:
        """A value of a variable, a number or a name."""
        token = self.token
        if self.taken("-"):
            return self.value(variable, -self.whole(), token)
        if token.kind in ("number", "name", "quoted"):
            self.place += 1
            return self.value(variable, token.value, token)
        raise self.wrong(f"a value of {variable!r} is missing before {token.text!r}")

    def value(self, variable: str, value: Value, token: Token) -> Value:
        domain = self.domains[variable]
        if token.kind != "quoted" and value in domain:
            return value
        if str(value) in domain:
            return str(value)
        raise self.meaningless(
            f"{value!r} is none of the values of {variable!r}{hinted(value, domain)}".removesuffix("."), token
        )

    def whole(self, *, signed: bool = False) -> int:
        sign = -1 if signed and self.taken("-") else 1
        token = self.token
        word = _NUMBER_WORDS.get(token.text.lower())
        if token.kind != "number" and word is None:
            raise self.wrong(f"a whole number is missing before {token.text!r}")
        self.place += 1
        return sign * (word if word is not None else int(token.value))

    def variable(self) -> str:
        token = self.token
        if token.kind not in ("name", "quoted"):
            raise self.wrong(f"a variable is missing before {token.text!r}")
        if token.value not in self.domains:
            raise self.meaningless(
                f"there is no variable {token.value!r}{hinted(token.value, list(self.domains))}".removesuffix(".")
            )
        self.place += 1
        return str(token.value)
