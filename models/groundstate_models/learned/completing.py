"""Completes configurations by learned rules: requests become typed constraints, solved by the energy of ``constraints``."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from numpy.typing import NDArray

from groundstate import Attempt, Change, Fault, Header, Optimises, Patch, RequestError, Violation, pointer
from groundstate_models.constraints.problem import Checked
from groundstate_models.constraints.reading import ConstraintsReading, PreferringReading
from groundstate_models.learned.knowledge import Knowledge
from groundstate_models.learned.layout import Value


class RulesReading(ConstraintsReading):
    """Reads a request to complete a partial configuration.

    Args:
        header: The file's header.
        request: The known values and the wishes.
        knowledge: Rules and preferences.
    """

    def __init__(self, header: Header, request: dict[str, Any], knowledge: Knowledge) -> None:
        self.knowledge = knowledge
        self.layout = knowledge.layout
        self.given = _given(request, knowledge)
        self.repairs = bool(request.get("repair"))
        self.request = request
        self.typed = self._typed(request)
        super().__init__(header, self.typed)
        self.request = request

    def _typed(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The request of the model ``constraints``."""
        constraints = list(self.knowledge.constraints)
        self.stated: list[tuple[str, str]] = []
        if not self.repairs:
            for name, value in self.given.items():
                constraints.append({**_has(name, value), "exactly": 1, "name": f"{name} is given as {value}"})
                self.stated.append((name, self._path(name)))
        for name, values in request.get("never", {}).items():
            for value in values:
                constraints.append({**_has(name, value), "exactly": 0, "name": f"{name} must not be {value}"})
                self.stated.append((name, f"never.{name}"))
        typed: dict[str, Any] = {
            "variables": {name: list(self.layout.values) for name in self.layout.names},
            "constraints": constraints,
        }
        if preferences := self._preferences(request):
            typed["preferences"] = preferences
        return Checked(typed)

    def _preferences(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        del request
        return []

    def _contradict(self, sources: list[int]) -> Violation:
        """A contradiction in words. It follows from the learned rules, so it is only as certain as they are."""
        names = [str(self.typed["constraints"][number]["name"]) for number in sources]
        rules = len(self.knowledge.constraints)
        places = dict.fromkeys(self.stated[number - rules][1] for number in sources if number >= rules)
        message = (
            f"By rules learned from {self.knowledge.examples} examples, these cannot all hold: {'; '.join(names)}."
        )
        return Violation("learned", message, len(sources), places=tuple(places))

    def _path(self, name: str) -> str:
        place = self.layout.index[name]
        if "grid" in self.request and self.layout.grid:
            return f"grid[{place // self.layout.grid[1]}][{place % self.layout.grid[1]}]"
        return f"known.{name}"

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        return self._answer(ConstraintsReading.decode(self, tensors)["values"])

    def _answer(self, values: Mapping[str, Value]) -> dict[str, Any]:
        ordered = [values[name] for name in self.layout.names]
        answer: dict[str, Any] = {"values": dict(zip(self.layout.names, ordered, strict=True))}
        if self.layout.grid:
            wide = self.layout.grid[1]
            answer = {"grid": [ordered[k : k + wide] for k in range(0, len(ordered), wide)]}
        if self.repairs:
            answer["changed"] = [name for name, value in self.given.items() if values[name] != value]
        return answer

    def values_of(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The values of an answer by name."""
        if "grid" in answer:
            flat = [value for row in answer["grid"] for value in row]
            return dict(zip(self.layout.names, flat, strict=False))
        return dict(answer["values"])

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        return super().encode_answer({"values": self.values_of(answer)})

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        """The rules that an answer breaks, by the rules' own check; then values that differ from the given ones."""
        values = self.values_of(answer)
        found = [
            Violation("values", f"{name} is {values.get(name)!r}, which is none of the values.", places=(name,))
            for name in self.layout.names
            if values.get(name) not in self.knowledge.places
        ]
        if found:
            return found
        configuration = self.knowledge.configuration(values)
        for rule in self.knowledge.rules:
            for place in rule.broken(configuration):
                group = [self.layout.names[i] for i in rule.places[place]]
                shown = ", ".join(f"{name} is {values[name]}" for name in group[:9])
                found.append(
                    Violation("learned", f"Broken: {rule.text}; {shown} ({rule.origin}).", places=tuple(group))
                )
        if not self.repairs:
            found += [
                Violation("known", f"{name} is {values[name]}, and {value} is given.", places=(self._path(name),))
                for name, value in self.given.items()
                if values[name] != value
            ]
        for name, excluded in self.request.get("never", {}).items():
            if values[name] in excluded:
                found.append(Violation("never", f"{name} must not be {values[name]}.", places=(f"never.{name}",)))
        return found

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(self.values_of(one) == self.values_of(other))

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        return self.values_of(answer)

    def fix(self, variable: str, value: Any) -> Patch:
        place = self.layout.index[variable]
        if "grid" in self.request and self.layout.grid:
            path = pointer("grid", place // self.layout.grid[1], place % self.layout.grid[1])
            return ({"op": "test", "path": path, "value": None}, {"op": "replace", "path": path, "value": value})
        if "known" in self.request:
            return ({"op": "add", "path": pointer("known", variable), "value": value},)
        return ({"op": "add", "path": pointer("known"), "value": {variable: value}},)

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> list[Change]:
        """Options that leave out a given value: first those in broken places, then the rest."""
        del attempt
        named = [place for violation in violations for place in violation.places]
        paths = {self._path(name): name for name in self.given}
        by_name = dict.fromkeys(
            [*(paths[p] for p in named if p in paths), *(p for p in named if p in self.given), *self.given]
        )
        return [self._without(name) for name in by_name]

    def _without(self, name: str) -> Change:
        value, place = self.given[name], self.layout.index[name]
        if "grid" in self.request and self.layout.grid and name not in self.request.get("known", {}):
            path = pointer("grid", place // self.layout.grid[1], place % self.layout.grid[1])
            patch: Patch = (
                {"op": "test", "path": path, "value": value},
                {"op": "replace", "path": path, "value": None},
            )
        else:
            path = pointer("known", name)
            patch = ({"op": "test", "path": path, "value": value}, {"op": "remove", "path": path})
        return Change(f"without {name}", f"Without {name} = {value}.", patch)

    def summary(self) -> str:
        names = len(self.layout.names)
        what = f"a grid of {self.layout.grid[0]} × {self.layout.grid[1]}" if self.layout.grid else f"{names} variables"
        origins = [rule.origin for rule in self.knowledge.rules]
        counted = ", ".join(
            f"{origins.count(one)} {one}" for one in ("learned", "confirmed", "known") if one in origins
        )
        many = self.knowledge.examples
        return f"{what} with {len(self.given)} known values under rules from {many} examples ({counted or 'none'})"

    def notation(self, answer: dict[str, Any]) -> str | None:
        values = [str(value) for value in self.values_of(answer).values()]
        return "".join(values) if self.layout.grid and all(len(value) == 1 for value in values) else None

    def draw(self, answer: dict[str, Any] | None) -> str:
        values = self.given if answer is None else self.values_of(answer)
        if not self.layout.grid:
            wide = max(map(len, self.layout.names))
            return "\n".join(f"{name:<{wide}}  {values.get(name, '·')}" for name in self.layout.names)
        cells = [str(values.get(name, "·")) for name in self.layout.names]
        wide = max(map(len, cells))
        columns = self.layout.grid[1]
        return "\n".join(
            " ".join(f"{cell:>{wide}}" for cell in cells[k : k + columns]) for k in range(0, len(cells), columns)
        )


class UsualReading(RulesReading, PreferringReading, Optimises):
    """Ranks answers as well: by learned preferences, wishes, or the number of values kept."""

    def _preferences(self, request: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = list(self.knowledge.usual) if request.get("usual", True) and not self.repairs else []
        for number, wish in enumerate(request.get("wishes", ())):
            if wish["variable"] not in self.layout.index:
                raise RequestError([Fault(f"wishes[{number}].variable", _unknown(wish["variable"], self.layout.names))])
            found.append(_wish(wish["variable"], wish["value"], float(wish.get("weight", 1.0))))
        if self.repairs:
            found += [_wish(name, value, 1.0) for name, value in self.given.items()]
        return found

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        answer = RulesReading.decode(self, tensors)
        return {**answer, "cost": self.cost(answer)}

    def cost(self, answer: dict[str, Any]) -> float:
        return round(self.read.problem.cost(self.values_of(answer)), 6)


def _has(name: str, value: Value) -> dict[str, Any]:
    return {"type": "count", "of": [{"variable": name, "value": value}]}


def _wish(name: str, value: Value, weight: float) -> dict[str, Any]:
    return {"constraint": {**_has(name, value), "exactly": 1}, "weight": weight}


def _given(request: Mapping[str, Any], knowledge: Knowledge) -> dict[str, Value]:
    """The known values by name.

    Raises:
        RequestError: If a name is unknown, or the grid and the known values contradict each other.
    """
    layout = knowledge.layout
    flat = [value for row in request.get("grid", ()) for value in row]
    given: dict[str, Value] = {n: v for n, v in zip(layout.names, flat, strict=False) if v is not None}
    faults = [
        Fault(f"{part}.{name}", _unknown(name, layout.names))
        for part in ("known", "never")
        for name in request.get(part, {})
        if name not in layout.index
    ]
    for name, value in request.get("known", {}).items():
        if name in given and given[name] != value:
            faults.append(Fault(f"known.{name}", f"This is {value}, and the grid has {given[name]} there."))
        given[name] = value
    if faults:
        raise RequestError(faults[:20])
    return given


def _unknown(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"There is no variable {name!r}." + (f" Did you mean {near[0]!r}?" if near else "")
