"""The busy times behind a contradiction: those without which it is not proven."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from groundstate import Violation
from groundstate_models.scheduling.preferences import spans_text
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reasons import MOST_SPANS
from groundstate_models.scheduling.schedule import Resource, Schedule

MOST_BLOCKS = 40
"""Most busy times of a contradiction to try without, one after another."""

Proof = Callable[[Schedule], bool]
"""Whether a schedule has the contradiction."""


def sharpened(
    schedule: Schedule, found: Violation, people: Iterable[str] = (), proof: Proof | None = None
) -> Violation:
    """A contradiction that also names the busy times that it needs, each with its place.

    Args:
        schedule: The schedule.
        found: A contradiction. Those that name busy times already stay as they are.
        people: Further people that it is about, beside those in its places.
        proof: Whether a schedule has the same contradiction; by default, `contradictions` finds one of the same activities.
    """
    if any(".busy" in place for place in found.places):
        return found
    mine = {place for place in found.places if place.startswith("activities[")}
    owners: list[Resource] = [one for one in schedule.people.values() if f"people.{one.name}" in found.places]
    owners += [schedule.people[name] for name in people if f"people.{name}" not in found.places]
    owners += [one for one in schedule.rooms.values() if f"rooms.{one.name}" in found.places]
    blocks = [(one, where, spans) for one in owners for where, spans in one.blocks]
    if not blocks or len(blocks) > MOST_BLOCKS:
        return found

    def same(trial: Schedule) -> bool:
        return any(
            other.check == found.check and {p for p in other.places if p.startswith("activities[")} <= mine
            for other in contradictions(trial)
        )

    proven = proof or same
    gone: list[str] = []
    for _, where, _ in blocks:
        if proven(schedule.unblocked([*gone, where])):
            gone.append(where)
    needed = [block for block in blocks if block[1] not in gone]
    if not needed:
        return found
    busy: dict[str, list[str]] = {}
    for one, _, spans in needed:
        busy.setdefault(one.name, []).append(spans_text(spans, schedule.days, MOST_SPANS))
    words = "; ".join(f"{name} is busy at {', '.join(times)}" for name, times in busy.items())
    return replace(
        found,
        message=f"{re.sub('[.]$', '', found.message)}, because {words}.",
        places=(*found.places, *(where for _, where, _ in needed)),
    )
