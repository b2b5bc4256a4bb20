"""Statements as people and models write them, and as objects: both become the same `Stated`.

Long because it is one table of patterns, each with its reader; their order matters.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import combinations
from typing import Any

from groundstate_models.layout.lengths import LENGTH, MILLIMETRES, Lengths, MisreadError
from groundstate_models.layout.plan import COMPASS, Plan, Stated
from groundstate_models.layout.relations import KINDS, corners_of

STRENGTHS = {
    "required": math.inf,
    "must": math.inf,
    "hard": math.inf,
    "strong": 10.0,
    "weak": 1.0,
    "prefer": 1.0,
    "soft": 1.0,
}

SIDES = {"top": "north", "bottom": "south", "left": "west", "right": "east", "upper": "north", "lower": "south"}

_WAY = {
    "left": "left",
    "right": "right",
    "above": "above",
    "below": "below",
    "north": "above",
    "south": "below",
    "east": "right",
    "west": "left",
    "over": "above",
    "under": "below",
    "underneath": "below",
    "up": "above",
    "down": "below",
}

NEAR, BESIDE, FAR = (1500.0, 0.3), (300.0, 0.06), (1500.0, 0.4)
"""Near, next to and far: millimetres where the unit is known, else parts of the area's longer side (the smaller one counts)."""


class Reader:
    """Reads the statements of a plan."""

    def __init__(self, plan: Plan, lengths: Lengths, strength: float, text: str, path: str) -> None:
        self.plan, self.lengths, self.strength, self.text, self.path = plan, lengths, strength, text, path
        self.several: list[str] = []

    def protected(self, text: str) -> str:
        """The text with names of several words in brackets: "tv stand" is not a verb, and "box on wheels" carries nothing."""
        names = {*self.plan.items, *self.plan.marks, *(item.base for item in self.plan.items.values())}
        self.several = sorted((name for name in names if " " in name), key=len, reverse=True)
        for k, name in enumerate(self.several):
            text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", f"⟦{k}⟧", text, flags=re.IGNORECASE)
        return text

    # -- names ---------------------------------------------------------------------------------------------------------

    def names(self, text: str) -> list[str]:
        """The items that a phrase names: one, the copies of one, or several with commas and "and".

        Raises:
            MisreadError: If a name is unknown.
        """
        found: list[str] = []
        for word in re.split(r"\s*(?:,|\band\b|&|;)\s*", text.strip()):
            if word:
                found += self._name(word)
        return found

    def _name(self, text: str) -> list[str]:
        plan = self.plan
        text = re.sub(r"⟦(\d+)⟧", lambda match: self.several[int(match[1])], text)
        word = re.sub(r"^(?:the|a|an|all|each|every|both|its)\s+", "", text.strip(), flags=re.IGNORECASE).strip()
        known = {name.lower(): name for name in [*plan.items, *plan.marks]}
        for form in (
            word.lower(),
            word.lower().replace(" ", "_"),
            word.lower().replace(" ", "-"),
            word.lower().replace("_", " "),
        ):
            if form in known:
                return [known[form]]
            copies = [item.name for item in plan.items.values() if item.base.lower() in (form, form.removesuffix("s"))]
            if copies:
                return copies
            if form.removesuffix("s") in known:
                return [known[form.removesuffix("s")]]
        if word.lower() in ("room", "area", "page", "slide", "plan", "centre", "center", "middle"):
            return ["area"]
        several = [name for low, name in known.items() if re.fullmatch(rf"{re.escape(word.lower())}-\d+", low)]
        if several:
            return several
        near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.5)
        hint = f" Did you mean {known[near[0]]!r}?" if near else ""
        raise MisreadError(
            f"{self.text!r} names {word!r}, which is not an item (items: {', '.join([*plan.items, *plan.marks][:12])}).{hint}"
        )

    def item(self, text: str) -> str:
        found = self.names(text)
        if len(found) != 1:
            raise MisreadError(f"{self.text!r}: {text.strip()!r} names {len(found)} items; one is meant here.")
        return found[0]

    def wall(self, text: str) -> int | None:
        """The number of a wall; None for any."""
        word = re.sub(r"\b(?:the|wall|walls|side|edge|a|an|any|one|of)\b", " ", text.lower()).strip()
        if not word:
            return None
        word = SIDES.get(word, word)
        for k, wall in enumerate(self.plan.walls):
            if wall.name == word:
                return k
        for k, wall in enumerate(self.plan.walls):
            if wall.name.startswith(word + "-") and word in COMPASS:
                return k
        raise MisreadError(
            f"{self.text!r}: there is no wall {text.strip()!r}; the walls are {', '.join(w.name for w in self.plan.walls)}."
        )

    def number(self, given: Any) -> int:
        """The number of a wall that is given as such.

        Raises:
            MisreadError: If there is none.
        """
        if isinstance(given, bool) or not isinstance(given, int) or not 0 <= given < len(self.plan.walls):
            raise MisreadError(
                f"{self.text!r}: there is no wall {given!r}; walls are numbered from 0 to {len(self.plan.walls) - 1}."
            )
        return given

    def corner(self, text: str) -> tuple[int, int] | None:
        word = re.sub(r"\b(?:the|corner|corners|a|an|any|of|room)\b", " ", text.lower())
        ways = [SIDES.get(w, w) for w in re.findall(r"north|south|east|west|top|bottom|left|right|upper|lower", word)]
        if not ways:
            if word.strip(" -"):
                raise MisreadError(
                    f"{self.text!r}: there is no corner {text.strip()!r}; write such as 'northwest corner'."
                )
            return None
        for a, b in corners_of(self.plan):
            names = {self.plan.walls[k].name.partition("-")[0] for k in (a, b)}
            if names == set(ways):
                return a, b
        raise MisreadError(f"{self.text!r}: there is no corner {text.strip()!r}.")

    def default(self, of: tuple[float, float]) -> float:
        """A default distance, in the request's unit."""
        millimetres, part = of
        share = part * 2 * self.plan.half
        unit = MILLIMETRES.get(self.lengths.unit)
        return share if unit is None else min(millimetres / unit, share)

    def length(self, text: str) -> float:
        return self.lengths.read(text.strip())

    def made(self, kind: str, *of: str, **values: Any) -> Stated:
        for name in of:
            first = kind not in (
                "beside",
                "direction",
                "distance",
                "facing",
                "centred",
                "group",
                "symmetric",
                "between",
                "aligned",
                "linked",
                "visible",
            )
            if name not in self.plan.items and (first or name == of[0]):
                raise MisreadError(
                    f"{self.text!r}: {name!r} cannot be placed, so nothing can be stated of it; put an item first."
                )
            if name == "area" and kind in (
                "beside",
                "direction",
                "distance",
                "facing",
                "group",
                "between",
                "aligned",
                "linked",
                "visible",
            ):
                raise MisreadError(f"{self.text!r}: name an item, a door or a window in place of the area.")
        if len(set(of)) < len(of):
            raise MisreadError(f"{self.text!r} names {of[0]!r} twice.")
        clean = {key: value for key, value in values.items() if value is not None}
        return Stated(kind, of, clean, self.strength, self.text, self.path)


Maker = Callable[[Reader, "re.Match[str]"], list[Stated]]


def _each(r: Reader, text: str, make: Callable[[str], Stated]) -> list[Stated]:
    return [make(name) for name in r.names(text)]


def _tail(r: Reader, m: re.Match[str]) -> dict[str, float | None]:
    """The distance at the end of a statement."""
    gap, within = m.groupdict().get("gap"), m.groupdict().get("within")
    return {
        "gap": None if gap is None else r.length(gap),
        "within": None if within is None else r.length(within),
    }


def _beside(r: Reader, m: re.Match[str]) -> list[Stated]:
    tail, side = _tail(r, m), _WAY[m["way"].lower()]
    own = bool(m.groupdict().get("own")) or None
    return [
        r.made("beside", a, b, side=side, own=own, **tail) for a in r.names(m["a"]) for b in r.names(m["b"]) if a != b
    ]


def _front(r: Reader, m: re.Match[str]) -> list[Stated]:
    side = "front" if "front" in m["way"].lower() else "back"
    b = r.item(m["b"])
    return _each(r, m["a"], lambda a: r.made("beside", a, b, side=side, own=True, **_tail(r, m)))


def _side(r: Reader, m: re.Match[str]) -> list[Stated]:
    """Left or right of an item, as it sees it itself."""
    return [r.made("beside", a, b, side="side") for a in r.names(m["a"]) for b in r.names(m["b"]) if a != b]


def _against(r: Reader, m: re.Match[str]) -> list[Stated]:
    wall = r.wall(m["wall"])
    return _each(r, m["a"], lambda a: r.made("against", a, wall=wall))


def _corner(r: Reader, m: re.Match[str]) -> list[Stated]:
    walls = r.corner(m["corner"])
    return _each(r, m["a"], lambda a: r.made("corner", a, walls=walls))


def _half(r: Reader, m: re.Match[str]) -> list[Stated]:
    side = SIDES.get(m["side"].lower(), m["side"].lower())
    return _each(r, m["a"], lambda a: r.made("half", a, side=side))


def _near(r: Reader, m: re.Match[str]) -> list[Stated]:
    word = m["word"].lower()
    far = word.startswith("far")
    given = m.groupdict().get("d")
    some = BESIDE if re.match(r"next|beside|adjacent", word) else FAR if far else NEAR
    d = r.default(some) if given is None else r.length(given)
    key = "least" if far else "most"
    targets = r.names(m["b"])
    return [r.made("distance", a, b, **{key: d}) for a in r.names(m["a"]) for b in targets if a != b]


def _apart(r: Reader, m: re.Match[str]) -> list[Stated]:
    least = m["op"].lower() in ("at least", ">=", "≥", ">", "more than", "no closer than", "min", "minimum")
    d = r.length(m["d"])
    return [
        r.made("distance", a, b, **{"least" if least else "most": d})
        for a in r.names(m["a"])
        for b in r.names(m["b"])
        if a != b
    ]


def _distance(r: Reader, m: re.Match[str]) -> list[Stated]:
    a, b = [*r.names(m["names"]), "", ""][:2]
    if not b:
        raise MisreadError(f"{r.text!r}: a distance is between two items.")
    d, op = r.length(m["d"]), (m["op"] or "=").strip()
    least = d if op in (">=", "≥", ">", "at least", "=", "==", "of") else None
    most = d if op in ("<=", "≤", "<", "at most", "=", "==", "of") else None
    return [r.made("distance", a, b, least=least, most=most)]


def _facing(r: Reader, m: re.Match[str]) -> list[Stated]:
    word = re.sub(r"\b(?:the|wall)\b", "", m["b"].lower()).strip()
    way = SIDES.get(word, word)
    if way in COMPASS:
        return _each(r, m["a"], lambda a: r.made("looking", a, side=way))
    b = r.item(m["b"])
    return [r.made("facing", a, b) for a in r.names(m["a"]) if a != b]


_EDGE = {
    "left": "left",
    "right": "right",
    "top": "top",
    "bottom": "bottom",
    "horizontally": "horizontally",
    "horizontal": "horizontally",
    "in a row": "horizontally",
    "vertically": "vertically",
    "vertical": "vertically",
    "in a column": "vertically",
    "centre": None,
    "center": None,
    "centres": None,
}


def _aligned(r: Reader, m: re.Match[str]) -> list[Stated]:
    names = r.names(m["a"]) + (r.names(m["b"]) if m.groupdict().get("b") else [])
    if len(names) < 2:
        raise MisreadError(f"{r.text!r} names one item; at least two can be aligned.")
    edge = re.sub(r"\b(?:edges?|sides?|at|by|their|the|on)\b", " ", (m["edge"] or "").lower()).strip()
    if edge and edge not in _EDGE:
        raise MisreadError(f"{r.text!r}: items are aligned left, right, top, bottom, horizontally or vertically.")
    return [r.made("aligned", *names, edge=_EDGE.get(edge))]


def _on(r: Reader, m: re.Match[str]) -> list[Stated]:
    b = r.item(m["b"])
    if b not in r.plan.items:
        raise MisreadError(f"{r.text!r}: only an item can carry another.")
    return _each(r, m["a"], lambda a: r.made("on", a, b))


def _centred(r: Reader, m: re.Match[str]) -> list[Stated]:
    words = m.groupdict()
    axis = {"h": "x", "v": "y"}.get((words.get("axis") or words.get("after") or " ")[0].lower())
    b = r.item(m["b"]) if m.groupdict().get("b") else "area"
    return _each(r, m["a"], lambda a: r.made("centred", a, b, axis=axis))


def _between(r: Reader, m: re.Match[str]) -> list[Stated]:
    ends = r.names(m["b"])
    if len(ends) != 2:
        raise MisreadError(f"{r.text!r}: between names two items; {len(ends)} are given.")
    return _each(r, m["a"], lambda a: r.made("between", a, *ends))


def _clear(r: Reader, m: re.Match[str]) -> list[Stated]:
    words = {"front": "front", "behind": "back", "back": "back", "around": "around", "left": "left", "right": "right"}
    side = next(words[w] for w in words if w in m["side"].lower())
    depth = r.lengths.positive(m["d"].strip(), "clear depth")
    return _each(r, m["a"], lambda a: r.made("clear", a, side=side, depth=depth))


def _group(r: Reader, m: re.Match[str]) -> list[Stated]:
    names = r.names(m["a"])
    if len(names) < 2:
        raise MisreadError(f"{r.text!r} names one item; a group has at least two.")
    most = r.length(m["d"]) if m["d"] else r.default(NEAR)
    return [r.made("group", *names, most=most)]


def _around(r: Reader, m: re.Match[str]) -> list[Stated]:
    b = r.item(m["b"])
    most = r.length(m["d"]) if m["d"] else r.default(BESIDE)
    return [r.made("distance", a, b, most=most) for a in r.names(m["a"]) if a != b]


def _even(r: Reader, m: re.Match[str]) -> list[Stated]:
    names = r.names(m["a"])
    if len(names) < 3:
        raise MisreadError(f"{r.text!r} names {len(names)} items; at least three can be spaced evenly.")
    axis = "y" if (m["axis"] or "").lower().startswith("v") else "x"
    return [r.made("even", *(names if axis == "x" else names[::-1]), axis=axis)]


def _symmetric(r: Reader, m: re.Match[str]) -> list[Stated]:
    names = r.names(m["a"])
    if len(names) != 2:
        raise MisreadError(f"{r.text!r} names {len(names)} items; two can be symmetric.")
    about = r.item(m["b"]) if m["b"] else "area"
    axis = "y" if (m["axis"] or "").lower().startswith("v") else "x"
    return [r.made("symmetric", *names, about, axis=axis)]


def _mutual(r: Reader, kind: str, a: str, b: str) -> Stated:
    """A statement that says the same of both; an item comes first."""
    a, b = (a, b) if a in r.plan.items else (b, a)
    one = r.made(kind, a, b)
    # A link is short, not of length zero: it is never required.
    return replace(one, strength=1.0) if kind == "linked" and math.isinf(one.strength) else one


def _pairwise(r: Reader, m: re.Match[str], kind: str) -> list[Stated]:
    first = r.names(m["a"])
    second = r.names(m["b"]) if m.groupdict().get("b") else []
    if not second and len(first) < 2:
        raise MisreadError(f"{r.text!r} names one item; two are meant.")
    pairs = [(a, b) for a in first for b in second] if second else list(combinations(first, 2))
    return [_mutual(r, kind, a, b) for a, b in pairs if a != b]


def _visible(r: Reader, m: re.Match[str]) -> list[Stated]:
    return _pairwise(r, m, "visible")


def _linked(r: Reader, m: re.Match[str]) -> list[Stated]:
    return _pairwise(r, m, "linked")


_D = rf"(?P<d>{LENGTH})"
_GAP = rf"(?:\s*(?:,|with|at)?\s*(?:an?\s+)?(?:exact(?:ly)?\s+)?(?:gap|by|distance)\s*(?:of|=|:)?\s*(?P<gap>{LENGTH})|\s*,?\s*within\s+(?P<within>{LENGTH}))?"
_BE = r"(?:\s+(?:is|are|must be|should be|stands?|goes|placed|be|lies|sits))?"
_OPS = r"(?P<op>at least|at most|more than|less than|no closer than|within|>=|<=|≥|≤|>|<)"

PATTERNS: list[tuple[str, Maker]] = [
    (rf"(?P<a>.+?){_BE}\s+(?:visible|seen|in (?:full )?view)\s+(?:from|of|by)\s+(?P<b>.+)", _visible),
    (r"(?P<a>.+?)\s+(?:can see|sees|see|has a view of|have a view of)\s+(?P<b>.+)", _visible),
    (
        r"(?:a )?(?:clear |free |unblocked )?(?:line of sight|view)\s+(?:between|from)\s+(?P<a>.+?)\s+(?:and|to)\s+(?P<b>.+)",
        _visible,
    ),
    (r"nothing\s+(?:stands |is |in the way )?between\s+(?P<a>.+?)\s+and\s+(?P<b>.+)", _visible),
    (rf"(?P<a>.+?){_BE}\s+(?:connected|linked|wired)\s+(?:to|with)\s+(?P<b>.+)", _linked),
    (rf"(?P<a>.+?){_BE}\s+(?:connected|linked)", _linked),
    (r"(?:short )?(?:link|connection|connect)\s+(?:between|from)?\s*(?P<a>.+?)\s+(?:and|to|with)\s+(?P<b>.+)", _linked),
    (
        rf"{_D}\s*(?:free |of )?(?:clear|free|space|clearance)(?:\s+space)?\s+(?P<side>in front of|behind|around|at the back of|(?:on|to|at) the left (?:of|side of)|(?:on|to|at) the right (?:of|side of)|left of|right of)\s+(?P<a>.+)",
        _clear,
    ),
    (
        rf"(?:keep |leave )?(?:clear|free)\s*(?:of\s+)?{_D}\s*(?P<side>in front of|behind|around|left of|right of)\s+(?P<a>.+)",
        _clear,
    ),
    (
        rf"(?:keep|leave)\s+{_D}\s*(?:clear|free)?\s*(?P<side>in front of|behind|around|left of|right of)\s+(?P<a>.+?)(?:\s+(?:clear|free))?",
        _clear,
    ),
    (rf"{_D}\s*(?P<side>in front of|behind|around)\s+(?P<a>.+?)\s+(?:clear|free)", _clear),
    (
        rf"(?P<a>.+?){_BE}\s+(?:in|at|into)\s+(?P<corner>(?:the |a |any )?[\w\- ]*corner)(?:\s+of\s+the\s+(?:room|area))?",
        _corner,
    ),
    (
        rf"(?P<a>.+?){_BE}\s+(?:in|on)\s+the\s+(?P<side>north|south|east|west|left|right|top|bottom|upper|lower)\s+half.*",
        _half,
    ),
    (
        rf"(?P<a>.+?){_BE}\s+(?:against|along|touching|on|at)\s+(?P<wall>(?:the |a |any )?[\w\- ]*(?:wall|edge|side)[\w\- ]*)",
        _against,
    ),
    (
        rf"(?P<a>.+?){_BE}\s+against\s+(?P<wall>(?:the )?(?:north|south|east|west|left|right|top|bottom)(?:-\d+)?)",
        _against,
    ),
    (rf"(?P<a>.+?){_BE}\s+(?:at |to |on )?(?:the |a |one )?side of\s+(?P<b>.+)", _side),
    (rf"(?P<a>.+?){_BE}\s+(?P<way>(?:directly )?in front of|behind)\s+(?P<b>.+?){_GAP}", _front),
    (
        rf"(?P<a>.+?){_BE}\s+(?:to |on )?(?:the )?(?P<own>own )?(?P<way>left|right|above|below|north|south|east|west|over|under|underneath)(?: side)?(?: of| from)?\s+(?P<b>.+?){_GAP}",
        _beside,
    ),
    (rf"(?P<a>.+?){_BE}\s+between\s+(?P<b>.+)", _between),
    (
        rf"(?P<a>.+?){_BE}\s+(?P<word>next to|beside|adjacent to|near(?: to)?|close to|far(?: away)? from)\s+(?P<b>.+?)(?:\s*(?:,|within|by|at least|at most|gap)\s*(?:at least |at most |by )?{_D})?",
        _near,
    ),
    (rf"(?P<a>.+?){_BE}\s+{_OPS}\s*{_D}\s*(?:away )?(?:from|of|to)\s+(?P<b>.+)", _apart),
    (
        rf"distance\s*(?:of|between|from)?\s*[:(]?\s*(?P<names>.+?)\)?\s*(?P<op>>=|<=|≥|≤|=|==|>|<|at least|at most|of)\s*{_D}",
        _distance,
    ),
    (
        r"(?P<a>.+?)\s+(?:faces|facing|face|looks at|looking at|turned to(?:wards?)?|pointing (?:at|to|towards?))\s+(?:to(?:wards?)?\s+)?(?P<b>.+)",
        _facing,
    ),
    (rf"(?P<a>.+?){_BE}\s+aligned\s+(?P<edge>[\w ]*?)\s*with\s+(?P<b>.+)", _aligned),
    (rf"(?P<a>.+?){_BE}\s+(?:aligned|in line|align)\s*(?P<edge>[\w ]*)", _aligned),
    (rf"(?P<a>.+?){_BE}\s+(?P<edge>in a row|in a column)", _aligned),
    (rf"(?P<a>.+?){_BE}\s+on\s+(?:top\s+of\s+)?(?P<b>.+)", _on),
    (
        rf"(?P<a>.+?){_BE}\s+(?:centred|centered)(?:\s+(?P<axis>horizontally|vertically))?(?:\s+(?:on|in|at|with|within)\s+(?P<b>.+?))?(?:\s+(?P<after>horizontally|vertically))?",
        _centred,
    ),
    (rf"(?P<a>.+?){_BE}\s+in\s+the\s+(?:centre|center|middle)(?:\s+of\s+(?P<b>.+))?", _centred),
    (rf"(?P<a>.+?){_BE}\s+(?:grouped|together|a group|close together)(?:\s*,?\s*within\s+{_D})?", _group),
    (rf"(?P<a>.+?){_BE}\s+around\s+(?P<b>.+?)(?:\s*,?\s*within\s+{_D})?", _around),
    (
        rf"(?P<a>.+?){_BE}\s+(?:evenly spaced|spaced evenly|equally spaced)(?:\s+(?P<axis>horizontally|vertically))?",
        _even,
    ),
    (
        rf"(?P<a>.+?){_BE}\s+symmetric(?:al)?(?:\s+(?P<axis>horizontally|vertically))?(?:\s+(?:about|around|to)\s+(?P<b>.+))?",
        _symmetric,
    ),
]

_COMPILED = [(re.compile(pattern + r"\s*\.?", re.IGNORECASE), make) for pattern, make in PATTERNS]

_LISTED = {
    "against": "{0} against {1}",
    "near": "{0} near {1}",
    "far": "{0} far from {1}",
    "beside": "{0} next to {1}",
    "next to": "{0} next to {1}",
    "left of": "{0} left of {1}",
    "right of": "{0} right of {1}",
    "above": "{0} above {1}",
    "below": "{0} below {1}",
    "in front of": "{0} in front of {1}",
    "behind": "{0} behind {1}",
    "facing": "{0} facing {1}",
    "on": "{0} on {1}",
    "on top of": "{0} on {1}",
    "between": "{0} between {1} and {2}",
    "centred": "{0} centred on {1}",
    "centered": "{0} centred on {1}",
    "aligned": "{*} aligned",
    "group": "{*} grouped",
    "grouped": "{*} grouped",
    "around": "{0} around {1}",
    "evenly spaced": "{*} evenly spaced",
    "symmetric": "{*} symmetric",
    "corner": "{0} in {1} corner",
    "visible": "{0} visible from {1}",
    "connected": "{*} connected",
    "linked": "{*} connected",
}
"""``relation: names`` as a statement."""


def read(plan: Plan, given: Any, strength: float, path: str, lengths: Lengths) -> list[Stated]:
    """Read a statement: text, an object with ``type``, or an object with ``relation`` and ``weight``.

    Raises:
        MisreadError: If it is not understood.
    """
    if isinstance(given, Mapping):
        given = dict(given)
        if "weight" in given:
            weight = given.pop("weight")
            strength = STRENGTHS[weight] if weight in STRENGTHS else lengths.positive(weight, "weight")
        if "strength" in given:
            strength = STRENGTHS.get(str(given.pop("strength")).lower(), strength)
        if "relation" in given:
            return read(plan, given["relation"], strength, path, lengths)
        return _typed(plan, given, strength, path, lengths)
    text = " ".join(str(given).split())
    if match := re.match(rf"({'|'.join(STRENGTHS)})(?:ly)?\s*[:,]\s*", text, re.IGNORECASE):
        strength, text = STRENGTHS[match[1].lower()], text[match.end() :]
    reader = Reader(plan, lengths, strength, text, path)
    text = reader.protected(text)
    if match := re.fullmatch(r"([a-z ]+?)\s*:\s*(.+)", text, re.IGNORECASE):
        form = _LISTED.get(match[1].lower())
        if form is not None:
            names = [part.strip() for part in match[2].split(",")]
            text = form.replace("{*}", match[2])
            if "{" in text:
                needed = text.count("{")
                if len(names) < needed:
                    raise MisreadError(f"{given!r} names {len(names)} items; {needed} are needed.")
                text = form.format(*names)
    last: MisreadError | None = None
    for pattern, make in _COMPILED:
        if match := pattern.fullmatch(text):
            try:
                found = make(reader, match)
            except MisreadError as error:
                # The first pattern is the likeliest reading, unless it takes words for a name.
                last = last or error
            else:
                if found:
                    return found
                last = last or MisreadError(f"{text!r} relates an item to itself; name two.")
    if last is not None:
        raise last
    raise MisreadError(
        f"{text!r} is not understood. Write such as 'bed against north wall', 'lamp left of bed, gap 5', 'desk near window', "
        "'60 clear in front of wardrobe', 'sofa facing tv', 'vase on table', 'a, b, c aligned top'."
    )


FIELDS = {
    "beside": ("side", "gap", "within", "own", "across"),
    "direction": ("side",),
    "against": ("wall", "within"),
    "corner": ("walls",),
    "half": ("side",),
    "distance": ("least", "most"),
    "group": ("most",),
    "facing": (),
    "looking": ("side",),
    "aligned": ("edge",),
    "centred": ("axis",),
    "even": ("axis",),
    "symmetric": ("axis",),
    "on": (),
    "between": (),
    "linked": (),
    "visible": (),
    "clear": ("side", "depth"),
}
"""The values of each kind, as properties of an object."""

COUNTS = {
    "beside": 2,
    "direction": 2,
    "distance": 2,
    "facing": 2,
    "centred": 2,
    "on": 2,
    "linked": 2,
    "visible": 2,
    "between": 3,
    "symmetric": 3,
    "against": 1,
    "corner": 1,
    "half": 1,
    "looking": 1,
    "clear": 1,
}


def _typed(plan: Plan, given: dict[str, Any], strength: float, path: str, lengths: Lengths) -> list[Stated]:
    kind = str(given.pop("type", ""))
    of = given.pop("of", [])
    text = kind + " " + (", ".join(map(str, of)) if isinstance(of, list) else str(of))
    reader = Reader(plan, lengths, strength, text, path)
    if kind not in KINDS:
        near = difflib.get_close_matches(kind, list(KINDS), n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise MisreadError(f"{kind!r} is not a type of statement; allowed are {', '.join(KINDS)}.{hint}")
    names = [reader.item(str(one)) for one in (of if isinstance(of, list) else [of])]
    if kind == "centred" and len(names) == 1:
        names.append("area")
    if kind == "symmetric" and len(names) == 2:
        names.append("area")
    if kind in COUNTS and len(names) != COUNTS[kind]:
        raise MisreadError(f"{kind!r} is about {COUNTS[kind]} items; {len(names)} are given.")
    if unknown := set(given) - set(FIELDS[kind]):
        raise MisreadError(f"{kind!r} has no {min(unknown)!r}; allowed are {', '.join(FIELDS[kind]) or 'none'}.")
    if kind in ("linked", "visible"):
        return [_mutual(reader, kind, *names)]
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key == "wall":
            values[key] = reader.number(value) if isinstance(value, int) else reader.wall(str(value))
        elif key == "walls":
            some = [reader.number(one) for one in value] if isinstance(value, list) else []
            values[key] = tuple(some) if some else reader.corner(str(value))
        elif key == "side" and kind in ("half", "looking"):
            values[key] = SIDES.get(str(value).lower(), str(value).lower())
        elif key in ("side", "edge", "axis", "own", "across"):
            values[key] = value
        else:
            values[key] = lengths.read(value, key)
    needed = {
        "beside": ["side"],
        "direction": ["side"],
        "half": ["side"],
        "looking": ["side"],
        "clear": ["side", "depth"],
        "group": ["most"],
    }
    for key in needed.get(kind, ()):
        if key not in values:
            raise MisreadError(f"{kind!r} needs {key!r}.")
    allowed = {
        "beside": ("left", "right", "above", "below", "front", "back", "side"),
        "direction": ("left", "right", "above", "below"),
        "half": tuple(COMPASS),
        "looking": tuple(COMPASS),
        "clear": ("front", "back", "left", "right", "around"),
    }
    if kind in allowed and values["side"] not in allowed[kind]:
        raise MisreadError(f"The side of {kind!r} is {values['side']!r}; allowed are {', '.join(allowed[kind])}.")
    return [reader.made(kind, *names, **values)]
