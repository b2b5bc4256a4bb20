"""Things in time: timetables, jobs on a machine within windows, small job shops."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example, Request, all_different, literal

DAYS = ("mon", "tue", "wed", "thu", "fri")


def slot_names(slots: int) -> list[str]:
    """So many hours of a week, ``mon 1`` and so on, spread over its days."""
    a_day = -(-slots // len(DAYS))
    return [f"{day} {hour + 1}" for day in DAYS for hour in range(a_day)][:slots]


def timetable(
    lessons: int, slots: int, rooms: int, rng: np.random.Generator, *, free: float = 0.7, preferences: int = 0
) -> Example:
    """Lessons get slots: no teacher, class or laboratory is in two places, no slot has more lessons than there are rooms.

    Args:
        lessons: How many; at most ``slots · rooms``.
        slots: How many hours the week has.
        rooms: How many rooms, one of them a laboratory that about one lesson in ``rooms`` needs.
        rng: What decides everything else.
        free: The share of slots in which a teacher is there.
        preferences: How many slots that some teacher would rather not have, or pairs of lessons that should not share one.

    Raises:
        ValueError: If there are more lessons than places for them.
    """
    if lessons > slots * rooms:
        raise ValueError(f"{lessons} lessons need more than {slots} slots with {rooms} rooms; {slots * rooms} fit.")
    places = rng.permutation(slots * rooms)[:lessons]
    slot, room = [int(p) // rooms for p in places], [int(p) % rooms for p in places]
    names, hours = [f"lesson {i + 1}" for i in range(lessons)], slot_names(slots)
    # Who is busy in a slot cannot teach another lesson there, nor can a class hear one.
    teacher, group = (_assigned(slot, rooms, rng) for _ in range(2))
    variables: Request = {}
    absent = {t: set(np.flatnonzero(rng.random(slots) > free).tolist()) for t in set(teacher)}
    for i, name in enumerate(names):
        away = absent[teacher[i]] - {slot[j] for j in range(lessons) if teacher[j] == teacher[i]}
        variables[name] = [hours[k] for k in range(slots) if k not in away]
    constraints: list[Request] = []
    for who, of in (("teacher", teacher), ("class", group), ("laboratory", [min(r, 1) for r in room])):
        for number in sorted(set(of) - ({1} if who == "laboratory" else set())):
            shared = [name for name, whose in zip(names, of, strict=True) if whose == number]
            if len(shared) > 1:
                said = who if who == "laboratory" else f"{who} {number + 1}"
                constraints.append({**all_different(shared), "name": f"{said} in one place at a time"})
    for hour in hours:
        of_hour = [literal(name, hour) for name in names if hour in variables[name]]
        if len(of_hour) > rooms:
            constraints.append({"type": "count", "of": of_hour, "at_most": rooms, "name": f"rooms on {hour}"})
    request: Request = {"variables": variables, "constraints": constraints}
    if preferences:
        request["preferences"] = [_wish(names, variables, rng) for _ in range(preferences)]
    return Example("timetable", request, {name: hours[k] for name, k in zip(names, slot, strict=True)})


def one_machine(
    jobs: int, slack: float, rng: np.random.Generator, *, longest: int = 5, precedences: int = 0
) -> Example:
    """Jobs run one at a time on a machine, each within its window, some before others.

    Args:
        jobs: How many.
        slack: The mean length of a window beyond the job itself, as a share of the whole time; 0 fixes every start.
        rng: What decides everything else.
        longest: Jobs last 1 to so many units of time.
        precedences: How many pairs are in order, with a gap.
    """
    durations = rng.integers(1, longest + 1, size=jobs)
    order, starts, now = rng.permutation(jobs), np.zeros(jobs, int), 0
    for job in order:
        now += int(rng.random() < 0.2)
        starts[job] = now
        now += int(durations[job])
    names = [f"job {i + 1}" for i in range(jobs)]
    room = rng.integers(0, round(slack * now) + 1, size=(2, jobs))
    variables = {
        name: {
            "from": max(0, int(starts[i] - room[0, i])),
            "to": min(now - int(durations[i]), int(starts[i] + room[1, i])),
        }
        for i, name in enumerate(names)
    }
    constraints: list[Request] = []
    if jobs > 1:
        constraints.append({"type": "no_overlap", "starts": names, "durations": durations.tolist()})
        for _ in range(precedences):
            first, second = sorted(rng.choice(jobs, 2, replace=False).tolist(), key=lambda i: int(starts[i]))
            gap = int(rng.integers(int(durations[first]), int(starts[second] - starts[first]) + 1))
            constraints.append({"type": "precedence", "before": names[first], "after": names[second], "gap": gap})
    request: Request = {"variables": variables, "constraints": constraints}
    return Example("one machine", request, dict(zip(names, starts.tolist(), strict=True)))


def job_shop(jobs: int, machines: int, slack: float, rng: np.random.Generator, *, longest: int = 4) -> Example:
    """Every job visits all machines in its own order and has to be done in time.

    Args:
        jobs, machines: How many.
        slack: How much later than in a schedule that is known all may end, as a share of its length.
        rng: What decides everything else.
        longest: A visit lasts 1 to so many units of time.
    """
    route = [rng.permutation(machines).tolist() for _ in range(jobs)]
    durations = rng.integers(1, longest + 1, size=(jobs, machines))
    starts = np.zeros((jobs, machines), int)
    job_free, machine_free, step = [0] * jobs, [0] * machines, [0] * jobs
    for job in rng.permutation(np.repeat(np.arange(jobs), machines)).tolist():
        k = step[job]
        machine = route[job][k]
        starts[job, k] = max(job_free[job], machine_free[machine])
        job_free[job] = machine_free[machine] = int(starts[job, k] + durations[job, k])
        step[job] += 1
    end = round(max(job_free) * (1 + slack))
    names = [[f"job {i + 1} on machine {m + 1}" for m in visited] for i, visited in enumerate(route)]
    variables: Request = {}
    constraints: list[Request] = []
    for i, visits in enumerate(names):
        for k, name in enumerate(visits):
            variables[name] = {"from": int(durations[i, :k].sum()), "to": end - int(durations[i, k:].sum())}
            if k:
                constraints.append(
                    {"type": "precedence", "before": visits[k - 1], "after": name, "gap": int(durations[i, k - 1])}
                )
    for machine in range(machines):
        steps = [visited.index(machine) for visited in route]
        if jobs > 1:
            on = [names[i][k] for i, k in enumerate(steps)]
            lasting = [int(durations[i, k]) for i, k in enumerate(steps)]
            constraints.append({"type": "no_overlap", "starts": on, "durations": lasting})
    solution: dict[str, Value] = {names[i][k]: int(starts[i, k]) for i in range(jobs) for k in range(machines)}
    return Example("job shop", {"variables": variables, "constraints": constraints}, solution)


def _assigned(slot: Sequence[int], several: int, rng: np.random.Generator) -> list[int]:
    """For each lesson one of a few people, nobody twice in a slot; about half of ``several`` more people than are needed."""
    people = max(Counter(slot).values()) + max(1, several // 2)
    busy: set[tuple[int, int]] = set()
    chosen = []
    for now in slot:
        free = [who for who in range(people) if (who, now) not in busy]
        chosen.append(free[int(rng.integers(len(free)))])
        busy.add((chosen[-1], now))
    return chosen


def _wish(names: Sequence[str], variables: Request, rng: np.random.Generator) -> Request:
    weight = int(rng.integers(1, 6))
    if len(names) > 1 and rng.random() < 0.3:
        pair = [names[i] for i in rng.choice(len(names), 2, replace=False)]
        return {"constraint": {"type": "not_equal", "variables": pair}, "weight": weight}
    name = names[int(rng.integers(len(names)))]
    hour = variables[name][int(rng.integers(len(variables[name])))]
    return {"constraint": {"type": "count", "of": [literal(name, hour)], "exactly": 0}, "weight": weight}
