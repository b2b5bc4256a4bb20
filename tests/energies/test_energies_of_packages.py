"""Energies of published packages, as their users would export them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from benchmarks.energies import packages  # it fills the list
from benchmarks.energies.catalogue import ENTRIES, Entry
from benchmarks.energies.checkout import Checkout

from groundstate_export import ExportError, export

REFUSED = {
    "NeuralSplineCouplingFlow": "depend on the values of a tensor",
    "an ANI-2x potential as torchani calls it": "depend on the values of a tensor",
}
"""Energies whose computation takes a path that depends on the state: which bin, which neighbours."""


def _named(entry: Entry) -> str:
    return f"{entry.source.split()[0]}: {entry.name}"


PACKAGES = [entry for entry in ENTRIES if entry.source.split()[0] in ("torchebm", "ebmkit", "torchani", "schnetpack")]


def _example(entry: Entry, folder: Path) -> packages.Example:
    package = entry.source.split()[0]
    if importlib.util.find_spec({"ebmkit": "ebm"}.get(package, package)) is None:
        pytest.skip(f"{package} is not installed; tests/energies/molecules.txt says how")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return entry.build(Checkout(folder))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("entry", [e for e in PACKAGES if e.name not in REFUSED], ids=_named)
def test_the_energy_of_a_package_matches_pytorch(entry: Entry, tmp_path: Path) -> None:
    example = _example(entry, tmp_path)
    report = export(
        example.energy, inputs=example.inputs, state=example.state, rule=example.rule, unroll=4,
        path=tmp_path / "energy.onnx", batches=(1, 5), seeds=(0,),
    )  # fmt: skip
    assert report.worst <= (1e-4 if report.judged else 1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("entry", [e for e in PACKAGES if e.name in REFUSED], ids=_named)
def test_an_energy_that_chooses_its_path_by_the_state_is_refused(entry: Entry, tmp_path: Path) -> None:
    example = _example(entry, tmp_path)
    with pytest.raises(ExportError, match=REFUSED[entry.name]):
        export(
            example.energy, inputs=example.inputs, state=example.state, rule=example.rule, unroll=4,
            path=tmp_path / "energy.onnx",
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
