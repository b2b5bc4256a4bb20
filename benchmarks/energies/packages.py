"""Energies of packages: torchebm, ebmkit, torchani and schnetpack. The project's tests export these too."""

from __future__ import annotations

import importlib
import itertools
import sys
import types
from importlib.util import find_spec
from typing import Any

import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from torch import Tensor, nn

from groundstate_export import GradientDescent

TORCHEBM, EBMKIT, TORCHANI, SCHNETPACK = "torchebm 0.8.9", "ebmkit 0.16.0", "torchani 2.9.0", "schnetpack 2.0.4"


def _covariance() -> Tensor:
    root = torch.randn(3, 3)
    return root @ root.T + torch.eye(3)


@entry(
    27, "GaussianModel, called on two rows or more", TORCHEBM, note="alone, it takes another path: a matmul for a bmm"
)
def torchebm_gaussian(_: Checkout) -> Example:
    from torchebm.core import GaussianModel

    return Example(GaussianModel(torch.randn(3), _covariance()), torch.randn(2, 3))


@entry(27, "AckleyModel", TORCHEBM)
def torchebm_ackley(_: Checkout) -> Example:
    from torchebm.core import AckleyModel

    return Example(AckleyModel(), torch.randn(2, 4))


@entry(27, "RastriginModel", TORCHEBM)
def torchebm_rastrigin(_: Checkout) -> Example:
    from torchebm.core import RastriginModel

    return Example(RastriginModel(), torch.randn(2, 4), rule=GradientDescent(1e-4))


@entry(27, "RosenbrockModel", TORCHEBM)
def torchebm_rosenbrock(_: Checkout) -> Example:
    from torchebm.core import RosenbrockModel

    return Example(RosenbrockModel(), 0.5 * torch.randn(2, 4), rule=GradientDescent(1e-4))


@entry(27, "DoubleWellModel", TORCHEBM)
def torchebm_double_well(_: Checkout) -> Example:
    from torchebm.core import DoubleWellModel

    return Example(DoubleWellModel(), torch.randn(2, 4))


@entry(28, "SumEnergy of a ring, a GaussianMixtureEnergy and an MLPEnergy, tempered", EBMKIT)
def ebmkit_composed(_: Checkout) -> Example:
    from ebm.compose import EnsembleEnergy, SumEnergy, TemperedEnergy
    from ebm.nets import BananaEnergy, GaussianMixtureEnergy, MLPEnergy

    mixture = GaussianMixtureEnergy(torch.randn(3, 2))
    both = EnsembleEnergy(MLPEnergy(2, (16, 16)), MLPEnergy(2, (16, 16)))
    return Example(
        TemperedEnergy(SumEnergy(BananaEnergy(), mixture, both, weights=(1.0, 0.5, 0.1)), 2.0), torch.randn(2, 2)
    )


@entry(28, "MixtureEnergy", EBMKIT)
def ebmkit_mixture(_: Checkout) -> Example:
    from ebm.compose import MixtureEnergy
    from ebm.nets import FunnelEnergy, MLPEnergy

    return Example(MixtureEnergy(FunnelEnergy(3), MLPEnergy(3, (16,)), weights=(0.3, 0.7)), 0.3 * torch.randn(2, 3))


@entry(28, "PottsEnergy", EBMKIT)
def ebmkit_potts(_: Checkout) -> Example:
    from ebm.nets import PottsEnergy

    return Example(PottsEnergy(0.5, learn_coupling=True), torch.rand(2, 5, 5, 3))


@entry(28, "RBM", EBMKIT)
def ebmkit_rbm(_: Checkout) -> Example:
    from ebm.nets import RBM

    return Example(RBM(12, 8), torch.rand(2, 12))


@entry(28, "ConvEnergy with spectral normalisation", EBMKIT)
def ebmkit_conv(_: Checkout) -> Example:
    from ebm.nets import ConvEnergy

    return Example(ConvEnergy(1, (8, 16)).eval(), torch.randn(2, 1, 12, 12))


class _Score(nn.Module):
    """Half the squared score of an energy: an energy that holds a gradient."""

    def __init__(self, energy: nn.Module) -> None:
        super().__init__()
        self.energy = energy

    def forward(self, state: Tensor) -> Tensor:
        from ebm.energy import score

        return 0.5 * score(self.energy, state, create_graph=True).square().sum(1)


@entry(28, "the squared `score` of an MLPEnergy", EBMKIT)
def ebmkit_score(_: Checkout) -> Example:
    from ebm.nets import MLPEnergy

    return Example(_Score(MLPEnergy(3, (16, 16))), torch.randn(2, 3))


@entry(28, "NeuralSplineCouplingFlow", EBMKIT)
def ebmkit_spline(_: Checkout) -> Example:
    from ebm.nets import NeuralSplineCouplingFlow

    flow = NeuralSplineCouplingFlow(2, 2, 8, num_bins=4)
    return Example(flow, torch.randn(2, 2))


ATOMS = (6, 1, 1, 8, 1)
"""Carbon, two hydrogens, oxygen, hydrogen."""


def _places(rows: int = 2) -> Tensor:
    corners = 1.1 * torch.tensor([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]])
    return corners + 0.1 * torch.randn(rows, len(ATOMS), 3)


class _Ani(nn.Module):
    """An ANI potential over all pairs and triples of a molecule, from torchani's own terms and networks, by `torch.vmap`.

    torchani finds the pairs inside the cutoff with a boolean index, whose size depends on the positions. Its smooth cutoff is
    zero beyond its radius, so the sum over all pairs is the same energy.
    """

    def __init__(self, computer: Any, networks: Any, elements: Tensor, symbols: tuple[str, ...]) -> None:
        super().__init__()
        self.computer, self.networks, self.symbols = computer, networks, symbols
        atoms = len(symbols)
        pairs = list(itertools.combinations(range(atoms), 2))
        number = {pair: index for index, pair in enumerate(pairs)}
        triples = [
            (centre, one, two)
            for centre in range(atoms)
            for one, two in itertools.combinations([a for a in range(atoms) if a != centre], 2)
        ]
        sides = [[number[min(c, a), max(c, a)] for a in (one, two)] for c, one, two in triples]
        signs = [[1 if c < a else -1 for a in (one, two)] for c, one, two in triples]
        self.register_buffer("elements", elements[None])
        self.register_buffer("pairs", torch.tensor(pairs).T.contiguous())
        self.register_buffer("centres", torch.tensor([centre for centre, _, _ in triples]))
        self.register_buffer("sides", torch.tensor(sides).T.contiguous())
        self.register_buffer("signs", torch.tensor(signs).T.contiguous())

    def forward(self, state: Tensor) -> Tensor:
        energies: Tensor = torch.vmap(self.molecule)(state)
        return energies

    def molecule(self, places: Tensor) -> Tensor:
        apart = places[self.pairs[0]] - places[self.pairs[1]]
        distances = apart.norm(2, -1)
        radial = self.computer._collect_radial(self.elements, self.pairs, self.computer.radial(distances))
        terms = self.computer.angular(distances[self.sides], apart[self.sides] * self.signs[..., None])
        angular = self.computer._collect_angular(self.elements, self.pairs, self.centres, self.sides, self.signs, terms)
        features = torch.cat([radial, angular], dim=-1)[0]
        each = [self.networks[symbol](features[atom]) for atom, symbol in enumerate(self.symbols)]
        return torch.cat(each).sum()


def _ani_parts() -> tuple[Any, Any, Tensor]:
    from torchani.aev import AEVComputer
    from torchani.nn import ANINetworks, AtomicNetwork

    computer = AEVComputer.like_2x(
        num_species=3, cutoff_fn="smooth", radial_num_shifts=4, angular_num_shifts=2, angular_num_sections=2
    )
    features = computer.radial_len + computer.angular_len
    networks = ANINetworks({s: AtomicNetwork((features, 16, 8, 1), bias=True) for s in ("H", "C", "O")})
    return computer, networks, torch.tensor([{1: 0, 6: 1, 8: 2}[z] for z in ATOMS])


@entry(
    29, "an ANI-2x potential over all pairs and triples", TORCHANI, note="its terms and networks; no neighbour search"
)
def torchani_dense(_: Checkout) -> Example:
    computer, networks, elements = _ani_parts()
    symbols = tuple({1: "H", 6: "C", 8: "O"}[z] for z in ATOMS)
    return Example(_Ani(computer, networks, elements, symbols), _places(), rule=GradientDescent(1e-3))


class _Searched(nn.Module):
    def __init__(self, computer: nn.Module, networks: nn.Module) -> None:
        super().__init__()
        self.computer, self.networks = computer, networks

    def forward(self, state: Tensor, species: Tensor) -> Tensor:
        energy: Tensor = self.networks(species, self.computer(species, state))
        return energy


@entry(29, "an ANI-2x potential as torchani calls it", TORCHANI)
def torchani_searched(_: Checkout) -> Example:
    computer, networks, elements = _ani_parts()
    return Example(_Searched(computer, networks), _places(), {"species": elements.expand(2, -1).clone()})


class _Molecule(nn.Module):
    """A schnetpack representation of a molecule, all pairs, with an atomwise network on top, by `torch.vmap`."""

    def __init__(self, representation: nn.Module, width: int) -> None:
        super().__init__()
        self.representation = representation
        self.read_out = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 1))
        pairs = torch.tensor(list(itertools.permutations(range(len(ATOMS)), 2))).T
        self.register_buffer("pairs", pairs)

    def forward(self, state: Tensor, species: Tensor) -> Tensor:
        energies: Tensor = torch.vmap(self.molecule)(state, species)
        return energies

    def molecule(self, places: Tensor, species: Tensor) -> Tensor:
        inputs = {
            "_atomic_numbers": species,
            "_Rij": places[self.pairs[1]] - places[self.pairs[0]],
            "_idx_i": self.pairs[0],
            "_idx_j": self.pairs[1],
        }
        atomwise: Tensor = self.read_out(self.representation(inputs)["scalar_representation"])
        return atomwise.sum()


def _schnetpack() -> Any:
    """The package without its ``__init__``, which imports a trainer, loggers and data sets that an energy does not need."""
    if hasattr(sys.modules.get("schnetpack"), "nn"):
        return sys.modules["schnetpack"]
    spec = find_spec("schnetpack")
    if spec is None:
        raise ModuleNotFoundError("No module named 'schnetpack'", name="schnetpack")
    package = types.ModuleType("schnetpack")
    package.__spec__, package.__path__ = spec, list(spec.submodule_search_locations or ())
    sys.modules["schnetpack"] = package
    for part in ("nn", "representation"):
        setattr(package, part, importlib.import_module(f"schnetpack.{part}"))
    return package


def _molecule(name: str) -> Example:
    package = _schnetpack()
    basis, cutoff = package.nn.GaussianRBF(n_rbf=8, cutoff=5.0), package.nn.CosineCutoff(5.0)
    net = getattr(package.representation, name)(16, 2, basis, cutoff)
    species = torch.tensor([ATOMS, ATOMS[::-1]])
    return Example(_Molecule(net, 16), _places(), {"species": species}, GradientDescent(1e-3))


@entry(29, "SchNet", SCHNETPACK, note="all pairs")
def schnetpack_schnet(_: Checkout) -> Example:
    return _molecule("SchNet")


@entry(29, "PaiNN", SCHNETPACK, note="all pairs")
def schnetpack_painn(_: Checkout) -> Example:
    return _molecule("PaiNN")
