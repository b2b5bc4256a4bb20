"""Completes rows of a learned table, with the confidence and alternatives of each value, and given values that do not fit."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Fault, Header, Patch, Reading, RequestError, Shows, Violation, pointer
from groundstate_models.learned.columns import Belief, Column, Value, plausible
from groundstate_models.learned.table_knowledge import TableKnowledge, inputs_of, known_level, level_of
from groundstate_models.learned.totals import Part, divided, possible

ODD = 0.01
"""Likelihood below which a given value is called odd."""

CLOSE = 0.5
"""Smallest probability of a second peak, relative to the best, that leads to a question."""


class TableReading(Reading, Asks, Shows):
    """A row with missing values."""

    tolerance = 0.02

    def __init__(self, header: Header, request: dict[str, Any], knowledge: TableKnowledge) -> None:
        super().__init__(header, request)
        self.knowledge = knowledge
        self.known = {name: value for name, value in request["row"].items() if value is not None}
        self._cells: dict[int, tuple[Belief, dict[str, Any]]] = {}
        self._refuse()

    def _refuse(self) -> None:
        """Refuse values that a column cannot have.

        Raises:
            RequestError: With the place of each.
        """
        faults = []
        for name, value in self.known.items():
            column = self.knowledge.columns[self.knowledge.index[name]]
            if column.kind == "levels" and level_of(column, value) is None:
                near = difflib.get_close_matches(str(value), [str(v) for v in column.levels], n=1)
                hint = f" Did you mean {near[0]!r}?" if near else ""
                faults.append(Fault(f"row.{name}", f"No example has {value!r} here.{hint}"))
            elif column.kind == "number" and not math.isfinite(float(value)):
                faults.append(Fault(f"row.{name}", f"{value} is not a finite number."))
        for name, (low, high) in self.request.get("between", {}).items():
            if not low <= high:
                faults.append(Fault(f"between.{name}", f"{low} is more than {high}."))
        if faults:
            raise RequestError(faults[:20])

    @property
    def missing(self) -> list[int]:
        """The missing columns, by their index in the file."""
        return [k for k, column in enumerate(self.knowledge.columns) if column.name not in self.known]

    @property
    def contradictions(self) -> list[Violation]:
        found = []
        bounds = self.request.get("between", {})
        for name, (low, high) in bounds.items():
            if name in self.known and not low <= float(self.known[name]) <= high:
                message = f"{name} is {self.known[name]}, which is not between {low:g} and {high:g}."
                found.append(Violation("between", message, places=(f"row.{name}", f"between.{name}")))
            elif name not in self.known and self._never_whole(name):
                message = f"{name} has whole numbers only, and there is none between {low:g} and {high:g}."
                found.append(Violation("between", message, places=(f"between.{name}",)))
        total = self.request.get("sum")
        if total and all(name in self.known for name in total["columns"]):
            have = sum(float(self.known[name]) for name in total["columns"])
            if not math.isclose(have, total["equals"], rel_tol=1e-9, abs_tol=1e-9):
                message = (
                    f"The given values of {', '.join(total['columns'])} add up to {have:g}, not to {total['equals']:g}."
                )
                found.append(Violation("sum", message, places=("sum",)))
        elif total and not found:
            names, parts, rest = self._open_parts(total, {})
            if not possible(parts, rest):
                message = (
                    f"No values of {', '.join(names)} add up to {rest:g} within their bounds, with whole numbers where the "
                    "column's are."
                )
                found.append(Violation("sum", message, places=("sum", *(f"between.{n}" for n in names if n in bounds))))
        return found

    def _never_whole(self, name: str) -> bool:
        """Whether a column of whole numbers has none within its bounds."""
        column = self.knowledge.columns[self.knowledge.index[name]]
        part = Part(0.0, 1.0, *self._bounds(name), whole=column.integers)
        return part.least > part.most

    @cached_property
    def _inputs(self) -> dict[str, NDArray[Any]]:
        return inputs_of(self.knowledge, self.known)

    @cached_property
    def _given_numbers(self) -> tuple[list[str], list[int]] | None:
        """The given columns of numbers, and their places in the network."""
        places = {name: self.knowledge.place[self.knowledge.index[name]] for name in self.known}
        numbers = {name: place for name, place in places.items() if place < self.knowledge.numbers}
        return (list(numbers), list(numbers.values())) if numbers else None

    def encode(self) -> dict[str, NDArray[Any]]:
        return dict(self._inputs)

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        del answer
        return None

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        row = dict(self.known)
        for k in self.missing:
            row[self.knowledge.columns[k].name] = self._settled(k, tensors)
        self._add_up(row)
        ordered = {column.name: row[column.name] for column in self.knowledge.columns}
        answer: dict[str, Any] = {"row": ordered}
        if self.missing:
            answer["cells"] = [self._cell(k, ordered, tensors) for k in self.missing]
        if odd := self._odd(tensors):
            answer["odd"] = odd
        return answer

    def _belief(self, k: int, tensors: Mapping[str, NDArray[Any]], prefix: str) -> Belief:
        column, place = self.knowledge.columns[k], self.knowledge.place[k]
        if column.kind == "levels":
            return Belief.of_levels(
                column, np.asarray(tensors[f"{prefix}_chances"], np.float64)[self.knowledge.slices[k]]
            )
        weights, means, widths = np.asarray(tensors[f"{prefix}_mixture"], np.float64)[place]
        return Belief.of_mixture(column, weights, means, widths)

    def _settled(self, k: int, tensors: Mapping[str, NDArray[Any]]) -> Value:
        """The value at the minimum, within the bounds."""
        column = self.knowledge.columns[k]
        low, high = self.request.get("between", {}).get(column.name, (-math.inf, math.inf))
        if column.kind == "levels":
            chances = np.asarray(tensors["levels"], np.float64)[self.knowledge.slices[k]].copy()
            if column.ordered and math.isfinite(low + high):
                inside = np.array([low <= float(v) <= high for v in column.levels])
                if inside.any():
                    chances[~inside] = -1.0
                else:
                    return _rounded(column, low, low, high)
            return column.levels[int(chances.argmax())]
        value = float(column.from_normal(np.asarray(tensors["numbers"], np.float64)[[self.knowledge.place[k]]])[0])
        return _rounded(column, value, low, high)

    def _cell(self, k: int, row: Mapping[str, Any], tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        # What the given values alone imply is the same for all chains.
        if k not in self._cells:
            belief = self._belief(k, tensors, "given")
            self._cells[k] = belief, self._implied(belief)
        belief, implied = self._cells[k]
        column = self.knowledge.columns[k]
        cell: dict[str, Any] = {"column": column.name, "value": row[column.name]}
        if column.kind == "levels":
            cell["chance"] = round(belief.likelihood(row[column.name]), 3)
        return cell | implied

    def _implied(self, belief: Belief) -> dict[str, Any]:
        """Mean, interval and alternatives of a missing value."""
        found: dict[str, Any] = {}
        if belief.column.ordered:
            low, high = belief.interval()
            bounds = self.request.get("between", {}).get(belief.column.name)
            if bounds:
                low, high = max(low, bounds[0]), min(high, bounds[1])
            found |= {"mean": _short(belief.mean), "low": _short(min(low, high)), "high": _short(max(low, high))}
        peaks = belief.peaks()
        if len(peaks) > 1:
            found["alternatives"] = [{"value": value, "chance": round(chance, 3)} for value, chance in peaks]
        return found

    def _odd(self, tensors: Mapping[str, NDArray[Any]]) -> list[dict[str, Any]]:
        """Given values that are unlikely beside all others, the least likely first, each with the most likely value."""
        found = []
        fine: set[str] = set()
        if self._given_numbers:
            names, places = self._given_numbers
            mixtures = np.asarray(tensors["others_mixture"], np.float64)[places]
            points = np.asarray(self._inputs["known_numbers"], np.float64)[places]
            fine = {name for name, well in zip(names, plausible(mixtures, points), strict=True) if well}
        for name, value in self.known.items():
            if name in fine:
                continue
            belief = self._belief(self.knowledge.index[name], tensors, "others")
            likely = belief.likelihood(known_level(belief.column, value) if belief.column.kind == "levels" else value)
            if likely < ODD:
                instead = (
                    belief.peaks()[0][0] if belief.column.kind == "levels" else _rounded(belief.column, belief.median)
                )
                found.append({"column": name, "value": value, "chance": round(likely, 5), "instead": instead})
        return sorted(found, key=lambda one: one["chance"])

    def _add_up(self, row: dict[str, Any]) -> None:
        """Adjust missing numbers to the sum, each in proportion to its column's spread; whole numbers stay whole."""
        if total := self.request.get("sum"):
            names, parts, rest = self._open_parts(total, row)
            if found := divided(parts, rest):
                for name, part, value in zip(names, parts, found, strict=True):
                    row[name] = int(value) if part.whole else value

    def _open_parts(self, total: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[list[str], list[Part], float]:
        """The missing columns of a sum, what each may be, and their total."""
        names = [name for name in total["columns"] if name not in self.known]
        parts = []
        for name in names:
            column = self.knowledge.columns[self.knowledge.index[name]]
            low, high = self._bounds(name)
            parts.append(Part(float(row.get(name, 0.0)), max(column.spread, 1e-9), low, high, column.integers))
        given = math.fsum(float(self.known[name]) for name in total["columns"] if name in self.known)
        return names, parts, float(total["equals"]) - given

    def _bounds(self, name: str) -> tuple[float, float]:
        low, high = self.request.get("between", {}).get(name, (-math.inf, math.inf))
        return float(low), float(high)

    def check(self, answer: dict[str, Any]) -> list[Violation] | None:
        """Violations of the request: given values, bounds, whole numbers, the sum. Empty if all hold.

        Nothing proves a learned completion right, so the status of an answer without violations is settled, not solved.
        """
        found = []
        row = answer["row"]
        for name, value in self.known.items():
            if row.get(name) != value:
                found.append(
                    Violation("known", f"{name} is {row.get(name)!r}, and {value!r} is given.", places=(f"row.{name}",))
                )
        for name, (low, high) in self.request.get("between", {}).items():
            if not low - 1e-9 <= float(row[name]) <= high + 1e-9:
                found.append(
                    Violation("between", f"{name} is {row[name]}, not between {low:g} and {high:g}.", places=(name,))
                )
        columns = (self.knowledge.columns[k] for k in self.missing)
        found += [
            Violation("whole", f"{column.name} is {row[column.name]}, not a whole number.", places=(column.name,))
            for column in columns
            if column.integers and not float(row[column.name]).is_integer()
        ]
        total = self.request.get("sum")
        if total and not math.isclose(
            sum(float(row[n]) for n in total["columns"]), total["equals"], rel_tol=1e-6, abs_tol=1e-6
        ):
            found.append(
                Violation("sum", f"{' + '.join(total['columns'])} is not {total['equals']:g}.", places=("sum",))
            )
        return found or None

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(self.variables(one) == self.variables(other))

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        """For each missing value, its level or the nearest peak of its distribution."""
        found: dict[str, Any] = {}
        for cell in answer.get("cells", ()):
            column = self.knowledge.columns[self.knowledge.index[cell["column"]]]
            value = cell["value"]
            peaks = [one["value"] for one in cell.get("alternatives", ())]
            if column.kind == "number" and peaks:
                value = min(peaks, key=lambda peak: abs(float(peak) - float(value)))
            elif column.kind == "number":
                continue
            found[column.name] = value
        return found

    def fix(self, variable: str, value: Any) -> Patch:
        return ({"op": "add", "path": pointer("row", variable), "value": value},)

    def ask(self, variable: str) -> str:
        return f"Which value does {variable} have?"

    def called(self, variable: str, value: Any) -> str:
        return f"{variable} = {value}"

    def summary(self) -> str:
        names = ", ".join(self.knowledge.columns[k].name for k in self.missing[:4])
        more = ", …" if len(self.missing) > 4 else ""
        found = f"{names}{more} from {len(self.known)} known values" if self.missing else "a whole row"
        return f"{found}, by a table of {self.knowledge.rows} rows"

    def draw(self, answer: dict[str, Any] | None) -> str:
        row = self.known if answer is None else answer["row"]
        cells = {} if answer is None else {cell["column"]: cell for cell in answer.get("cells", ())}
        wide = max(len(column.name) for column in self.knowledge.columns)
        lines = []
        for column in self.knowledge.columns:
            cell = cells.get(column.name, {})
            sure = f"  ({cell['low']:g} to {cell['high']:g})" if "low" in cell else ""
            sure = f"  ({cell['chance']:.0%})" if "chance" in cell else sure
            lines.append(f"{column.name:<{wide}}  {row.get(column.name, '·')}{sure}")
        return "\n".join(lines)


def _rounded(column: Column, value: float, low: float = -math.inf, high: float = math.inf) -> Value:
    """A number within bounds, whole if the column's numbers are, otherwise with the significant digits."""
    value = min(max(value, low), high)
    if column.integers:
        whole = round(value)
        return whole if low <= whole <= high else (math.ceil(low) if whole < low else math.floor(high))
    return min(max(_short(value), low), high)


def _short(value: float) -> float:
    return float(f"{value:.6g}")
