"""An hour for five people in a week of forty half-hours, as early as possible: one variable, its first half-hour."""

from __future__ import annotations

from functools import partial

import numpy as np
from benchmarks.problems.catalogue import drawn
from benchmarks.problems.instance import Family, Instance, Values
from numpy.typing import NDArray

PEOPLE = ("Ana", "Ben", "Chen", "Dana", "Eli")
DAYS, A_DAY = 5, 8
SLOTS = DAYS * A_DAY
LASTS = 2
"""Half-hours that the meeting takes."""
MEETINGS = 4
"""That everyone has already, of one to three half-hours."""

FAMILY = "meeting"
REQUESTS = 200


def families() -> list[Family]:
    return [Family(FAMILY, "≤ 20 ms", REQUESTS, meeting)]


def meeting(index: int) -> Instance:
    """A request that has an answer. The cost of an answer is its number of earlier half-hours."""
    rng = drawn(FAMILY, index)
    while True:
        busy = np.array([_week(rng) for _ in PEOPLE])
        free = [slot for slot in range(SLOTS) if _fits(slot) and not busy[:, slot : slot + LASTS].any()]
        if free:
            break
    late = [slot + 1 for slot in range(SLOTS) if not _fits(slot)]
    constraints = [_never(late, "ends by the end of the day")]
    for who, taken in zip(PEOPLE, busy, strict=True):
        hindered = [slot + 1 for slot in range(SLOTS) if taken[slot : slot + LASTS].any()]
        constraints.append(_never(hindered, f"{who} is busy"))
    sooner = [
        {"constraint": {"type": "linear", "terms": [{"variable": "start"}], "at_most": slot}}
        for slot in range(1, SLOTS)
    ]
    request = {"variables": {"start": {"from": 1, "to": SLOTS}}, "constraints": constraints, "preferences": sooner}
    return Instance(f"week {index}", request, partial(_suits, frozenset(free)), least=float(free[0]))


def _week(rng: np.random.Generator) -> NDArray[np.bool_]:
    """The busy slots of a person, ``(SLOTS,)``."""
    busy = np.zeros((DAYS, A_DAY), bool)
    for _ in range(MEETINGS):
        lasts = int(rng.integers(1, 4))
        start = int(rng.integers(A_DAY - lasts + 1))
        busy[rng.integers(DAYS), start : start + lasts] = True
    return busy.ravel()


def _fits(slot: int) -> bool:
    """Whether a meeting that starts in a slot (from 0) ends within the day."""
    return slot % A_DAY + LASTS <= A_DAY


def _never(slots: list[int], name: str) -> dict[str, object]:
    return {"type": "forbidden", "variables": ["start"], "tuples": [[slot] for slot in slots], "name": name}


def _suits(free: frozenset[int], values: Values) -> bool:
    return int(values["start"]) - 1 in free
