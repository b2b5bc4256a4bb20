"""Molecules at rest in a learned potential: ``python -m groundstate_models.equilibrium.molecules WHEEL --out ani.onnx``.

WHEEL is the wheel of torchani 0.2.2 (``pip download --no-deps torchani==0.2.2``; MIT licence), which carries the parameters of
ANI-1x. The exported file holds them, takes molecules of any size in batches of conformers, and relaxes them without PyTorch: see
`Relaxer`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import groundstate as gs
from groundstate_models.equilibrium.elements import ELEMENTS, inputs_of

HARTREE = 27.211386245988
"""Electronvolts."""

ENOUGH = 0.01
"""Largest force at rest, in electronvolts per ångström."""

MEMORY, STIFFNESS, REACH = 12, 70.0 / HARTREE, 0.2
"""Of `quasi_newton.LimitedMemory`: moves kept, curvature first assumed (hartree/Å²), and the largest move of an atom (Å)."""

UNROLL = 4

SIZES = ("CCHHHHHNO", "CHHHNNOOOO", "CCCHHNNNOOO")
"""The elements of the examples that the exporter joins and verifies."""


@dataclass(frozen=True)
class Relaxed:
    """Conformers at rest.

    Attributes:
        positions: ``(conformers, atoms, 3)`` in ångström.
        energies: In hartree, lone atoms included, ``(conformers,)``.
        forces: The largest force on an atom that is left, in electronvolts per ångström, ``(conformers,)``.
        steps: Steps that each conformer took, ``(conformers,)``.
    """

    positions: NDArray[np.float32]
    energies: NDArray[np.float64]
    forces: NDArray[np.float64]
    steps: NDArray[np.int64]


class Relaxer:
    """Relaxes molecules with an exported file.

    Args:
        file: Of `export`.
    """

    def __init__(self, file: Path | str) -> None:
        self.solver = gs.load(file)
        header = self.solver.header
        self.steps, self.alone = header.steps, dict(zip(ELEMENTS, header.knowledge["alone"], strict=True))

    def relax(
        self, symbols: Sequence[str], positions: Any, *, enough: float = ENOUGH, most_steps: int = 400
    ) -> Relaxed:
        """Conformers of one molecule, all in one batch; those at rest leave it.

        Args:
            symbols: Of the atoms.
            positions: ``(conformers, atoms, 3)`` in ångström.
            enough: The largest force on an atom at rest, in electronvolts per ångström.
            most_steps: Of a conformer.

        Raises:
            ValueError: If the potential does not know an element, or the shape is another one.
        """
        start = np.asarray(positions, np.float32)
        if start.ndim != 3 or start.shape[1:] != (len(symbols), 3):
            raise ValueError(f"positions has the shape {start.shape}; it must be (conformers, {len(symbols)}, 3).")
        given = inputs_of(symbols)
        count = len(start)
        found, energies = start.copy(), np.zeros(count)
        forces, steps = np.full(count, np.inf), np.zeros(count, np.int64)
        active, state = np.arange(count), None
        while len(active) and steps[active[0]] < most_steps:
            rows = {name: np.repeat(value[None], len(active), 0) for name, value in given.items()}
            rows["start"] = start[active]
            out = self.solver.minimise(rows, state)
            steps[active] += self.steps
            found[active], energies[active] = out["answer.positions"], out["energy"]
            forces[active] = out["residual"] * HARTREE
            left = forces[active] > enough
            state = {name.removeprefix("next."): v[left] for name, v in out.items() if name.startswith("next.")}
            active = active[left]
        return Relaxed(found, energies + sum(self.alone[symbol] for symbol in symbols), forces, steps)


def export(wheel: Path, out: Path, *, members: int | None = None) -> Any:
    """Write the file of the potential; returns the exporter's report.

    Args:
        wheel: A wheel of torchani 0.2, or a folder to which it was unpacked.
        out: The file.
        members: How many networks of the ensemble; None for all eight.
    """
    import torch

    from groundstate_export import Accept, Card, Constant
    from groundstate_export import export as exported
    from groundstate_models.equilibrium.ani import AXES, AniEnergy, read_parameters
    from groundstate_models.equilibrium.quasi_newton import LimitedMemory

    parameters = read_parameters(wheel, members)
    energy = AniEnergy(parameters)

    def example(symbols: str) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        draw = torch.Generator().manual_seed(len(symbols))
        given = {name: torch.as_tensor(v)[None].repeat(8, *[1] * v.ndim) for name, v in inputs_of(symbols).items()}
        start = 1.3 * len(symbols) ** (1 / 3) * torch.randn(8, len(symbols), 3, generator=draw)
        return {"start": start, **given}, 0.1 * torch.randn(8, len(symbols), 3, generator=draw)

    (inputs, state), *resized = (example(symbols) for symbols in SIZES)
    return exported(
        energy,
        inputs=inputs,
        state=state,
        rule=LimitedMemory(memory=MEMORY, stiffness=STIFFNESS, reach=REACH),
        unroll=UNROLL,
        path=out,
        decode=energy.decode,
        initial=Constant(0.0),
        accept=Accept(checks="none", converged=True, polish=0),
        axes=AXES,
        resized=resized,
        card=Card(
            name="ani",
            title="Molecules at rest in ANI-1x",
            description="Relaxes a molecule of H, C, N and O from start, in ångström, with the learned potential ANI-1x.",
            licence="MIT",
            defaults={"restarts": 1, "max_steps": 400, "residual_tolerance": ENOUGH / HARTREE},
            knowledge={"alone": parameters.alone},
        ),
    )


def main(argv: list[str] | None = None) -> int:
    """Export; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m groundstate_models.equilibrium.molecules", description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=Path("ani.onnx"))
    parser.add_argument("--members", type=int, default=None, help="networks of the ensemble (default: all)")
    options = parser.parse_args(argv)
    try:
        print(export(options.wheel, options.out, members=options.members))
    except (OSError, ValueError) as error:
        print(f"molecules: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
