"""A learned molecular potential: ANI-1x for H, C, N and O, from the parameters that older wheels of torchani carry.

J. S. Smith, O. Isayev and A. E. Roitberg, "ANI-1: an extensible neural network potential with DFT accuracy at force field
computational cost", 2017; the ensemble ANI-1x: J. S. Smith et al., "Less is more: sampling chemical space with active learning",
2018. Parameters are read, never bundled: `python -m groundstate_models.equilibrium.molecules` exports them.
"""

from __future__ import annotations

import bz2
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_models.equilibrium.elements import ELEMENTS

AXES: dict[str, tuple[str | None, ...]] = {
    "start": ("atoms", None),
    "kind": ("atoms", None),
    **{f"{element}_atom": (f"{element}_count",) for element in ELEMENTS},
    **{f"{element}_there": (f"{element}_count",) for element in ELEMENTS},
}
"""The axes of the inputs after the batch."""

FOLDER = "resources/ani-1x_dft_x8ens"

TINY = 1e-12


@dataclass(frozen=True)
class Parameters:
    """What the wheel holds.

    Attributes:
        constants: Numbers of the features by name: Rcr, Rca, EtaR, ShfR, Zeta, ShfZ, EtaA, ShfA.
        alone: Energy of each lone element, in hartree.
        layers: For each element, weights ``(members, out, in)`` and biases ``(members, out)`` of its networks.
        activations: For each element, the code of the function after each layer: 5 a Gaussian, 9 CELU, 6 none.
    """

    constants: dict[str, list[float]]
    alone: list[float]
    layers: list[list[tuple[Tensor, Tensor]]]
    activations: list[list[int]]


def read_parameters(path: Path, members: int | None = None) -> Parameters:
    """The parameters of a wheel of torchani 0.2 (``.whl``), or of a folder to which it was unpacked.

    Args:
        path: The wheel, or the folder that holds ``torchani``.
        members: How many networks of the ensemble, from the first; None for all.

    Raises:
        ValueError: If the parameters are not there.
    """
    files = _Files(path)
    root = f"torchani/{FOLDER}"
    constants: dict[str, list[float]] = {}
    for line in files.text(f"{root}/rHCNO-5.2R_16-3.5A_a4-8.params").splitlines():
        name, _, value = line.partition("=")
        if name.strip() not in {"TM", "Atyp", ""}:
            constants[name.strip()] = [float(v) for v in value.strip().strip("[]").split(",")]
    alone = [float(line.split("=")[1]) for line in files.text(f"{root}/sae_linfit.dat").splitlines() if "=" in line]
    count = 0
    while (members is None or count < members) and files.has(f"{root}/train{count}/networks/ANN-H.nnf"):
        count += 1
    if not count:
        raise ValueError(f"{path} holds no networks under {root}.")
    layers: list[list[tuple[Tensor, Tensor]]] = []
    codes: list[list[int]] = []
    for element in ELEMENTS:
        read = [_network(files, f"{root}/train{k}/networks", element) for k in range(count)]
        codes.append(read[0][1])
        layers.append(
            [
                (torch.stack([one[0][k][0] for one in read]), torch.stack([one[0][k][1] for one in read]))
                for k in range(len(read[0][0]))
            ]
        )
    return Parameters(constants, alone, layers, codes)


def _network(files: _Files, folder: str, element: str) -> tuple[list[tuple[Tensor, Tensor]], list[int]]:
    """Weights and biases of one network, and the codes of its activations."""
    packed = files.bytes(f"{folder}/ANN-{element}.nnf")
    text = bz2.decompress(packed[packed.index(b"=") + 2 :])[:-1].decode("ascii")
    found, codes = [], []
    for layer in text.split("layer [")[1:]:
        size = {name: int(v) for name, v in re.findall(r"(\w+)=(\d+);", layer)}
        weights, biases = re.findall(r"FILE:([-\w.]+)\[", layer)
        matrix = np.frombuffer(files.bytes(f"{folder}/{weights}"), "<f4").reshape(size["nodes"], size["blocksize"])
        offset = np.frombuffer(files.bytes(f"{folder}/{biases}"), "<f4")
        found.append((torch.from_numpy(matrix.copy()), torch.from_numpy(offset.copy())))
        codes.append(size["activation"])
    return found, codes


class _Files:
    """Files of a wheel or of a folder."""

    def __init__(self, path: Path) -> None:
        self.folder = path
        self.wheel = zipfile.ZipFile(path) if path.is_file() else None

    def has(self, name: str) -> bool:
        return name in self.wheel.namelist() if self.wheel is not None else (self.folder / name).is_file()

    def bytes(self, name: str) -> bytes:
        if not self.has(name):
            raise ValueError(
                f"{self.folder} holds no {name}; give a wheel of torchani 0.2, which carries its parameters."
            )
        return self.wheel.read(name) if self.wheel is not None else (self.folder / name).read_bytes()

    def text(self, name: str) -> str:
        return self.bytes(name).decode("ascii")


class AniEnergy(nn.Module):
    """``energy(move, **inputs)``: the energy of molecules in hartree, without that of the lone atoms, ``(batch,)``.

    Args:
        parameters: Of the wheel.

    The state ``move`` ``(batch, atoms, 3)`` is how far the atoms are from ``start``, in ångström. Further inputs: ``kind``
    ``(batch, atoms, 4)``, 1 at the atom's element; for each element, ``H_atom`` ``(batch, H_count)``, the indices of its atoms,
    and ``H_there``, 1 for an atom and 0 for padding. An atom whose ``kind`` is 0 is not there.
    """

    EtaR: Tensor
    ShfR: Tensor
    EtaA: Tensor
    ShfA: Tensor
    ShfZ: Tensor

    def __init__(self, parameters: Parameters) -> None:
        super().__init__()
        for name in ("EtaR", "ShfR", "EtaA", "ShfA", "ShfZ"):
            self.register_buffer(name, torch.tensor(parameters.constants[name], dtype=torch.float32))
        (zeta,) = parameters.constants["Zeta"]
        if zeta != 32:
            raise ValueError(f"Zeta is {zeta:g}; this code squares five times, for 32.")
        self.far, self.near = parameters.constants["Rcr"][0], parameters.constants["Rca"][0]
        self.codes = parameters.activations
        self.sizes: list[int] = [len(one) for one in parameters.layers]
        for element, layers in zip(ELEMENTS, parameters.layers, strict=True):
            for k, (weight, bias) in enumerate(layers):
                # The first layer of all members is one matrix, (in, members · out); the others are one for each member.
                matrix = weight.flatten(0, 1).T if k == 0 else weight.transpose(1, 2)
                self.register_buffer(f"{element}_weight_{k}", matrix.contiguous())
                self.register_buffer(
                    f"{element}_bias_{k}", bias.flatten() if k == 0 else bias.unsqueeze(1).contiguous()
                )
        self.members = len(parameters.layers[0][0][0])

    def decode(self, state: Tensor, **inputs: Tensor) -> dict[str, Tensor]:
        """The places of the atoms, ``{"positions": (batch, atoms, 3)}``."""
        return {"positions": inputs["start"] + state}

    def forward(self, state: Tensor, **inputs: Tensor) -> Tensor:
        places = inputs["start"] + state
        features = self.features(places, inputs["kind"])
        total = torch.zeros_like(places[:, 0, 0])
        for number, element in enumerate(ELEMENTS):
            index = inputs[f"{element}_atom"]
            mine = features.gather(1, index.unsqueeze(2).expand(-1, -1, features.shape[2]))
            each = self._network(mine.flatten(0, 1), element, self.codes[number]).unflatten(0, (-1, index.shape[1]))
            total = total + (each * inputs[f"{element}_there"]).sum(1)
        return total

    def _network(self, x: Tensor, element: str, codes: list[int]) -> Tensor:
        """The mean over the ensemble for rows of features, ``(rows,)``."""
        for k, code in enumerate(codes):
            weight, bias = self.get_buffer(f"{element}_weight_{k}"), self.get_buffer(f"{element}_bias_{k}")
            x = x @ weight + bias
            if k == 0:
                x = x.unflatten(1, (self.members, -1)).transpose(0, 1)
            if code == 5:
                x = torch.exp(-x * x)
            elif code == 9:
                x = x.clamp_min(0.0) + 0.1 * (torch.exp(x.clamp_max(0.0) / 0.1) - 1.0)
        return x.squeeze(2).mean(0)

    def features(self, places: Tensor, kind: Tensor) -> Tensor:
        """What each atom sees around it, ``(batch, atoms, 384)``: 16 shells by element, 32 cones by pair of elements."""
        there = kind.sum(2)
        atoms = places.shape[1]
        other = 1.0 - torch.eye(atoms)
        both = there.unsqueeze(1) * there.unsqueeze(2) * other
        gap = places.unsqueeze(1) - places.unsqueeze(2)
        d = (gap.square().sum(3) + (1.0 - both) + TINY).sqrt()
        shells = torch.exp(-self.EtaR * (d.unsqueeze(3) - self.ShfR).square())
        shells = 0.25 * shells * (_cutoff(d, self.far) * both).unsqueeze(3)
        radial = (kind.transpose(1, 2).unsqueeze(1) @ shells).flatten(2)
        return torch.cat([radial, self._angular(gap, d, both, kind)], dim=2)

    def _angular(self, gap: Tensor, d: Tensor, both: Tensor, kind: Tensor) -> Tensor:
        """The cones, ``(batch, atoms, 320)``, from all pairs of neighbours of each atom."""
        unit = gap / d.unsqueeze(3)
        cosine = 0.95 * (unit @ unit.transpose(2, 3))
        sine = (1.0 - cosine.square()).sqrt()
        near = _cutoff(d, self.near) * both
        middle = 0.5 * (d.unsqueeze(2) + d.unsqueeze(3))
        pair = near.unsqueeze(2) * near.unsqueeze(3) * (1.0 - torch.eye(d.shape[1]))
        turn = 0.5 + 0.5 * (cosine.unsqueeze(4) * self.ShfZ.cos() + sine.unsqueeze(4) * self.ShfZ.sin())
        for _ in range(5):
            turn = turn.square()
        shell = torch.exp(-self.EtaA * (middle.unsqueeze(4) - self.ShfA).square()) * pair.unsqueeze(4)
        cones = (shell.unsqueeze(5) * turn.unsqueeze(4)).flatten(4)
        # First one neighbour's element, then the other's: (batch, atoms, 4, 4, 32). Each pair stands twice.
        first = kind.transpose(1, 2).unsqueeze(1).unsqueeze(2) @ cones
        second = kind.transpose(1, 2).unsqueeze(1) @ first.flatten(3)
        both_ways = second.unflatten(3, (len(ELEMENTS), -1))
        parts = [
            both_ways[:, :, s, t] if s == t else both_ways[:, :, s, t] + both_ways[:, :, t, s]
            for s in range(len(ELEMENTS))
            for t in range(s, len(ELEMENTS))
        ]
        return torch.cat(parts, dim=2)


def _cutoff(d: Tensor, radius: float) -> Tensor:
    """1 at 0, falling smoothly to 0 at the radius and beyond."""
    return 0.5 + 0.5 * torch.cos(torch.pi / radius * d.clamp_max(radius))
