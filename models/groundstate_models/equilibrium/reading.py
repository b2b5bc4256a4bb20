"""Reads a request for a state of rest: tensors, answers, checks, proofs, questions and drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Attempt, Change, Header, Optimises, Patch, Reading, Shows, Violation
from groundstate_models.equilibrium import answers, check, drawing, proofs, repairs
from groundstate_models.equilibrium import tensors as encoding
from groundstate_models.equilibrium.finish import finished, softened, stability
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.statics import Statics, statics
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.system import Floats

SAME = 1e-5
"""Distance below which two states of rest are the same, relative to the structure's size."""

ENERGY = 1e-9
"""Difference of energy below which one arrangement is no better than another, relative."""

CLEAR = 1e-3
"""Height over the line of supports from which a node is above or below it, relative to the structure's size."""

TWIN = 1e-8
"""Difference of energy below which a settled arrangement is one that was seen before, relative."""

MOST_SEEN = 64

MOST_ASKED = 24


class EquilibriumReading(Reading, Asks, Optimises, Shows):
    """A read request. Answers are JSON in the user's units."""

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        super().__init__(header, request)
        self.structure: Structure = read(request)
        self._seen: list[tuple[Floats, dict[str, Any]]] = []

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def encode(self) -> dict[str, NDArray[Any]]:
        return encoding.tensors(self.structure.system)

    @cached_property
    def _statics(self) -> Statics:
        return statics(self.structure)

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The answer, finished by Newton's method."""
        system = self.structure.system
        x = np.asarray(tensors["places"], np.float64)[: len(system.centre)]
        return self.answer_from(np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0))

    def answer_from(self, x: Floats) -> dict[str, Any]:
        """The answer next to places in units of the system."""
        structure = self.structure
        if structure.drawn:
            return answers.drawn(self._statics, x)
        if structure.cluster:
            # Chains reach the same arrangement in many orientations; its energy tells it. By a quadratic model, x is above the
            # minimum by at most |slope|² over twice the least stiffness.
            system, scale = structure.system, structure.force * structure.length
            slope = np.where(system.free, system.gradient(x), 0.0)
            out = x - system.centre
            normal = (
                np.where(system.radius > 0, 1.0, 0.0)[:, None]
                * out
                / np.linalg.norm(out, axis=1, keepdims=True).clip(1e-12)
            )
            slope = slope - normal * (slope * normal).sum(1, keepdims=True)
            energy = system.energy(x) * scale
            above = float((slope**2).sum()) * scale
            for _, answer in self._seen:
                firm = max(
                    float(answer["stability"].get("stiffness") or 0.0) * structure.length / structure.force, 0.05
                )
                over = energy - answer["energy"]
                if -TWIN * max(1.0, abs(energy)) < over < above / firm + TWIN * max(1.0, abs(energy)):
                    return dict(answer)
        rest = finished(structure.system, x)
        for places, answer in self._seen:
            if float(np.abs(places - rest.x).max()) < 1e-9:
                return dict(answer)
        answer = answers.settled(structure, rest, stability(structure.system, rest))
        if len(self._seen) < MOST_SEEN and not check.failed(structure, answer):
            self._seen.append((rest.x, answer))
        return answer

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        system = self.structure.system
        whole = np.zeros((encoding.rounded(len(system.centre) + 1), 3))
        if self.structure.drawn:
            whole[: len(system.centre)] = finished(system, system.centre).x
            return {"places": whole}
        places = self._places(answer)
        if places is None:
            return None
        whole[: len(places)] = softened(system, places)
        return {"places": whole}

    def _places(self, answer: Mapping[str, Any]) -> Floats | None:
        given = answer.get("positions", {})
        if any(name not in given for name in self.structure.nodes):
            return None
        places = [(*map(float, given[name]), 0.0)[:3] for name in self.structure.nodes]
        return np.array(places, np.float64).reshape(-1, 3) / self.structure.length

    def _completed(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An answer that holds positions only, with the forces that belong to them."""
        if "forces" in answer or "contacts" in answer:
            return answer
        if self.structure.drawn:
            whole = answers.drawn(self._statics, self.structure.system.centre)
            return {**whole, **answer}
        places = self._places(answer)
        if places is None or not np.isfinite(places).all():
            return answer
        whole = self.answer_from(places)
        moved = self._places(whole)
        if moved is None or float(np.abs(moved - places).max()) > SAME:
            return {**answer, "forces": answers.soft_forces(self.structure, places)}
        return whole

    # -- checks ----------------------------------------------------------------------------------------------------------

    @cached_property
    def _proof(self) -> proofs.Proof | None:
        return proofs.contradiction(self.structure)

    @property
    def contradictions(self) -> Sequence[Violation]:
        found = self._proof
        return () if found is None else (Violation("balance", found.message, 1, None, None, found.places),)

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        whole = self._completed(answer)
        found = check.failed(self.structure, whole)
        if found:
            return found
        if not whole.get("stability", {"stable": True})["stable"] and not self.structure.funicular:
            return [
                Violation("balance", "The forces balance, but the state is unstable: the least push moves it away.", 1)
            ]
        return self._elsewhere(whole)

    def _elsewhere(self, answer: Mapping[str, Any]) -> list[Violation]:
        found = []
        for name, wish in self.structure.where.items():
            at = np.array((*answer["positions"][name], 0.0)[:3])
            if isinstance(wish, str):
                height = self._height(at)
                right = height is not None and (height > 0) == (wish == "above") and abs(height) > CLEAR
                text = wish
            else:
                right = float(np.abs(at - np.array(wish)).max()) < 0.02 * self.structure.length
                text = f"near {tuple(wish[: self.structure.dimensions])}"
            if not right:
                found.append(
                    Violation("balance", f"{name} must rest {text}, and does not.", 1, None, None, (f"where.{name}",))
                )
        return found

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        if self.structure.drawn:
            return True
        if self.structure.cluster:
            return abs(self.cost(one) - self.cost(other)) <= 1e-7 * max(1.0, abs(self.cost(one)))
        a, b = self._places(one), self._places(other)
        if a is None or b is None:
            return one == other
        free = {*one.get("stability", {}).get("free", []), *other.get("stability", {}).get("free", [])}
        kept = [k for k, name in enumerate(self.structure.nodes) if name not in free]
        apart = float(np.abs(a[kept] - b[kept]).max(initial=0.0))
        return apart < (SAME if not free else 1e-3)

    # -- cost ------------------------------------------------------------------------------------------------------------

    def cost(self, answer: dict[str, Any]) -> float:
        """The energy, where the lowest of all arrangements is asked for; elsewhere every stable state is as good."""
        return float(answer.get("energy", 0.0)) if self.structure.cluster else 0.0

    def improves(self, cost: float, best: float) -> bool:
        return cost < best - ENERGY * max(1.0, abs(best))

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        del cost
        return self.encode() if self.structure.cluster else None

    # -- questions -------------------------------------------------------------------------------------------------------

    @cached_property
    def _supports(self) -> list[str]:
        held = [n.name for n in self.structure.nodes.values() if any(n.fixed) and n.at is not None]
        return sorted(held, key=lambda name: (self.structure.nodes[name].at or (0.0,))[0])

    def _height(self, at: Floats) -> float | None:
        """How far a node is above the line of the outer supports, relative to the size; None without two supports."""
        if len(self._supports) < 2:
            return None
        a, b = (np.array(self.structure.nodes[s].at) for s in (self._supports[0], self._supports[-1]))
        up = self.structure.up
        if abs(b[0] - a[0]) < 1e-9 * self.structure.length:
            return None
        line = a[up] + (b[up] - a[up]) * (at[0] - a[0]) / (b[0] - a[0])
        return float(at[up] - line) / self.structure.length

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        if self.structure.drawn or self.structure.cluster:
            return {}
        found: dict[str, Any] = {}
        free = answer.get("stability", {}).get("free", [])
        names = [n.name for n in self.structure.nodes.values() if not n.held and n.name not in free][:MOST_ASKED]
        for name in names:
            height = self._height(np.array((*answer["positions"][name], 0.0)[:3]))
            if height is not None and abs(height) > CLEAR:
                found[f"side {name}"] = self._side(name, height)
        for name in names:
            at = answer["positions"][name]
            found[f"place {name}"] = [_rounded(v, self.structure.length) for v in at]
        return found

    def _side(self, name: str, height: float) -> str:
        side = "above" if height > 0 else "below"
        line = f"{side} {self._supports[0]}–{self._supports[-1]}"
        at = self.structure.nodes[name].at
        drawn = None if at is None else self._height(np.array(at))
        if drawn is None or abs(drawn) < CLEAR:
            return f"{'standing' if height > 0 else 'sagging'} {line}"
        return f"as drawn, {line}" if (drawn > 0) == (height > 0) else f"snapped through, {line}"

    def fix(self, variable: str, value: Any) -> Patch:
        what, name = variable.split(" ", 1)
        wish = value if what == "place" else "above" if "above" in value else "below"
        steps: list[Mapping[str, Any]] = []
        if "where" not in self.request:
            steps.append({"op": "add", "path": "/where", "value": {}})
        return (*steps, {"op": "add", "path": f"/where/{name}", "value": wish})

    def ask(self, variable: str) -> str:
        what, name = variable.split(" ", 1)
        if what == "place":
            return f"There are several states of rest. Where does {name} rest?"
        node = self.structure.nodes[name]
        if node.at is not None and abs(self._height(np.array(node.at)) or 0.0) >= CLEAR:
            return f"There are several states of rest. Does {name} stay as drawn, or is it snapped through?"
        return f"There are several states of rest. Is {name} sagging or standing?"

    def called(self, variable: str, value: Any) -> str:
        _, name = variable.split(" ", 1)
        return f"{name} ({value})"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        del attempt, violations
        return repairs.changes(self.structure, self.request, self._proof)

    # -- showing ---------------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        s = self.structure
        if s.blocks:
            return f"a stack of {len(s.blocks)} blocks"
        if s.cluster:
            return f"a cluster of {len(s.nodes)} points"
        return f"a structure of {len(s.nodes)} nodes and {len(s.members)} members"

    def notation(self, answer: dict[str, Any]) -> str | None:
        return "; ".join(f"{name} = ({', '.join(f'{v:.6g}' for v in at)})" for name, at in answer["positions"].items())

    def draw(self, answer: dict[str, Any] | None) -> str | None:
        return None if answer is None else answers.written(self.structure, answer)

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        return None if answer is None else drawing.svg(self.structure, answer)


def _rounded(value: float, size: float) -> float:
    digits = 3 - math.floor(math.log10(size))
    return round(value, digits) + 0.0
