from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from groundstate_export._optimise.rows import Rows


def test_rows_that_an_input_names_are_gathered_and_added_up_whole(passed: Any) -> None:
    def energy(y: Tensor, rows: Tensor) -> Tensor:
        return y.sin().gather(1, rows.unsqueeze(-1).expand(-1, -1, 6)).square().sum((1, 2))

    found = passed(Rows, energy, torch.randn(3, 5, 6), torch.randint(0, 5, (3, 9)))
    assert (found.after["GatherND"], found.after["ScatterND"]) == (1, 1)
    assert (found.after["GatherElements"], found.after["ScatterElements"]) == (0, 0)


def test_entries_that_differ_within_a_row_are_gathered_one_by_one(passed: Any) -> None:
    def energy(y: Tensor, places: Tensor) -> Tensor:
        return y.sin().gather(1, places).square().sum((1, 2))

    found = passed(Rows, energy, torch.randn(3, 5, 6), torch.randint(0, 5, (3, 9, 6)))
    assert found.after["GatherElements"] == 1


def test_int32_places_are_gathered_without_their_conversion_to_int64(passed: Any) -> None:
    def energy(y: Tensor, places: Tensor) -> Tensor:
        return y.sin().detach().gather(1, places.long()).square().sum(1) + y.square().sum(1)

    found = passed(Rows, energy, torch.randn(3, 5), torch.randint(0, 5, (3, 9), dtype=torch.int32))
    assert found.after["GatherElements"] == 1
    assert found.before["Cast"] - found.after["Cast"] == 1
