"""Questions that the examples leave open: the smallest case that one hypothesis allows and the other forbids."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence

import numpy as np

from groundstate import Option, Question
from groundstate_models.learned.layout import Layout, Value
from groundstate_models.learned.rules import Rule
from groundstate_training._errors import TrainingError
from groundstate_training.learning._doubt import Doubt
from groundstate_training.learning._evidence import Ints

NEAR = -13.0
"""Smallest evidence for a question, relative to the threshold of a rule."""

MOST_WRONG = 0.35
"""Largest part of the examples that may contradict what is stated: more means that the statement is wrong."""

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
        text = f"Is it possible that {conditions}? If not, it follows that {doubt.words}."
        options = tuple(
            Option(answer, label, ({"op": "add", "path": f"/{where}/-", "value": case},), 1)
            for answer, label, where in (
                ("yes", "Yes, it is possible.", "possible"),
                ("no", "No, never.", "impossible"),
            )
        )
        name = hashlib.sha256(key.encode()).hexdigest()[:12]
        found.append(Question(name, text, next(iter(case)), options, 2))
    return found


def check_cases(
    layout: Layout,
    possible: Sequence[Case],
    impossible: Sequence[Case],
    known: Sequence[Rule],
    examples: Ints,
    places: dict[Value, int],
) -> None:
    """Check cases of replies against the variables, the stated constraints, the examples and one another.

    Raises:
        TrainingError: If a case cannot be read, or contradicts something that is stated or plain from the examples.
    """
    for stated, cases in (("possible", possible), ("impossible", impossible)):
        for case in cases:
            _check_case(layout, case, stated, places)
    keys = {json.dumps(case, sort_keys=True) for case in possible}
    for case in impossible:
        if json.dumps(case, sort_keys=True) in keys:
            raise TrainingError(f"The case {_words(case)} is stated as possible and as impossible; keep one of them.")
        at = [layout.index[name] for name in case]
        having = np.flatnonzero((examples[:, at] == [places[value] for value in case.values()]).all(1))
        if len(having) > MOST_WRONG * len(examples):
            raise TrainingError(
                f"The case {_words(case)} is stated as impossible, but {len(having)} of {len(examples)} examples have it, the "
                f"first of them example {having[0] + 1}. Correct the case or the examples."
            )
    for case in possible:
        cells = {layout.index[name]: places[value] for name, value in case.items()}
        configuration = [cells.get(place) for place in range(len(layout.names))]
        for rule in known:
            if next(rule.broken(configuration), None) is not None:
                raise TrainingError(
                    f"The case {_words(case)} is stated as possible, but the stated constraint '{rule.text}' forbids it. Keep "
                    "one of them."
                )


def _check_case(layout: Layout, case: Case, stated: str, places: dict[Value, int]) -> None:
    if not isinstance(case, Mapping) or len(case) < 2:
        shown = _words(case) if isinstance(case, Mapping) else repr(case)[:60]
        raise TrainingError(
            f"The {stated} case {shown} must name two or more variables and their values, as the questions do."
        )
    for name, value in case.items():
        if name not in layout.index:
            raise TrainingError(f"The {stated} case {_words(case)} names {name!r:.60}, which the examples do not have.")
        if isinstance(value, list | dict) or value not in places:
            raise TrainingError(f"The {stated} case {_words(case)} has the value {value!r:.60}, which no example has.")


def _words(case: Case) -> str:
    """A case as JSON, shortened."""
    text = json.dumps(dict(case), ensure_ascii=False, default=str)
    return text if len(text) <= 100 else f"{text[:99]}…"


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
