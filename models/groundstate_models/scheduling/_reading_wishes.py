"""Read the rules and preferences of a request, and the limits of each person's work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundstate_models.scheduling._reader import Reader
from groundstate_models.scheduling.durations import duration, long_duration
from groundstate_models.scheduling.limits import KINDS as LIMITS
from groundstate_models.scheduling.limits import Limit
from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.schedule import Activity, Person, Room
from groundstate_models.scheduling.schema import RULE_KINDS


class WishReader(Reader):
    """Reads rules, preferences and limits."""

    def preferences(
        self, key: str, activities: Mapping[str, Activity], people: Mapping[str, Person], rooms: Mapping[str, Room]
    ) -> Iterator[Preference]:
        for index, raw in enumerate(self.request.get(key, ())):
            place = f"{key}[{index}]"
            chosen: Sequence[str] = list(activities)
            who: Sequence[str] = ()
            if "activities" in raw:
                chosen = self.names(raw["activities"], f"{place}.activities", activities, "activity")
            named = chosen
            if "who" in raw:
                who = self.names(raw["who"], f"{place}.who", people, "person")
                chosen = [name for name in chosen if set(who) & set(activities[name].who)]
            kind = raw["type"]
            if kind in LIMITS:
                continue
            self.fits(raw, key, place)
            staffed = (
                tuple(_choosing(named, who, activities)) if kind in ("within", "avoid", "earlier", "later") else ()
            )
            yield Preference(
                kind=kind,
                where=place,
                activities=tuple(
                    name for name in chosen if kind not in ("room", "same_room") or activities[name].rooms
                ),
                weight=self.weight(raw, place),
                window=self.window(raw["window"], f"{place}.window") if "window" in raw else (),
                rooms=self.names(raw["room"], f"{place}.room", rooms, "room") if "room" in raw else (),
                people=tuple(who) if staffed else (),
                staffed=staffed,
            )

    def fits(self, raw: Mapping[str, Any], key: str, place: str) -> None:
        """Faults of a rule or preference whose properties do not fit its type."""
        kind = raw["type"]
        if key == "rules":
            if kind not in RULE_KINDS and kind not in LIMITS:
                rules = ", ".join(map(repr, (*RULE_KINDS, *LIMITS)))
                self.fault(f"{place}.type", f"{kind!r} is not allowed here; one of {rules} is.")
            if "weight" in raw:
                self.fault(f"{place}.weight", 'A rule has no weight; put it under "preferences".')
        for needs, kinds in (("window", ("within", "avoid")), ("room", ("room",))):
            if kind in kinds and needs not in raw:
                self.fault(place, f"{kind!r} needs {needs!r}.")
            if kind not in kinds and needs in raw:
                self.fault(f"{place}.{needs}", f"{kind!r} takes no {needs!r}.")
        takes = {"work": {"at_most", "at_least", "per"}, "days_in_a_row": {"at_most"}, "rest": {"time"}}.get(
            kind, set()
        )
        for name in ("at_most", "at_least", "per", "time"):
            if name in raw and name not in takes:
                self.fault(f"{place}.{name}", f"{kind!r} takes no {name!r}.")

    def limits(self, key: str, activities: Mapping[str, Activity], people: Mapping[str, Person]) -> Iterator[Limit]:
        """Limits of each person's work, hard from "rules" and soft from "preferences"."""
        for index, raw in enumerate(self.request.get(key, ())):
            if raw["type"] not in LIMITS:
                continue
            place, kind = f"{key}[{index}]", raw["type"]
            self.fits(raw, key, place)
            needs = {"rest": ("time",), "days_in_a_row": ("at_most",)}.get(kind, ())
            for name in needs:
                if name not in raw:
                    self.fault(place, f"{kind!r} needs {name!r}.")
            if kind == "work" and not {"at_most", "at_least"} & set(raw):
                self.fault(place, "'work' needs 'at_most' or 'at_least', a number of activities or hours.")
            least, most = (self.amount(raw.get(bound), f"{place}.{bound}") for bound in ("at_least", "at_most"))
            minutes = {one[1] for one in (least, most) if one is not None}
            if len(minutes) > 1:
                self.fault(place, "'at_least' and 'at_most' must both be numbers of activities, or both hours.")
            if least and most and least[0] > most[0]:
                self.fault(place, "'at_least' is more than 'at_most'.")
            chosen = (
                self.names(raw["activities"], f"{place}.activities", activities, "activity")
                if "activities" in raw
                else tuple(activities)
            )
            yield Limit(
                kind=kind,
                where=place,
                who=self.names(raw["who"], f"{place}.who", people, "person") if "who" in raw else tuple(people),
                activities=frozenset(chosen),
                weight=self.weight(raw, place) if key == "preferences" else None,
                least=None if least is None else least[0],
                most=None if most is None else most[0],
                minutes=True in minutes,
                per=raw.get("per", "all"),
                time=(self.value(duration, raw["time"], f"{place}.time") or 0) if "time" in raw else 0,
            )

    def amount(self, raw: Any, place: str) -> tuple[int, bool] | None:
        """A number of activities, or minutes and True."""
        if raw is None:
            return None
        if isinstance(raw, str) and not raw.strip().isdecimal():
            lasts = self.value(long_duration, raw, place)
            return None if lasts is None else (lasts, True)
        number = int(raw)
        if number < 0:
            self.fault(place, f"{raw!r} is below 0.")
        return number, False


def _choosing(names: Sequence[str], who: Sequence[str], activities: Mapping[str, Activity]) -> Iterator[str]:
    """The activities for which one of some people may be chosen."""
    for name in names:
        if any(set(who) & set(choice.among) for choice in activities[name].choices):
            yield name
