"""`learn`: learns a model from examples."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from groundstate_models.learned.layout import Layout, Value
from groundstate_training._errors import TrainingError
from groundstate_training._gradient import threads
from groundstate_training.learning._examples import Examples, read_examples
from groundstate_training.learning._find import find_rules, violations
from groundstate_training.learning._known import known_rule
from groundstate_training.learning._models import Model, RulesModel, TableModel
from groundstate_training.learning._preferences import find_preferences
from groundstate_training.learning._questions import MOST_WRONG, Case, cells_of, check_cases, groups_of, questions_of
from groundstate_training.learning._tables import CHECK_EVERY, STEPS, learn_table, tabulate, typed

KINDS = ("rules", "table")
MOST_VALUES = 40
"""Largest number of distinct values of all variables together for finite configurations."""

MOST_PAIRS = 3_000_000
"""Largest number of elements of the pair statistics, which limits variables times values."""


def learn(
    source: Any,
    *,
    kind: str | None = None,
    grid: tuple[int, int] | None = None,
    attributes: Mapping[str, Sequence[int]] | None = None,
    known: Sequence[Mapping[str, Any]] = (),
    possible: Sequence[Case] = (),
    impossible: Sequence[Case] = (),
    seed: int = 0,
    effort: float = 1.0,
    folder: str | Path | None = None,
    progress: Callable[[str], object] | None = None,
) -> Model:
    """Learn an energy of configurations from examples of them.

    Finite configurations (grids, rosters, choices from one list of values) give rules and preferences; other tables give
    distributions of each column given any of the others.

    Args:
        source: The examples, as for `read_examples`.
        kind: ``rules`` or ``table``; chosen from the values by default.
        grid: Rows and columns, if each example is a grid.
        attributes: Further labels, one whole number per variable, such as ``{"box": [0, 0, 0, 1, …]}``: variables
            with one label form a group.
        known: Constraints that hold for certain, as for the model ``constraints``.
        possible: Pairs of values that are possible, such as ``{"r1c1": 3, "r5c7": 3}``: replies to questions.
        impossible: Pairs of values that are impossible.
        seed: Seed of every random draw.
        effort: Length of a table's training, relative to the usual one.
        folder: Folder of the checkpoints of a table's training. The same call continues a stopped run there, bit for bit.
        progress: Called with a sentence at every stage. It may raise to stop.

    Raises:
        TrainingError: If nothing can be learned from the examples, with the reason.
    """
    if kind is not None and kind not in KINDS:
        raise TrainingError(f"The kind {kind!r} is unknown; known are {', '.join(KINDS)}.")
    report = progress or (lambda _: None)
    examples = read_examples(source, grid)
    shown = (
        f"{examples.total} examples"
        if examples.total == len(examples.rows)
        else f"a sample of {len(examples.rows)} of {examples.total} examples"
    )
    report(f"Read {shown} of {len(examples.names)} variables.")
    finite = kind == "rules" or (kind is None and _finite(examples))
    with threads(1):
        if not finite:
            _refuse_for_tables(known=known, possible=possible, impossible=impossible, attributes=attributes)
            return _table(examples, seed, report, effort, None if folder is None else Path(folder))
        layout, places = _layout(examples, attributes or {})
        return _rules(examples, layout, places, known, tuple(possible), tuple(impossible), seed, report)


def _refuse_for_tables(**given: Any) -> None:
    """Refuse what only rules can use: nothing that was stated is ignored in silence."""
    if wrong := next((name for name, value in given.items() if value), None):
        raise TrainingError(
            f"The examples are a table, for which nothing can be stated with {wrong!r}: leave it out, or use the kind 'rules'."
        )


def _finite(examples: Examples) -> bool:
    """Whether the variables share one short list of values."""
    if examples.grid:
        return True
    columns = [{v for row in examples.rows if (v := row[k]) is not None} for k in range(len(examples.names))]
    every = set().union(*columns)
    if len(examples.names) < 3 or len(every) > MOST_VALUES or any(isinstance(v, float) for v in every):
        return False
    common = Counter(value for column in columns for value in column)
    return sum(common.values()) >= 0.6 * len(every) * len(columns)


def _layout(examples: Examples, attributes: Mapping[str, Sequence[int]]) -> tuple[Layout, dict[Value, int]]:
    every = {value for row in examples.rows for value in row if value is not None}
    if any(isinstance(value, float) for value in every):
        number = next(value for value in every if isinstance(value, float))
        raise TrainingError(f"Rules need whole numbers and words; the examples have {number!r}. Use the kind 'table'.")
    values = sorted(every, key=lambda value: (isinstance(value, str), value))
    names = len(examples.names)
    if len(values) < 2:
        raise TrainingError(
            f"Every value of the examples is {values[0]!r}." if values else "The examples have no value at all."
        )
    if names < 2 or names * (names - 1) // 2 * len(values) ** 2 > MOST_PAIRS:
        raise TrainingError(
            f"There are {names} variables with {len(values)} values; rules are learned of 2 or more variables, up to about "
            f"{math.isqrt(2 * MOST_PAIRS)} divided by the number of values."
        )
    for name, labels in attributes.items():
        if len(labels) != names:
            raise TrainingError(f"The attribute {name!r} has {len(labels)} labels; there are {names} variables.")
    plain: list[Any] = values
    if examples.grid:
        layout = Layout.of_grid(*examples.grid, plain, attributes)
    elif shape := _shape_of_names(examples.names):
        layout = replace(Layout.of_grid(*shape, plain, attributes), names=examples.names)
    else:
        line = Layout.of_sequence(examples.names, plain)
        layout = Layout(
            line.names, line.values, {**line.attributes, **{n: tuple(x) for n, x in attributes.items()}}, line.ordered
        )
    return layout, {value: place for place, value in enumerate(plain)}


def _shape_of_names(names: Sequence[str]) -> tuple[int, int] | None:
    """The grid that names of two words form row by row, such as ``Ann mon``, ``Ann tue``, … ``Bob mon``, …; or None."""
    words = [name.split() for name in names]
    if any(len(two) != 2 for two in words):
        return None
    rows, columns = (list(dict.fromkeys(two[place] for two in words)) for place in (0, 1))
    regular = words == [[row, column] for row in rows for column in columns]
    return (len(rows), len(columns)) if regular and min(len(rows), len(columns)) > 1 else None


def _grid_in_words(names: Sequence[str]) -> str:
    """What the rows and columns of `_shape_of_names` are."""
    words = [name.split() for name in names]
    said = []
    for what, place in (("row", 0), ("column", 1)):
        of = list(dict.fromkeys(two[place] for two in words))
        said.append(f"a {what} for each of {', '.join(of[:4])}{', …' if len(of) > 4 else ''}")
    return f"The names form a grid: {said[0]}, and {said[1]}."


def _rules(
    examples: Examples,
    layout: Layout,
    places: dict[Value, int],
    known: Sequence[Mapping[str, Any]],
    possible: tuple[Case, ...],
    impossible: tuple[Case, ...],
    seed: int,
    report: Callable[[str], object],
) -> RulesModel:
    x = np.array([[-1 if v is None else places[v] for v in row] for row in examples.rows], np.int64)  # type: ignore[index]
    if (x < 0).all(0).any():
        name = layout.names[int((x < 0).all(0).argmax())]
        raise TrainingError(f"The variable {name!r} has no value in any example. Leave it out.")
    given = [known_rule(raw, layout) for raw in known]
    for rule in given:
        broken = np.flatnonzero(violations(rule, x).sum(1))
        if len(broken) > MOST_WRONG * len(x):
            raise TrainingError(
                f"The stated constraint '{rule.text}' is broken by {len(broken)} of {len(x)} examples, the first of them "
                f"example {broken[0] + 1}. Correct the constraint or the examples."
            )
    check_cases(layout, possible, impossible, given, x, places)
    never, may = cells_of(layout, impossible, places), cells_of(layout, possible, places)
    report("Looking for rules.")
    found = find_rules(
        layout,
        x,
        known=given,
        never=never,
        possible=may,
        never_groups=groups_of(layout, impossible, places),
        possible_groups=groups_of(layout, possible, places),
        seed=seed,
    )
    report(f"Found {len(found.rules)} rules. Looking for preferences.")
    clean = x[[k for k in range(len(x)) if k not in found.odd]]
    preferences = find_preferences(layout, clean[:400], found.rules, seed=seed)

    def again(yes: tuple[Case, ...], no: tuple[Case, ...]) -> RulesModel:
        return _rules(examples, layout, places, known, yes, no, seed, report)

    named = layout.grid is not None and examples.grid is None
    return RulesModel(
        # The answer has names of its own, so it is no grid for the caller.
        replace(layout, grid=None) if named else layout,
        tuple(found.rules),
        tuple(preferences),
        examples.total,
        found.odd,
        possible,
        impossible,
        tuple(questions_of(layout, found.doubts, possible, impossible)),
        again,
        _grid_in_words(examples.names) if named else "",
    )


def _table(
    examples: Examples,
    seed: int,
    report: Callable[[str], object],
    effort: float = 1.0,
    folder: Path | None = None,
) -> TableModel:
    columns = [typed(name, [row[k] for row in examples.rows]) for k, name in enumerate(examples.names)]
    if len(columns) < 2:
        raise TrainingError("There is one column; a table is learned from 2 or more.")
    table = tabulate(columns, examples.rows)
    report("Training on random masks.")

    def step(now: int, last: int, loss: float) -> None:
        report(f"Step {now} of {last}: {loss:.3f} nats a held-out cell.")

    if not 0 < effort <= 20:
        raise TrainingError(f"The effort {effort:g} must be more than 0 and at most 20.")
    steps = max(round(effort * STEPS / CHECK_EVERY), 1) * CHECK_EVERY
    learned = learn_table(columns, table, seed=seed, steps=steps, folder=folder, progress=step, say=report)
    sample = [row for row in examples.rows if all(v is not None for v in row)][:32] or examples.rows[:32]
    return TableModel(
        learned.columns,
        table.order,
        learned.experts,
        examples.total,
        learned.held_out,
        learned.frequency,
        tuple(sample),
        len(examples.rows),
    )
