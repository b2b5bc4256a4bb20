"""The comparison of a language model alone and with the tool counts what it says that it counts."""

from __future__ import annotations

from benchmarks.llm_alone import Run, table


def test_the_table_shows_rates_by_kind_and_median_seconds() -> None:
    right = Run(alone=True, seconds_alone=1.0, copied=True, found=True, reported=True, seconds=3.0)
    wrong = Run(alone=False, seconds_alone=2.0, copied=True, found=True, reported=False, seconds=5.0)
    lines = table({"easy": [right, wrong], "hard": [wrong, wrong, wrong]}).splitlines()
    assert lines[0] == "| | easy (2) | hard (3) | seconds |"
    cells = [line.split(" | ") for line in lines[2:]]
    assert [row[1].split()[0] for row in cells] == ["50.00", "100.00", "100.00", "50.00"]
    assert [row[2].split()[0] for row in cells] == ["0.00", "100.00", "100.00", "0.00"]
    assert [row[3].strip(" |") for row in cells] == ["2.0", "", "", "5.0"]
