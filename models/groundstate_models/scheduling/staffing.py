"""The exact check of the people chosen in an answer, and the cost of limits; independent of `staff`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from groundstate import Violation
from groundstate_models.scheduling.choosing import Choice
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Activity, Schedule

Placed = Mapping[str, Placement]


def chosen(activity: Activity, who: Iterable[str]) -> tuple[str, ...]:
    """The people of an answer's activity who need not be there anyway. Other activities have only their own people."""
    if not activity.choices:
        return ()
    return tuple(name for name in dict.fromkeys(who) if name not in activity.who)


def violations(schedule: Schedule, placed: Placed) -> Iterator[Violation]:
    """Faults of the chosen people, and of hard limits."""
    if not schedule.staffed:
        return
    for name, one in placed.items():
        activity = schedule.activities[name]
        if activity.choices and not _fits(activity.choices, one.who):
            wanted = "; ".join(choice.in_words() for choice in activity.choices)
            has = ", ".join(one.who) or "nobody"
            text = f"{name} needs {wanted}, and has {has}."
            yield Violation("staff", text, places=(f"{activity.where}.who",))
    worked = work(schedule, placed) if schedule.limits else {}
    for limit in schedule.limits:
        if limit.weight is None:
            for sentence in limit.broken(worked, schedule.days):
                yield Violation("limits", sentence, places=(limit.where,))


def costs(schedule: Schedule, placed: Placed) -> Iterator[tuple[float, str]]:
    """The cost of soft limits, and of people who cannot come, with a sentence each."""
    if not schedule.staffed:
        return
    worked = work(schedule, placed) if schedule.limits else {}
    for limit in schedule.limits:
        if limit.weight is not None:
            for sentence in limit.broken(worked, schedule.days):
                yield limit.weight, sentence
    for name, one in placed.items():
        for choice in schedule.activities[name].choices:
            if choice.weight and not set(choice.among) & set(one.who):
                yield choice.weight, f"{name} takes place without {', '.join(choice.among)}."


def work(schedule: Schedule, placed: Placed) -> dict[str, list[tuple[str, Placement]]]:
    """The activities of each person, in order of time."""
    found: dict[str, list[tuple[str, Placement]]] = {name: [] for name in schedule.people}
    for name, one in sorted(placed.items(), key=lambda pair: (pair[1].start, pair[1].end)):
        for person in (*schedule.activities[name].who, *one.who):
            if person in found:
                found[person].append((name, one))
    return found


def _fits(choices: Sequence[Choice], who: Sequence[str]) -> bool:
    """Whether each person can be given to one choice that lists them, so that each choice has as many as it needs."""
    counts = [0] * len(choices)

    def give(left: Sequence[str]) -> bool:
        if not left:
            return all(choice.least <= count for choice, count in zip(choices, counts, strict=True))
        person, *rest = left
        for place, choice in enumerate(choices):
            if person in choice.among and counts[place] < choice.most:
                counts[place] += 1
                if give(rest):
                    return True
                counts[place] -= 1
        return False

    if len(choices) == 1:
        (one,) = choices
        return one.least <= len(who) <= one.most and set(who) <= set(one.among)
    return give(who)
