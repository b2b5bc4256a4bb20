"""The training of the descent's numbers: how much work chains do for an answer on problems that their starts leave unsolved.

CMA-ES (N. Hansen and A. Ostermeier, 2001) over the five numbers of the rule and the spread of a repair's starts. The chains of a
generation's candidates are rows of one batch. A problem's work is the number of updates of all its chains until the first layout
that the exact check accepts, as in a solve, so it does not depend on the machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

import groundstate as gs
from groundstate_export import LevenbergMarquardt, Probe
from groundstate_models.layout import settings as kept
from groundstate_models.layout.energy import LayoutEnergy
from groundstate_models.layout.export import TOLERANCE
from groundstate_models.layout.families import disturbed, packed, room, turning
from groundstate_models.layout.learned import COLD, ITERATIONS, NOISE_EVERY, RULE, SEGMENT, Settings
from groundstate_models.layout.reading import LayoutReading
from groundstate_models.layout.starts import CLEAN, Starts
from groundstate_models.layout.tensors import needed, tensors
from groundstate_training import Evolution, EvolutionPreset, Point

Floats = NDArray[np.float64]

CHAINS = 4
"""Chains of a problem: as many as a solve begins with."""

UPDATES = 128
"""Updates of a chain. A problem without an answer by then counts as twice the work."""

HELD = 1_000_003
"""Added to the seed for the validation problems."""

DIMENSIONS = len(RULE) + 1


@dataclass(frozen=True, kw_only=True)
class DescentPreset(EvolutionPreset):
    """Sizes of the training.

    Attributes:
        made: Problems of each family to train on.
        drawn: Number of those in one generation.
        held: Validation problems of each family.
        pool: Starts that are built of each problem.
    """

    iterations: int = 40
    candidates: int = 8
    spread: float = 0.4
    made: int = 16
    drawn: int = 4
    held: int = 8
    pool: int = 12


PRESETS = {
    "smoke": DescentPreset(iterations=2, candidates=4, made=1, drawn=1, held=1, pool=4, validate_every=1),
    "cpu": DescentPreset(validate_every=5),
}


def numbers_of(x: Point) -> dict[str, float]:
    """Map a CMA-ES point to the rule's numbers and ``start``; the origin is the hand-written ones."""
    found = {}
    for (name, value), step in zip({**RULE, "start": Settings().start}.items(), x.tolist(), strict=True):
        if name == "down":  # in (0, 1)
            found[name] = 1.0 / (1.0 + math.exp(-math.log(value / (1.0 - value)) - step))
        elif name == "up":  # above 1
            found[name] = 1.0 + (value - 1.0) * math.exp(step)
        else:
            found[name] = value * math.exp(step)
    return found


class RowDescent(LevenbergMarquardt):
    """`LevenbergMarquardt` with the layout's noise, and the numbers of each row ``(batch,)``."""

    def __init__(self, energy: LayoutEnergy, numbers: Mapping[str, Tensor]) -> None:
        def heat(state: Tensor, **inputs: Tensor) -> Tensor:
            shares = energy.heat(state, **inputs).pow(numbers["sharpness"].unsqueeze(1))
            return numbers["throw"].unsqueeze(1) * shares

        super().__init__(
            energy.residuals,
            linearised=energy.linearised,
            heat=heat,
            noise_every=NOISE_EVERY,
            cold=COLD,
            iterations=ITERATIONS,
        )
        object.__setattr__(self, "numbers", dict(numbers))
        self.down, self.up = numbers["down"], numbers["up"]  # type: ignore[assignment]

    numbers: dict[str, Tensor]

    def _thrown(
        self, probe: Probe, point: dict[str, Tensor], damping: Tensor, noise: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], Tensor]:
        point, moved = super()._thrown(probe, point, damping, noise)
        # The base restarts the damping of a chain at one number for all.
        return point, torch.where(moved != damping, self.numbers["damping"], damping)


class Case:
    """A problem: the energy's inputs, a pool of starts, and the exact check."""

    def __init__(self, header: gs.Header, request: dict[str, Any], seed: int, pool: int) -> None:
        self.reading = LayoutReading(header, request)
        self.system = self.reading.lowering.system
        self.sizes = needed(self.system)
        self.repairs = self.reading.plan.repair
        self.pool: Floats | None = None
        self.clean = False
        if not self.repairs:
            starts = Starts.of(self.reading.lowering)
            draw = np.random.default_rng(seed)
            self.clean = bool((starts.places(draw, pool)[2] <= CLEAN).any())
            if not self.clean:
                self.pool = starts.state(draw, pool, len(self.system.bodies))

    def starts(self, draw: np.random.Generator) -> Floats:
        """Normal numbers for a repair, else some of the pool, ``(CHAINS, 3 · items)``."""
        if self.pool is None:
            return draw.standard_normal((CHAINS, 3 * len(self.system.bodies)))
        found: Floats = self.pool[draw.permutation(len(self.pool))[:CHAINS]]
        return found

    def accepts(self, place: Floats) -> bool:
        """Whether the finished layout passes the exact check."""
        return not self.reading.check(self.reading.decode({"place": place}))


def families() -> dict[str, Callable[[np.random.Generator], dict[str, Any]]]:
    """Requests by family: what starts do not solve by themselves."""
    return {
        "full rooms": lambda draw: room(draw, (7, 13)),
        "packed": lambda draw: packed(draw, int(draw.integers(7, 11))),
        "polygons": lambda draw: packed(draw, int(draw.integers(7, 11)), float(draw.uniform(0.3, 0.5))),
        "free turns": lambda draw: turning(draw, int(draw.integers(5, 8))),
        "repairs": disturbed,
    }


def cases(seed: int, each: int, pool: int) -> dict[str, list[Case]]:
    """Problems by family of which no start of the pool is clean."""
    header = gs.load("layout").header
    found: dict[str, list[Case]] = {}
    for number, (family, make) in enumerate(families().items()):
        draw = np.random.default_rng((seed, number))
        some: list[Case] = []
        while len(some) < each:
            case = Case(header, make(draw), int(draw.integers(1 << 30)), pool)
            if not case.clean:
                some.append(case)
        found[family] = some
    return found


def work(candidates: Sequence[Mapping[str, float]], some: Sequence[Case], seed: int) -> NDArray[np.int64]:
    """Updates of all chains until the first answer that passes the exact check, ``(candidates, problems)``.

    All candidates get the same starts and noise. A problem without an answer counts as ``2 * CHAINS * UPDATES``.
    """
    energy = LayoutEnergy()
    draw = np.random.default_rng(seed)
    sizes = tuple(max(case.sizes[k] for case in some) for k in range(6))
    width = 3 * sizes[0]
    many, several = len(candidates), len(some)
    stacked = [tensors(case.system, sizes) for case in some]  # type: ignore[arg-type]
    # Rows are numbered by candidate, problem and chain.
    problem = np.tile(np.repeat(np.arange(several), CHAINS), many)
    inputs = {name: torch.as_tensor(np.stack([one[name] for one in stacked])[problem]) for name in stacked[0]}
    numbers = {
        name: torch.tensor([one[name] for one in candidates], dtype=torch.float64).repeat_interleave(several * CHAINS)
        for name in candidates[0]
    }
    begun = np.zeros((several * CHAINS, width))
    for k, case in enumerate(some):
        states = case.starts(draw)
        begun[k * CHAINS : (k + 1) * CHAINS, : states.shape[1]] = states
    y = torch.as_tensor(np.tile(begun, (many, 1)))
    repairs = torch.tensor([case.repairs for case in some])[torch.as_tensor(problem)]
    y = torch.where(repairs.unsqueeze(1), numbers["start"].unsqueeze(1) * y, y)
    damping = numbers["damping"].clone()
    found = np.full((many, several), 2 * CHAINS * UPDATES)
    rows = np.arange(many * several * CHAINS)
    refused: dict[int, bytes] = {}
    for made in range(SEGMENT, UPDATES + 1, SEGMENT):
        noise = torch.as_tensor(np.tile(draw.standard_normal((several * CHAINS, width)), (many, 1))[rows])
        rule = RowDescent(energy, numbers)
        for step in range(SEGMENT):
            y, damping = _updated(rule, y, damping, inputs, noise if step % NOISE_EVERY == 0 else None)
        place = energy.decode(y, **inputs)
        off = energy.checks(place, **inputs)["required"].amax(1)
        least = energy(y, **inputs)["required"].numpy()
        places = place["place"].numpy()
        hits = np.flatnonzero(off.numpy() <= TOLERANCE)
        for row in hits[least[hits].argsort()].tolist():
            which, chain = divmod(int(rows[row]), several * CHAINS)
            number = chain // CHAINS
            if found[which, number] <= CHAINS * made:
                continue
            own = places[row, : len(some[number].system.bodies)]
            key = own.tobytes()
            if refused.get(int(rows[row])) == key:
                continue
            if some[number].accepts(own):
                found[which, number] = CHAINS * made
            else:
                refused[int(rows[row])] = key
        left = (found > CHAINS * made).reshape(-1)[rows // CHAINS]
        if not left.any():
            break
        if not left.all():
            mask = torch.as_tensor(left)
            rows, y, damping = rows[left], y[mask], damping[mask]
            inputs = {name: x[mask] for name, x in inputs.items()}
            numbers = {name: x[mask] for name, x in numbers.items()}
    return found


def _updated(
    rule: RowDescent, y: Tensor, damping: Tensor, inputs: dict[str, Tensor], noise: Tensor | None
) -> tuple[Tensor, Tensor]:
    state = {"y": y, "chain.damping": damping}

    def at(other: Mapping[str, Tensor]) -> Probe:
        # The rule has its residuals and their derivatives from the energy, and looks at no other point. One that did must not
        # go on with a wrong one.
        raise NotImplementedError("The descent of layouts looks at one point of an update.")

    probe = Probe(rule=rule, state=state, point=y, inputs=inputs, terms={}, at=at)
    with torch.no_grad():
        after = rule(state, {"y": y}, None if noise is None else {"y": noise}, probe=probe)
    return after["y"], after["chain.damping"]


def judged(
    candidates: Sequence[Mapping[str, float]], sets: Mapping[str, Sequence[Case]], seed: int
) -> dict[str, tuple[Floats, Floats]]:
    """For each family, the mean logarithm of the work, and the share of problems with an answer, ``(candidates,)`` each."""
    found = {}
    for family, some in sets.items():
        spent = work(candidates, some, seed)
        found[family] = (np.log(spent).mean(1), (spent <= CHAINS * UPDATES).mean(1))
    return found


class DescentEvolution(Evolution):
    """The training of the descent's numbers."""

    def __init__(self, preset: DescentPreset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, DIMENSIONS)
        torch.set_num_threads(threads)
        self.training = cases(seed, preset.made, preset.pool)
        self.held = cases(seed + HELD, preset.held, preset.pool)

    @property
    def settings(self) -> Settings:
        numbers = {name: float(f"{value:.4g}") for name, value in numbers_of(self.mean).items()}
        return replace(Settings.read(kept()), rule={name: numbers[name] for name in RULE}, start=numbers["start"])

    def fitness(self, points: Sequence[Point]) -> list[float]:
        draw = np.random.default_rng((self.seed, self.iteration))
        some = {
            family: [every[int(k)] for k in draw.permutation(len(every))[: self.preset.drawn]]
            for family, every in self.training.items()
        }
        logs = [log for log, _ in judged([numbers_of(x) for x in points], some, 7919 * self.iteration).values()]
        return [-float(value) for value in np.mean(logs, axis=0)]

    def validate(self) -> dict[str, Any]:
        """Work and solved shares on the validation problems, of the numbers by hand too."""
        settings = self.settings
        found = judged([{**settings.rule, "start": settings.start}, numbers_of(np.zeros(DIMENSIONS))], self.held, 0)
        each = {
            family: [round(float(v), 3) for v in (log[0], log[1], share[0], share[1])]
            for family, (log, share) in found.items()
        }
        mean = np.mean([log for log, _ in found.values()], axis=0)
        return {"held": round(-float(mean[0]), 4), "by_hand": round(-float(mean[1]), 4), **each, **settings.rule}


def report(settings: Settings, seed: int, each: int) -> None:
    """Print what learning bought on problems of a seed that no training used."""
    learned = {**settings.rule, "start": settings.start}
    sets = cases(seed, each, DescentPreset().pool)
    print("| family | updates for an answer, by hand | learned | with an answer, by hand | learned |")
    print("|---|---|---|---|---|")
    for family, (log, share) in judged([numbers_of(np.zeros(DIMENSIONS)), learned], sets, seed).items():
        print(f"| {family} | {math.exp(log[0]):,.0f} | {math.exp(log[1]):,.0f} | {share[0]:.1%} | {share[1]:.1%} |")
