"""The learned molecular potential: its file relaxes molecules as its formulas say, with parameters of the test's own."""

from __future__ import annotations

import bz2
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from groundstate_models.equilibrium.ani import AniEnergy, read_parameters
from groundstate_models.equilibrium.elements import ELEMENTS, inputs_of
from groundstate_models.equilibrium.molecules import HARTREE, Relaxer, export

CONSTANTS = """TM = 1
Rcr = 5.2000e+00
Rca = 3.5000e+00
EtaR = [1.6000000e+01]
ShfR = [9.0000000e-01,1.4375000e+00,1.9750000e+00]
Zeta = [3.2000000e+01]
ShfZ = [1.9634954e-01,1.3744468e+00]
EtaA = [8.0000000e+00]
ShfA = [9.0000000e-01,1.5500000e+00]
Atyp = [H,C,N,O]
"""
WATER = np.array([[0.0, 0.0, 0.12], [0.0, 0.77, -0.48], [0.0, -0.75, -0.46]])


def wheel(folder: Path) -> Path:
    """A wheel with the layout of torchani's, with random networks of two small layers."""
    draw = np.random.default_rng(0)
    path, root = folder / "small.whl", "torchani/resources/ani-1x_dft_x8ens"
    features = 4 * 3 + 10 * 4
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{root}/rHCNO-5.2R_16-3.5A_a4-8.params", CONSTANTS)
        file.writestr(f"{root}/sae_linfit.dat", "H,0=-0.5\nC,1=-38.0\nN,2=-54.5\nO,3=-75.0\n")
        for member in range(2):
            for element in ELEMENTS:
                base = f"{root}/train{member}/networks/ANN-{element}.nnf"
                layers = ""
                for number, (size, nodes, code) in enumerate([(features, 6, 9), (6, 1, 6)], 1):
                    names = [f"ANN-{element}.nnf-l{number}.{kind}" for kind in ("wparam", "bparam")]
                    layers += f"layer [\nnodes={nodes};\nactivation={code};\nblocksize={size};\n"
                    layers += f"weights=FILE:{names[0]}[{size * nodes}];\nbiases=FILE:{names[1]}[{nodes}];\n]\n"
                    scale = 0.5 / size**0.5
                    weights = (scale * draw.standard_normal(size * nodes)).astype("<f4")
                    file.writestr(f"{root}/train{member}/networks/{names[0]}", weights.tobytes())
                    file.writestr(f"{root}/train{member}/networks/{names[1]}", np.zeros(nodes, "<f4").tobytes())
                text = f"inputsize={features};\natom_net {element} $\n{layers}\n $ \n"
                file.writestr(base, b"1114=\n" + bz2.compress(text.encode("ascii")))
    return path


def energy_of(energy: AniEnergy, symbols: list[str], places: torch.Tensor) -> torch.Tensor:
    rows = {name: torch.as_tensor(v)[None].repeat(len(places), *[1] * v.ndim) for name, v in inputs_of(symbols).items()}
    return energy(torch.zeros_like(places), start=places, **rows)


def test_the_energy_is_the_same_for_a_turned_molecule_and_for_its_atoms_in_another_order(tmp_path: Path) -> None:
    energy = AniEnergy(read_parameters(wheel(tmp_path)))
    symbols = ["C", "H", "O", "N", "H"]
    places = 1.2 * torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(1))
    turn, _ = torch.linalg.qr(torch.randn(3, 3, generator=torch.Generator().manual_seed(2)))
    here = energy_of(energy, symbols, places)
    assert energy_of(energy, symbols, places @ turn + 3.0) == pytest.approx(float(here), abs=1e-5)
    order = [3, 4, 0, 2, 1]
    assert energy_of(energy, [symbols[k] for k in order], places[:, order]) == pytest.approx(float(here), abs=1e-5)


def test_features_are_those_of_the_published_formulas(tmp_path: Path) -> None:
    energy = AniEnergy(read_parameters(wheel(tmp_path)))
    kind = torch.as_tensor(inputs_of(["O", "H", "H"])["kind"])[None]
    found = energy.features(torch.as_tensor(WATER, dtype=torch.float32)[None], kind)[0, 0].double().numpy()
    apart = [WATER[k] - WATER[0] for k in (1, 2)]
    far = [float(np.linalg.norm(one)) for one in apart]
    for number, shift in enumerate((0.9, 1.4375, 1.975)):
        want = sum(0.25 * np.exp(-16 * (d - shift) ** 2) * (0.5 * np.cos(np.pi * d / 5.2) + 0.5) for d in far)
        assert found[number] == pytest.approx(want, abs=1e-6)
    angle = np.arccos(0.95 * float(apart[0] @ apart[1]) / (far[0] * far[1]))
    cut = np.prod([0.5 * np.cos(np.pi * d / 3.5) + 0.5 for d in far])
    for a, shell in enumerate((0.9, 1.55)):
        for z, turn in enumerate((0.19634954, 1.3744468)):
            want = 2 * ((1 + np.cos(angle - turn)) / 2) ** 32 * np.exp(-8 * (np.mean(far) - shell) ** 2) * cut
            assert found[12 + 2 * a + z] == pytest.approx(want, abs=1e-6)


def test_an_element_that_the_potential_does_not_know_is_named() -> None:
    with pytest.raises(ValueError, match="Atom 1 is 'S'; the potential knows H, C, N, O"):
        inputs_of(["H", "S"])


def test_a_file_without_the_parameters_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as file:
        file.writestr("torchani/__init__.py", "")
    with pytest.raises(ValueError, match=r"give a wheel of torchani 0\.2"):
        read_parameters(tmp_path / "other.whl")


@pytest.mark.nightly
def test_conformers_come_to_rest_in_the_file_where_the_energy_in_pytorch_is_flat(tmp_path: Path) -> None:
    made = wheel(tmp_path)
    export(made, tmp_path / "small.onnx")
    symbols = ["O", "H", "H"]
    starts = WATER + 0.1 * np.random.default_rng(0).standard_normal((3, 3, 3))
    found = Relaxer(tmp_path / "small.onnx").relax(symbols, starts)
    assert (found.forces <= 0.01).all()
    places = torch.as_tensor(found.positions).requires_grad_()
    energy = energy_of(AniEnergy(read_parameters(made)), symbols, places)
    np.testing.assert_allclose(found.energies, energy.detach().double().numpy() - 75.0 - 1.0, atol=1e-5)
    (slope,) = torch.autograd.grad(energy.sum(), places)
    assert float(slope.norm(dim=2).max()) * HARTREE <= 0.011
    with pytest.raises(ValueError, match="shape"):
        Relaxer(tmp_path / "small.onnx").relax(symbols, starts[0])
