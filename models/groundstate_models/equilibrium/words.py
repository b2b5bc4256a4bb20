"""Statements as people and models write them become typed objects: ``"cable A-m length 5"`` is ``{"type": "cable", …}``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from typing import Any

NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
UNITS = r"(?:mm|cm|km|m|in|ft|px|kg|g|t|kN|N|lb|deg|degrees|°)"
QUANTITY = rf"{NUMBER}(?:\s*{UNITS}(?![A-Za-z]))?"
NAME = r"[A-Za-z_][A-Za-z0-9_']*"
PLACE = rf"\(\s*{QUANTITY}(?:\s*,\s*{QUANTITY}){{1,2}}\s*\)|\[\s*{QUANTITY}(?:\s*,\s*{QUANTITY}){{1,2}}\s*\]"

KINDS = {
    "spring": "spring",
    "cable": "cable",
    "rope": "cable",
    "string": "cable",
    "wire": "cable",
    "rod": "rod",
    "bar": "rod",
    "beam": "rod",
    "strut": "strut",
    "prop": "strut",
    "link": "link",
}
"""Words for members."""

_THINGS = "mass|weight|load|force|floor|wall|ceiling|torsion|pressure|block|disc|disk|ball|chain|arch|cluster"
_NOUNS = rf"(?:{'|'.join(KINDS)}|{_THINGS})"

DIRECTIONS = {"down": (0, -1), "up": (0, 1), "left": (-1, 0), "right": (1, 0)}

OPTIONS = {
    "length": "length",
    "long": "length",
    "l": "length",
    "rest length": "length",
    "stiffness": "stiffness",
    "k": "stiffness",
    "force density": "force_density",
    "q": "force_density",
    "mass": "mass",
    "weight": "weight",
    "radius": "radius",
    "charge": "charge",
    "angle": "angle",
    "depth": "depth",
    "distance": "distance",
    "width": "width",
    "links": "links",
    "bars": "bars",
    "rise": "rise",
    "offset": "offset",
}


class MisreadError(ValueError):
    """A statement cannot be read; the message is a sentence."""


Typed = dict[str, Any]


def typed(text: str) -> list[Typed]:
    """The typed objects of a statement.

    Raises:
        MisreadError: If it cannot be read.
    """
    line = re.sub(r"[–—−]", "-", text.strip().rstrip(".")).strip()
    line = re.sub(rf"^(?:there is |put |place |hang )?(?:an? |the )?(?={_NOUNS}\b)", "", line, flags=re.IGNORECASE)
    for pattern, make in _PATTERNS:
        match = pattern.fullmatch(line)
        if match is not None:
            return make(match)
    words = sorted(
        {*KINDS, "mass", "load", "floor", "wall", "fixed", "block", "disc", "gravity", "friction", "torsion"}
    )
    near = next((n for w in line.lower().split() for n in difflib.get_close_matches(w, words, 1, 0.75)), None)
    hint = f" Did you mean {near!r}?" if near and near not in line.lower().split() else ""
    raise MisreadError(
        f'{text!r} cannot be read.{hint} Write such as "cable A-m length 5", "mass 2 at m", "A fixed at (0, 0)".'
    )


def place(text: str) -> list[str]:
    """The coordinates in brackets, as texts."""
    return [part.strip() for part in text.strip("()[] ").split(",")]


def names(text: str) -> list[str]:
    """Names in a list: ``A, B and C``, ``A-B``, ``from A to B``, or two capital letters."""
    text = re.sub(r"^(?:between|from|of|in)\s+", "", text.strip(), flags=re.IGNORECASE)
    found = [part for part in re.split(r"\s*(?:,|\band\b|\bto\b|-|/)\s*|\s+", text) if part]
    if len(found) == 1 and re.fullmatch(r"[A-Z]{2,}", found[0]):
        return list(found[0])
    return found


def options(text: str, default: str | None = None) -> Typed:
    """Options such as ``length 5, stiffness = 100``; a number alone is ``default``."""
    found: Typed = {}
    rest = text
    keys = "|".join(sorted(OPTIONS, key=len, reverse=True))
    for match in re.finditer(rf"\b({keys})\b\s*(?:=|of|is)?\s*({QUANTITY})", rest, flags=re.IGNORECASE):
        found[OPTIONS[match[1].lower()]] = match[2]
        rest = rest.replace(match[0], " ", 1)
    for match in re.finditer(rf"({QUANTITY})\s*(long|links|bars)\b", rest):
        found[OPTIONS[match[2]]] = match[1]
        rest = rest.replace(match[0], " ", 1)
    if re.search(r"\bfixed\b", rest):
        found["fixed"] = True
        rest = re.sub(r"\bfixed\b", " ", rest)
    rest = re.sub(r"\b(?:with|and|of|a|the|that is|is|has)\b|[,;:=]", " ", rest).strip()
    if rest and default and re.fullmatch(QUANTITY, rest):
        found[default] = rest
        rest = ""
    if rest:
        raise MisreadError(f"{rest!r} cannot be read here; known are {', '.join(sorted(set(OPTIONS.values())))}.")
    return found


def _member(match: re.Match[str]) -> list[Typed]:
    return [
        {
            "type": KINDS[match["kind"].lower()],
            "between": names(match["ends"]),
            **options(match["rest"] or "", "length"),
        }
    ]


def _fixed(match: re.Match[str]) -> list[Typed]:
    found = []
    for name in names(match["names"]):
        one: Typed = {"type": "node", "name": name, "fixed": True}
        if match["place"]:
            one["at"] = place(match["place"])
        found.append(one)
    return found


def _at(match: re.Match[str]) -> list[Typed]:
    return [{"type": "node", "name": match["name"], "at": place(match["place"])}]


def _has(match: re.Match[str]) -> list[Typed]:
    value = match["value"]
    if match["what"].lower() == "weighs":
        return [
            {"type": "node", "name": match["name"], "weight" if not re.search(r"k?g$|t$", value) else "mass": value}
        ]
    return [{"type": "node", "name": match["name"], match["what"].lower().split()[-1]: value}]


def _put(match: re.Match[str]) -> list[Typed]:
    what = match["what"].lower()
    return [{"type": "node", "name": name, what: match["value"]} for name in names(match["names"])]


def _load(match: re.Match[str]) -> list[Typed]:
    force: Any
    if match["force"]:
        force = place(match["force"])
    else:
        force = {"size": match["size"], "direction": (match["direction"] or "down").lower()}
    return [{"type": "load", "at": name, "force": force} for name in names(match["names"])]


def _plane(match: re.Match[str]) -> list[Typed]:
    return [{"type": match["what"].lower(), "at": match["value"], **({"side": match["side"]} if match["side"] else {})}]


def _number(name: str) -> Callable[[re.Match[str]], list[Typed]]:
    return lambda match: [{"type": name, "value": match["value"]}]


def _torsion(match: re.Match[str]) -> list[Typed]:
    a, c = names(match["ends"])
    return [{"type": "torsion", "between": [a, match["at"], c], **options(match["rest"], "stiffness")}]


def _pressure(match: re.Match[str]) -> list[Typed]:
    return [{"type": "pressure", "between": names(match["names"]), "value": match["value"]}]


def _pairs(match: re.Match[str]) -> list[Typed]:
    kind = match["kind"].lower().replace("-", "_").replace(" ", "_")
    of = match["names"].strip().lower()
    return [
        {
            "type": kind,
            "between": "all" if of.startswith("all") else names(match["names"]),
            **options(match["rest"] or ""),
        }
    ]


def _block(match: re.Match[str]) -> list[Typed]:
    one: Typed = {"type": "block", "name": match["name"], "size": [match["width"], match["height"]]}
    if match["on"]:
        one["on"] = match["on"]
    if match["place"]:
        one["at"] = place(match["place"])
    if match["x"]:
        one["x"] = match["x"]
    return [{**one, **options(match["rest"])}]


def _where(match: re.Match[str]) -> list[Typed]:
    value = place(match["place"]) if match["place"] else match["side"].lower()
    return [{"type": "where", "name": match["name"], "is": value}]


def _span(match: re.Match[str]) -> list[Typed]:
    one = {"type": match["what"].lower(), "from": place(match["from"]), "to": place(match["to"])}
    return [
        {
            "type": "preset",
            **{k: v for k, v in one.items() if k != "type"},
            "preset": one["type"],
            **options(match["rest"]),
        }
    ]


def _cluster(match: re.Match[str]) -> list[Typed]:
    kind = (match["kind"] or "lennard-jones").lower().replace("-", "_").replace(" ", "_")
    return [{"type": "preset", "preset": "cluster", "atoms": match["count"], "potential": kind}]


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, flags=re.IGNORECASE)


_LIST = rf"{NAME}(?:\s*(?:,|\band\b)\s*{NAME})*"
_ENDS = rf"(?:between\s+|from\s+)?{NAME}\s*(?:-|\bto\b|\band\b|,|/)\s*{NAME}|[A-Z]{{2}}"

_PATTERNS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], list[Typed]]]] = [
    (_compiled(rf"gravity\s*(?:=|is|of)?\s*(?P<value>{QUANTITY})"), _number("gravity")),
    (_compiled(r"no gravity"), lambda _: [{"type": "gravity", "value": 0}]),
    (_compiled(rf"friction\s*(?:=|is|of|coefficient)?\s*(?P<value>{QUANTITY})"), _number("friction")),
    (
        _compiled(
            rf"(?P<what>floor|wall|ceiling)\s*(?:is\s*)?(?:at\s*)?(?:[xyz]\s*=\s*)?(?P<value>{QUANTITY})"
            r"(?:\s*(?:on the|at the)?\s*(?P<side>left|right))?"
        ),
        _plane,
    ),
    (
        _compiled(
            rf"(?:load|force)\s+(?:(?P<force>{PLACE})|(?:of\s+)?(?P<size>{QUANTITY})\s*(?P<direction>down|up|left|right)?"
            rf"(?:wards?)?)\s*(?:at|on|in)\s+(?P<names>{_LIST})"
        ),
        _load,
    ),
    (
        _compiled(
            rf"(?P<names>{NAME})\s+(?:carries|bears|is loaded (?:by|with)|is pulled by)\s+"
            rf"(?:(?P<force>{PLACE})|(?P<size>{QUANTITY})\s*(?P<direction>down|up|left|right)?)"
        ),
        _load,
    ),
    (
        _compiled(
            rf"(?P<what>mass|charge|weight|radius)\s*(?:=|of)?\s*(?P<value>{QUANTITY})\s*(?:at|on|in|for)\s+(?P<names>{_LIST})"
        ),
        _put,
    ),
    (
        _compiled(
            rf"(?P<name>{NAME})\s+(?P<what>weighs|(?:has )?(?:mass|charge|radius|weight))\s*(?:=|of)?\s*(?P<value>{QUANTITY})"
        ),
        _has,
    ),
    (
        _compiled(
            rf"(?:disc|disk|ball)\s+(?P<name>{NAME})\s+(?:with\s+|of\s+)?(?P<what>radius)\s*=?\s*(?P<value>{QUANTITY})"
        ),
        _has,
    ),
    (
        _compiled(
            rf"torsion(?:\s+spring)?\s+at\s+(?P<at>{NAME})\s+(?:between|from)\s+(?P<ends>{NAME}\s*(?:and|to|,|-)\s*{NAME})(?P<rest>.*)"
        ),
        _torsion,
    ),
    (_compiled(rf"pressure\s*(?:of|=)?\s*(?P<value>{QUANTITY})\s*(?:in|inside|within)\s+(?P<names>.+)"), _pressure),
    (
        _compiled(
            rf"(?P<kind>coulomb|lennard[- ]jones|morse)\s*(?:potential\s*)?(?:between|of|for)\s+"
            rf"(?P<names>all(?:\s+(?:nodes|points|atoms|charges))?|{_LIST})(?P<rest>.*)"
        ),
        _pairs,
    ),
    (
        _compiled(
            rf"block\s+(?P<name>{NAME})\s*:?\s*(?:of\s+|is\s+)?(?P<width>{QUANTITY})\s*(?:x|by|×)\s*(?P<height>{QUANTITY})"
            rf"(?:\s*(?:stands\s+|lies\s+)?on\s+(?:the\s+)?(?P<on>{NAME}))?(?:\s*at\s*(?:(?P<place>{PLACE})|(?:x\s*=?\s*)?(?P<x>{QUANTITY})))?(?P<rest>.*)"
        ),
        _block,
    ),
    (
        _compiled(rf"(?P<what>chain|arch)\s+from\s+(?P<from>{PLACE})\s+to\s+(?P<to>{PLACE})(?P<rest>.*)"),
        _span,
    ),
    (
        _compiled(
            r"(?:(?P<kind>lennard[- ]jones|thomson|morse|coulomb)\s+)?cluster\s+of\s+"
            r"(?P<count>\d+)(?:\s+(?:atoms|points|charges))?"
        ),
        _cluster,
    ),
    (
        _compiled(rf"(?P<kind>{'|'.join(KINDS)})\s+(?P<ends>{_ENDS})(?P<rest>(?:[\s,:].*)?)"),
        _member,
    ),
    (
        _compiled(
            rf"(?P<name>{NAME})\s+(?:rests\s+|stays\s+|is\s+)?(?:(?P<side>above|below)|near\s+(?P<place>{PLACE}))"
        ),
        _where,
    ),
    (
        _compiled(
            rf"(?:support\s+|anchor\s+|pin\s+)?(?P<names>{_LIST})\s+(?:is\s+|are\s+)?(?:fixed|pinned|anchored|held)(?:\s*(?:at|in)?\s*(?P<place>{PLACE}))?"
        ),
        _fixed,
    ),
    (_compiled(rf"(?:support|anchor|pin|fixed(?: point)?)\s+(?P<names>{NAME})\s*(?:at\s*)?(?P<place>{PLACE})"), _fixed),
    (_compiled(rf"(?:node\s+|point\s+)?(?P<name>{NAME})\s*(?:is\s+)?(?:=|at|drawn at)\s*(?P<place>{PLACE})"), _at),
]
