"""Questions that the examples leave open: the smallest case that one hypothesis allows and the other forbids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from groundstate import Option, Question
from groundstate_models.learned.layout import Layout, Value
from groundstate_training.learning._doubt import Doubt

NEAR = -13.0
"""Smallest evidence for a question, relative to the threshold of a rule."""

Case = dict[str, Value]
"""A partial configuration."""


def questions_of(
    layout: Layout, doubts: Sequence[Doubt], possible: Sequence[Case], impossible: Sequence[Case]
) -> list[Question]:
    """One question for each doubt, the most likely rule first; none about a case with a reply."""
    found: list[Question] = []
    seen = {json.dumps(case, sort_keys=True) for case in (*possible, *impossible)}
    for doubt in doubts:
        if doubt.evidence < NEAR:
            break
        case: Case = {layout.names[i]: layout.values[a] for i, a in doubt.case}
        key = json.dumps(case, sort_keys=True)
        if key in seen:
            continue
        seen.add(key)
        conditions = " and ".join(f"{name} is {value}" for name, value in case.items())
        text = f"May it be that {conditions}? If not, it would follow that {doubt.words}."
        options = tuple(
            Option(answer, label, ({"op": "add", "path": f"/{where}/-", "value": case},), 1)
            for answer, label, where in (("yes", "Yes, it may be.", "possible"), ("no", "No, never.", "impossible"))
        )
        name = hashlib.sha256(key.encode()).hexdigest()[:12]
        found.append(Question(name, text, next(iter(case)), options, 2))
    return found


def groups_of(layout: Layout, cases: Sequence[Case], places: dict[Value, int]) -> list[dict[int, int]]:
    """Cases of three or more variables, as value indices by variable."""
    return [{layout.index[n]: places[v] for n, v in case.items()} for case in cases if len(case) > 2]


def cells_of(layout: Layout, cases: Sequence[Case], places: dict[Value, int]) -> list[tuple[int, int, int, int]]:
    """Cases of two variables as ``(i, j, a, b)`` with i < j; others are left out."""
    found = []
    for case in cases:
        if len(case) == 2:
            (i, a), (j, b) = sorted((layout.index[name], places[value]) for name, value in case.items())
            found.append((i, j, a, b))
    return found
