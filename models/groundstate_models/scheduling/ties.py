"""Break ties between equally good schedules by a convention (the earliest), so that times alone raise no question.

The activities of an answer are placed again, in the order of the request (each after its predecessors), at the earliest possible
start, in the first possible room. If the result is a schedule of equal cost, it is returned; it only depends on the request.
Otherwise the answer's activities are moved earlier, one after another, as long as that costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from groundstate_models.scheduling.answer import printed
from groundstate_models.scheduling.check import Placed, cost, placements, violations
from groundstate_models.scheduling.compile import Compiled
from groundstate_models.scheduling.modes import modes
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.starts import lags
from groundstate_models.scheduling.wishes import variables

MOST_LOOKS = 1_000_000
"""Most pairs of placements to examine; the remaining activities are not moved."""

MOST_TRIES = 200
"""Most schedules with chosen people to check."""

_ROUNDS = 8
_CLOSE = 1e-9


class Convention:
    """Breaks the ties of a schedule's answers.

    Args:
        compiled: The problem.
    """

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._earliest: dict[frozenset[str], _Valid | None] = {}

    def settled(self, answer: Mapping[str, Any]) -> Mapping[str, Any]:
        """An answer of equal cost with ties of times and rooms broken; the same answer if nothing improves."""
        schedule = self._compiled.schedule
        placed, broken = placements(schedule, answer)
        if broken:
            return answer
        if schedule.staffed:
            return _earlier(self._compiled, answer, placed)
        names = frozenset(placed)
        if names not in self._earliest:
            found = _Ties(self._compiled, placed).anew()
            self._earliest[names] = None if found is None else _Valid.of(schedule, found)
        wishes, price = variables(schedule, answer), cost(schedule, answer).key(schedule.objective)
        earliest = self._earliest[names]
        if earliest is not None and earliest.wishes == wishes and _as_good(earliest.price, price):
            return earliest.answer
        shifted = _Valid.of(schedule, _Ties(self._compiled, placed).shifted())
        if shifted is not None and shifted.wishes == wishes and _as_good(shifted.price, price):
            return shifted.answer
        return answer


@dataclass(frozen=True)
class _Valid:
    """A valid answer.

    Attributes:
        answer: As JSON.
        wishes: Its variables.
        price: The key of its cost.
    """

    answer: Mapping[str, Any]
    wishes: Mapping[str, str]
    price: tuple[float, ...]

    @classmethod
    def of(cls, schedule: Schedule, placed: Placed) -> _Valid | None:
        """The answer that places activities thus; None if it violates a rule."""
        answer = printed(schedule, placed)
        if violations(schedule, answer):
            return None
        return cls(answer, variables(schedule, answer), cost(schedule, answer).key(schedule.objective))


def _earlier(compiled: Compiled, answer: Mapping[str, Any], placed: Placed) -> Mapping[str, Any]:
    """An answer with chosen people, with activities moved earlier one by one, as long as that costs nothing."""
    schedule, tries = compiled.schedule, MOST_TRIES
    wishes, price = variables(schedule, answer), cost(schedule, answer).key(schedule.objective)
    for name in sorted(placed, key=lambda name: (placed[name].start, schedule.activities[name].index)):
        now = placed[name]
        earlier = sorted({one.start for one in compiled.values[name].values() if one.start < now.start})
        for start in earlier if now.room is None else ():
            if not tries:
                return answer
            tries -= 1
            found = {**placed, name: replace(now, start=start, end=schedule.activities[name].end(start))}
            other = _Valid.of(schedule, found)
            if other is not None and other.wishes == wishes and _as_good(other.price, price):
                answer, placed = other.answer, found
                break
    return answer


def _as_good(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    for mine, others in zip(one, other, strict=True):
        if abs(mine - others) > _CLOSE:
            return mine < others
    return True


class _Ties:
    """Places the activities of an answer again.

    Args:
        compiled: The problem; its values are the possible placements.
        placed: The answer.
    """

    def __init__(self, compiled: Compiled, placed: Placed) -> None:
        self.compiled, self.schedule, self.placed = compiled, compiled.schedule, placed
        self.looks = 0
        self.near = {name: self._neighbours(name) for name in placed}
        self.free = modes(self.schedule) if compiled.loose else {}

    def anew(self) -> Placed | None:
        """Every activity as early as possible, in the order of the request; None if one has no place."""
        found: Placed = {}
        for name in self._in_order():
            one = next((one for one in self._possible(name, found) if self._fits(name, one, found)), None)
            if one is None:
                return None
            found[name] = one
        return found

    def shifted(self) -> Placed:
        """The answer, with every activity moved to an earlier time or room if that costs nothing."""
        found = dict(self.placed)
        for _ in range(_ROUNDS):
            moved = False
            for name in sorted(found, key=lambda name: (found[name].start, self.schedule.activities[name].index)):
                now = found.pop(name)
                rank, prices = self._rank(name, now), self._prices(name, now, found)
                found[name] = next(
                    (
                        one
                        for one in self._possible(name, found)
                        if self._rank(name, one) < rank
                        and self._fits(name, one, found)
                        and all(
                            new <= old + _CLOSE for new, old in zip(self._prices(name, one, found), prices, strict=True)
                        )
                    ),
                    now,
                )
                moved |= found[name] != now
            if not moved:
                break
        return found

    def _in_order(self) -> Iterator[str]:
        """The activities of the answer in the order of the request, each after its predecessors."""
        left = [name for name in self.schedule.activities if name in self.placed]
        while left:
            waiting = set(left)
            # A cycle of orders has no answer, but an answer exists.
            name = next(name for name in left if not waiting.intersection(self.schedule.activities[name].after))
            left.remove(name)
            yield name

    def _rank(self, name: str, one: Placement) -> tuple[int, int]:
        rooms = self.schedule.activities[name].rooms
        return one.start, rooms.index(one.room) if one.room is not None else 0

    def _possible(self, name: str, beside: Placed) -> list[Placement]:
        """Possible placements, by start, then in the order of its rooms."""
        activity = self.schedule.activities[name]
        if activity.at is not None and not activity.rooms:
            return [self.placed[name]]
        kinds = {(one.start, one.room) for one in self.compiled.values[name].values()}
        if self.compiled.loose:
            kinds |= set(self._left_shifted(name, beside))
        found = [
            Placement(start, activity.end(start), room)
            for start, kind in kinds
            for room in ((None,) if kind is None else self.compiled.rooms[kind])
        ]
        return sorted(found, key=lambda one: self._rank(name, one))

    def _left_shifted(self, name: str, beside: Placed) -> Iterator[tuple[int, str | None]]:
        """Starts at the beginning of free time, or directly after another activity."""
        for room, spans in self.free[name].items():
            yield from ((start, room) for start, _ in self.schedule.days.pieces(spans))
            for other in self.near[name]:
                if other in beside:
                    for lag in lags(self.schedule, (other, beside[other].room), (name, room)):
                        minute = beside[other].start + lag
                        if any(start <= minute < end for start, end in spans):
                            yield minute, room

    def _neighbours(self, name: str) -> tuple[str, ...]:
        """Activities of the answer that interact with this one."""
        mine = self.schedule.activities[name]
        paired = [rule.activities for rule in (*self.schedule.rules, *self.schedule.preferences) if rule.pairs]
        return tuple(
            other.name
            for other in self.schedule.activities.values()
            if other.name != name
            and other.name in self.placed
            and (
                set(mine.who).intersection(other.who)
                or set(mine.rooms).intersection(other.rooms)
                or name in other.after
                or other.name in mine.after
                or any(name in names and other.name in names for names in paired)
            )
        )

    def _fits(self, name: str, one: Placement, beside: Placed) -> bool:
        """Whether a placement violates no rule between activities."""
        mine = self.schedule.activities[name]
        for other in self.near[name]:
            if other in beside:
                self.looks += 1
                if self.looks > MOST_LOOKS or not self._apart(
                    mine, one, self.schedule.activities[other], beside[other]
                ):
                    return False
        return True

    def _apart(self, mine: Activity, one: Placement, other: Activity, there: Placement) -> bool:
        schedule = self.schedule
        if one.start > there.start:
            mine, one, other, there = other, there, mine, one
        if one.room is not None and one.room == there.room and there.start < one.end:
            return False
        if set(mine.who).intersection(other.who):
            way = schedule.way(schedule.place(mine, one.room), schedule.place(other, there.room))
            if there.start < one.end + max(schedule.gap, way):
                return False
        if mine.name in other.after and there.start < one.end + other.gap:
            return False
        if other.name in mine.after and one.start < there.end + mine.gap:
            return False
        if mine.name in other.after and other.within is not None and there.start > one.end + other.within:
            return False
        return not any(
            rule.pair_broken(one, there, schedule.days)
            for rule in schedule.rules
            if rule.pairs and mine.name in rule.activities and other.name in rule.activities
        )

    def _prices(self, name: str, one: Placement, beside: Placed) -> list[float]:
        """The cost of a placement for each preference, alone and in pairs."""
        prices = []
        for preference in self.schedule.preferences:
            if name not in preference.activities:
                continue
            price = preference.share(self.schedule.activities[name], one)
            if preference.pairs:
                price += sum(
                    preference.pair_broken(one, beside[other], self.schedule.days)
                    for other in preference.activities
                    if other != name and other in beside
                )
            prices.append(price)
        return prices
