"""Rules from examples: what holds is found, exactly; what does not hold is not; doubts become questions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Count, Different, Pairs, read
from groundstate_training import TrainingError, learn
from groundstate_training.learning import RulesModel
from groundstate_training.learning._find import find_rules, violations
from groundstate_training.learning._questions import questions_of
from tests.training.grids import groups_of, solved

GROUPS = groups_of(6, 2, 3)
LAYOUT = Layout.of_grid(6, 6, range(1, 7))
PAIRS = {tuple(sorted((i, j))) for group in GROUPS for i in group for j in group if i != j}


def differing(rules: list[object]) -> set[tuple[int, ...]]:
    return {
        tuple(sorted((i, j)))
        for r in rules
        if isinstance(r, Different)
        for g in r.groups
        for i in g
        for j in g
        if i != j
    }


@pytest.mark.parametrize("seed", range(3))
def test_all_rules_of_a_board_are_found_from_forty_solved_ones_though_no_box_is_named(seed: int) -> None:
    found = find_rules(LAYOUT, solved(40, seed, GROUPS, 6))
    assert all(isinstance(rule, Different) for rule in found.rules)
    assert differing(list(found.rules)) == PAIRS
    assert found.odd == {}


def test_wrong_entries_hide_no_rule_and_the_wrong_examples_are_named() -> None:
    x = solved(200, 1, GROUPS, 6)
    random = np.random.default_rng(0)
    wrong = random.choice(200, 30, replace=False)
    for k in wrong:
        i = random.integers(36)
        x[k, i] = (x[k, i] + random.integers(1, 6)) % 6
    found = find_rules(LAYOUT, x)
    assert differing(list(found.rules)) == PAIRS
    assert set(found.odd) == set(wrong.tolist())
    assert sum(rule.evidence.broken for rule in found.rules) > 0


def test_missing_cells_are_no_obstacle() -> None:
    x = solved(120, 2, GROUPS, 6)
    x[np.random.default_rng(0).random(x.shape) < 0.3] = -1
    assert differing(list(find_rules(LAYOUT, x).rules)) == PAIRS


def test_nothing_is_found_in_noise() -> None:
    x = np.random.default_rng(0).integers(0, 4, (200, 36))
    found = find_rules(Layout.of_grid(6, 6, "abcd"), x)
    assert found.rules == []


def test_a_combination_that_neighbours_never_have_is_found() -> None:
    random = np.random.default_rng(0)
    rows = []
    while len(rows) < 300:
        x = random.integers(0, 3, 12).reshape(3, 4)
        if not ((x[:, :-1] == 2) & (x[:, 1:] == 0)).any():
            rows.append(x.ravel())
    found = find_rules(Layout.of_grid(3, 4, ["off", "day", "night"]), np.array(rows))
    (rule,) = found.rules
    assert isinstance(rule, Pairs)
    assert rule.forbidden == ((2, 0),)
    assert rule.text == "a cell and the next one on its right are never (night, off)"
    assert rule.evidence.held == rule.evidence.examples == 300


def test_counts_in_rows_are_found_with_their_bounds() -> None:
    random = np.random.default_rng(0)
    x = np.array([np.concatenate([random.permutation([1, 1, 0, 0, 0, 0]) for _ in range(4)]) for _ in range(100)])
    found = find_rules(Layout.of_grid(4, 6, ["off", "on"]), x)
    counts = [rule for rule in found.rules if isinstance(rule, Count) and rule.pattern == {"same": "row"}]
    assert [(rule.low, rule.high, rule.values) for rule in counts] == [(4, 4, (0,))]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 4))
def test_what_is_found_is_never_broken_by_clean_examples(seed: int, values: int) -> None:
    random = np.random.default_rng(seed)
    x = random.integers(0, values, (40, 9))
    x[:, 4] = x[:, 0]  # one hidden rule
    found = find_rules(Layout.of_grid(3, 3, range(values)), x)
    assert not any(violations(rule, x).any() for rule in found.rules if rule.evidence.broken == 0)
    assert any(isinstance(rule, Pairs) and (0, 4) in rule.pairs for rule in found.rules)


def test_rules_survive_json() -> None:
    for rule in find_rules(LAYOUT, solved(40, 0, GROUPS, 6)).rules:
        assert read(rule.to_json()).to_json() == rule.to_json()


def test_doubts_become_questions_and_replies_decide_them() -> None:
    groups = groups_of(9, 3, 3)
    grids = (solved(12, 5, groups, 9) + 1).reshape(-1, 9, 9)
    truth = {tuple(sorted((i, j))) for group in groups for i in group for j in group if i != j}
    model = learn(grids)
    assert isinstance(model, RulesModel)
    assert differing(list(model.rules)) < truth
    asked = 0
    while model.questions and asked < 12:
        question = model.questions[0]
        case = question.options[0].patch[0]["value"]
        (one, a), (other, b) = case.items()
        pair = tuple(sorted((model.layout.index[one], model.layout.index[other])))
        assert f"{one} is {a}" in question.text
        model = model.reply(question.id, "no" if pair in truth and a == b else "yes")
        asked += 1
    assert differing(list(model.rules)) == truth
    assert "confirmed" in {rule.origin for rule in model.rules}
    with pytest.raises(TrainingError, match="asks no question"):
        model.reply("nothing", "yes")


def test_a_case_that_was_replied_to_is_not_asked_again() -> None:
    from groundstate_training.learning._doubt import Doubt

    doubt = Doubt("r1c1, r2c2 all differ", ((0, 2), (7, 2)), -1.0)
    (question,) = questions_of(LAYOUT, [doubt], [], [])
    assert [option.id for option in question.options] == ["yes", "no"]
    assert questions_of(LAYOUT, [doubt], [{"r1c1": 3, "r2c2": 3}], []) == []
    assert questions_of(LAYOUT, [Doubt("far", ((0, 2), (7, 2)), -30.0)], [], []) == []


def test_the_same_examples_and_seed_give_the_same_model() -> None:
    grids = solved(30, 3, GROUPS, 6).reshape(-1, 6, 6)
    assert learn(grids, seed=4).knowledge() == learn(grids, seed=4).knowledge()


def test_known_constraints_are_kept_as_known_and_refused_where_examples_break_them() -> None:
    grids = (solved(40, 0, GROUPS, 6) + 1).reshape(-1, 6, 6)
    model = learn(grids, known=[{"type": "all_different", "variables": ["r1c1", "r1c2"], "name": "mine"}])
    assert isinstance(model, RulesModel)
    assert ("mine", "known") in {(rule.text, rule.origin) for rule in model.rules}
    with pytest.raises(TrainingError, match=r"'wrong' is broken by \d+ of 40 examples"):
        learn(grids, known=[{"type": "equal", "variables": ["r1c1", "r1c2"], "name": "wrong"}])
    with pytest.raises(TrainingError, match="'r9c9'"):
        learn(grids, known=[{"type": "not_equal", "variables": ["r1c1", "r9c9"]}])


def test_preferences_tell_new_weeks_of_their_maker_from_others() -> None:
    random = np.random.default_rng(0)

    def week(*, usual: bool) -> np.ndarray:
        x = random.integers(0, 2, (4, 5))
        if usual:
            x[0, random.random(5) < 0.9] = 1  # the first row nearly always works
            x[3, random.random(5) < 0.9] = 0
        return x

    model = learn(np.array([week(usual=True) for _ in range(60)]), kind="rules")
    assert isinstance(model, RulesModel)
    assert model.preferences
    names = model.layout.names
    better = sum(
        model.cost(dict(zip(names, week(usual=True).ravel().tolist(), strict=True)))
        < model.cost(dict(zip(names, week(usual=False).ravel().tolist(), strict=True)))
        for _ in range(100)
    )
    assert better >= 85


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        (
            {"possible": [{"v1": 1, "v2": 1}], "impossible": [{"v1": 1, "v2": 1}]},
            "as possible and as impossible; keep one",
        ),
        (
            {
                "possible": [{"v1": 1, "v2": 1}],
                "known": [{"type": "all_different", "variables": ["v1", "v2"], "name": "no repeats"}],
            },
            "the stated constraint 'no repeats' forbids it",
        ),
        (
            {"impossible": [{"v1": 1, "v2": 2}]},
            "stated as impossible, but 20 of 40 examples have it, the first of them",
        ),
        ({"possible": [{"v1": 1, "v9": 2}]}, "names 'v9', which the examples do not have"),
        ({"impossible": [{"v1": 1, "v2": 7}]}, "has the value 7, which no example has"),
        ({"impossible": [{"v1": 1}]}, "must name two or more variables"),
        ({"known": [{"type": "all_different"}]}, "needs 'variables'"),
        ({"known": [{"type": "count", "of": []}]}, "cannot be read; for example"),
        ({"known": [{"type": "equal", "variables": ["v1", "v2"]}]}, "is broken by 40 of 40 examples"),
    ],
)
def test_what_is_stated_and_contradicts_itself_or_the_examples_is_refused_in_a_sentence(
    stated: dict[str, list[dict[str, Any]]], said: str
) -> None:
    examples = [[1, 2, 3], [2, 1, 3]] * 20
    with pytest.raises(TrainingError, match=said):
        learn(examples, kind="rules", **stated)  # type: ignore[arg-type]


def test_a_stated_constraint_that_few_examples_break_is_kept_and_those_are_named() -> None:
    random = np.random.default_rng(0)
    examples = [random.permutation(4).tolist() for _ in range(40)]
    examples[6] = [0, 0, 1, 2]
    model = learn(examples, kind="rules", known=[{"type": "all_different", "variables": ["v1", "v2"]}])
    assert "It holds in 39 of 40 examples (1 place breaks it)" in model.report.splitlines()[1]
    assert "1 example breaks a rule and looks wrong: 7." in model.report


def test_names_of_two_words_that_form_a_grid_give_rules_about_both() -> None:
    random = np.random.default_rng(0)
    shifts, days, people = np.array(["early", "night", "off"]), ("mon", "tue", "wed", "thu"), ("Ann", "Bob", "Cleo")
    examples: list[dict[str, str]] = []
    while len(examples) < 60:
        plan = np.stack([random.permutation(3) for _ in days], 1)
        if not ((plan[:, :-1] == 1) & (plan[:, 1:] == 0)).any():
            examples.append(
                {
                    f"{person} {day}": str(shifts[plan[i, k]])
                    for i, person in enumerate(people)
                    for k, day in enumerate(days)
                }
            )
    model = learn(examples)
    assert isinstance(model, RulesModel)
    assert model.report.splitlines()[1] == (
        "The names form a grid: a row for each of Ann, Bob, Cleo, and a column for each of mon, tue, wed, thu."
    )
    found = {rule.text for rule in model.rules}
    assert "each column holds every value once" in found
    assert "a cell and the next one on its right are never (night, early)" in found
    assert model.broken({"Ann tue": "night", "Ann wed": "early"})
    assert not model.broken({"Ann thu": "night", "Bob mon": "early"})
