"""Molecules at rest in ANI-1x: the exported file beside torchani's own calculator with ASE's BFGS, on ASE's g2 molecules.

``python -m benchmarks.equilibrium.molecules FILE --peer FOLDER [--all]``. FILE is written by
`groundstate_models.equilibrium.molecules`. FOLDER holds ``pip install --no-deps --target FOLDER torchani==0.2.2 ase lark-parser
pytorch-ignite h5py``. Each molecule of H, C, N and O with an even number of electrons starts with every coordinate off at random,
and both relax it to the same largest force. The distance is that of the atoms after the best rotation (Kabsch), so a molecule
that ends in another conformer is far. Throughput: conformers relaxed per second of processor time, one thread each; ours in one
batch, the peer one after another, as its calculator takes them.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.equilibrium.elements import ELEMENTS
from groundstate_models.equilibrium.molecules import ENOUGH, HARTREE, Relaxer

BY_DEFAULT = ("H2O", "CH3OH", "CH3CONH2", "CH3CH2OH", "C6H6", "trans-butane")


def distance(one: NDArray[Any], other: NDArray[Any]) -> float:
    """The root of the mean square distance of atoms after the best rotation, in ångström."""
    a, b = one - one.mean(0), other - other.mean(0)
    u, _, v = np.linalg.svd(a.T @ b)
    turn = u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ v))]) @ v
    return float(np.sqrt(((a @ turn - b) ** 2).sum(1).mean()))


class Peer:
    """torchani's calculator under ASE's BFGS."""

    def __init__(self, folder: Path) -> None:
        sys.path.insert(0, str(folder))
        warnings.simplefilter("ignore")
        import torch
        from torchani.ase import Calculator
        from torchani.neurochem import Builtins

        torch.set_num_threads(1)
        made = Builtins()
        self.calculator = Calculator(
            made.species, made.aev_computer, made.models, made.energy_shifter, _default_neighborlist=True
        )

    def relax(self, molecule: Any, start: NDArray[Any]) -> tuple[NDArray[Any], float, int]:
        """Places, energy in hartree, and steps."""
        from ase.optimize import BFGS

        one = molecule.copy()
        one.positions, one.calc = start, self.calculator
        run = BFGS(one, logfile=None)
        run.run(fmax=ENOUGH, steps=400)
        return one.positions, float(one.get_potential_energy()) / HARTREE, run.nsteps


def molecules(every: bool) -> dict[str, Any]:
    """The molecules by name: of the known elements, with an even number of electrons."""
    from ase.collections import g2

    found = {}
    for name in g2.names if every else BY_DEFAULT:
        one = g2[name]
        if len(one) > 1 and set(one.get_chemical_symbols()) <= set(ELEMENTS) and one.numbers.sum() % 2 == 0:
            found[name] = one
    return found


def main(argv: list[str] | None = None) -> int:
    """Print a row for each molecule; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--peer", type=Path, required=True)
    parser.add_argument("--all", action="store_true", help="every molecule of g2 instead of six")
    parser.add_argument("--throughput", default="CH3CH2OH,C6H6", help="molecules of which 32 conformers are relaxed")
    options = parser.parse_args(argv)
    peer, ours = Peer(options.peer), Relaxer(options.file)
    draw = np.random.default_rng(0)
    far, differences = [], []
    known = molecules(options.all)
    for name, molecule in known.items():
        start = molecule.positions + 0.05 * draw.standard_normal(molecule.positions.shape)
        places, energy, steps = peer.relax(molecule, start)
        found = ours.relax(molecule.get_chemical_symbols(), start[None])
        off = distance(found.positions[0], places)
        far.append(off)
        differences.append(float(found.energies[0]) - energy)
        print(
            f"{name:>20} {len(molecule):>2} atoms: {off:.4f} Å, energy {1e3 * HARTREE * differences[-1]:+.2f} meV, "
            f"steps {found.steps[0]} and {steps}",
            flush=True,
        )
    close = sum(off <= 0.05 for off in far)
    lower = sum(d < -1e-4 for d in differences)
    print(f"within 0.05 Å: {close} of {len(far)} (target: all); median {np.median(far):.4f} Å; lower minimum {lower}")
    for name in options.throughput.split(","):
        if name:
            throughput(ours, peer, name)
    return 0


def throughput(ours: Relaxer, peer: Peer, name: str, count: int = 32) -> None:
    """Conformers a second of processor time."""
    from ase.collections import g2

    molecule, draw = g2[name], np.random.default_rng(1)
    starts = molecule.positions + 0.1 * draw.standard_normal((count, *molecule.positions.shape))
    symbols = molecule.get_chemical_symbols()
    ours.relax(symbols, starts[:2])
    peer.relax(molecule, starts[0])
    begun = time.process_time()
    found = ours.relax(symbols, starts)
    mine = time.process_time() - begun
    begun = time.process_time()
    results = [peer.relax(molecule, start) for start in starts[: count // 4]]
    theirs = (time.process_time() - begun) * count / len(results)
    print(
        f"{name}, {len(molecule)} atoms, {count} conformers: {count / mine:.1f} a second, steps {found.steps.mean():.0f}; peer "
        f"{count / theirs:.1f} ({len(results)} of them run), steps {np.mean([r[2] for r in results]):.0f}: "
        f"{theirs / mine:.1f} times (target 3)"
    )


if __name__ == "__main__":
    sys.exit(main())
