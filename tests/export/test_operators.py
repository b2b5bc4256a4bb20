"""Operators that an energy may use: each case is exported, with its gradient, and must match PyTorch, or is refused by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundstate_export import BadEnergy, ExportReport, GradientDescent, UnsupportedOperator, export
from tests.export.battery import Case
from tests.export.cases import CASES
from tests.export.support_table import page

EXPORTED = [name for name, case in CASES.items() if not case.because]
REFUSED = [name for name, case in CASES.items() if case.because]


def exported(case: Case, path: Path) -> ExportReport:
    inputs, state = case.example()
    return export(
        case.energy,
        inputs=inputs,
        state=state,
        rule=GradientDescent(0.01),
        unroll=1,
        path=path,
        batches=(1, 5),
        seeds=(0,),
    )


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")  # torch's own forward mode
@pytest.mark.parametrize("name", EXPORTED)
def test_an_operator_and_its_gradient_match_pytorch(name: str, tmp_path: Path) -> None:
    report = exported(CASES[name], tmp_path / "term.onnx")
    # Where float64 decided, the export has held the file to a few times PyTorch's own error, or there would be none.
    assert report.worst <= 1e-5 or report.judged


@pytest.mark.parametrize("name", REFUSED)
def test_an_operator_without_a_translation_is_refused_by_name_and_place(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    with pytest.raises((UnsupportedOperator, BadEnergy), match=case.refused) as refusal:
        exported(case, tmp_path / "no.onnx")
    if isinstance(refusal.value, UnsupportedOperator):
        assert re.search(r"\(battery(_layers)?\.py:\d+, in \w+|<lambda>", str(refusal.value))
    assert list(tmp_path.iterdir()) == []


def test_at_least_95_of_100_cases_are_exported() -> None:
    assert len(EXPORTED) >= 0.95 * len(CASES)
    assert len(CASES) >= 170


def test_the_page_of_operators_is_up_to_date() -> None:
    assert Path("docs/operators.md").read_text() == page(), "python -m tests.export.support_table > docs/operators.md"
