"""docs/scheduling.md: its programs and its picture are made as it says, every example solves, its messages are real ones."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

import groundstate as gs
from groundstate.cli import main
from groundstate_models.scheduling.schema import KINDS, MOST_ACTIVITIES, OBJECTIVES, REQUEST
from langchain_groundstate import EnergyTool
from tests.docs import pages

PAGE = pages.read("scheduling.md")
ROWS = pages.rows(PAGE)
WEEK: dict[str, Any] = json.loads((pages.SNIPPETS / "week.json").read_text(encoding="utf-8"))
TALK = {"name": "Plan", "duration": 60}


@pytest.fixture(scope="module")
def solver() -> gs.Solver:
    return gs.load("scheduling")


@pytest.fixture(scope="module")
def tool() -> EnergyTool:
    return EnergyTool.from_model("scheduling", alternatives=1)


def test_the_program_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "schedule_meeting.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{pages.run('schedule_meeting.py', tmp_path)}```" in PAGE


def test_the_picture_is_what_the_command_of_the_page_draws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert f"```json\n{(pages.SNIPPETS / 'week.json').read_text(encoding='utf-8')}```" in PAGE
    program, *arguments = shlex.split(pages.block(PAGE, "picture"))
    assert program == "groundstate"
    picture = Path(arguments[-1])
    arguments[2], arguments[-1] = str(pages.ROOT / arguments[2]), str(tmp_path / "week.svg")
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 0
    drawn = (tmp_path / "week.svg").read_text(encoding="utf-8")
    kept = (pages.ROOT / picture).read_text(encoding="utf-8")
    for activity in WEEK["activities"]:  # which of several good weeks is drawn may differ from machine to machine
        assert f"<title>{activity['name']} · " in drawn
        assert f"<title>{activity['name']} · " in kept


def test_the_week_becomes_a_calendar(solver: gs.Solver) -> None:
    icalendar = pytest.importorskip("icalendar")
    answer = solver.solve(WEEK).answer
    assert answer is not None
    events = icalendar.Calendar.from_ical(solver.file(WEEK, answer, "ics")).walk("VEVENT")
    assert len(events) == len(answer["activities"])


@pytest.mark.parametrize(("part", "example"), ROWS, ids=[cell for cell, _ in ROWS])
def test_an_example_solves(solver: gs.Solver, tool: EnergyTool, part: str, example: dict[str, Any]) -> None:
    pages.solved(solver, tool, example)


def test_the_week_and_the_example_of_the_schema_solve(solver: gs.Solver, tool: EnergyTool) -> None:
    pages.solved(solver, tool, WEEK)
    for example in REQUEST["examples"]:
        pages.solved(solver, tool, example)


def test_every_part_of_a_request_has_an_example_and_every_kind_is_named() -> None:
    parts = {part.strip("` ") for cell, _ in ROWS for part in cell.split(",")}
    assert set(REQUEST["properties"]) - {"activities"} <= parts
    assert all(f"`{word}`" in PAGE for word in (*KINDS, *OBJECTIVES))
    assert f"{MOST_ACTIVITIES} activities" in PAGE


def test_contradictions_are_told_in_the_words_of_the_page(solver: gs.Solver) -> None:
    busy = {
        "days": "mon",
        "hours": "9:00-17:00",
        "people": {"Ada": {"busy": "mon 9:00-16:30"}},
        "activities": [TALK | {"who": "Ada"}],
    }
    circle = {"activities": [TALK | {"after": "Review"}, {"name": "Review", "duration": 60, "after": "Plan"}]}
    full = {
        "activities": [{"name": f"t{n}", "duration": 60, "who": "Ada", "window": "mon 9:00-12:00"} for n in range(4)]
    }
    for request, message in zip((busy, circle, full), pages.block(PAGE, "messages").splitlines(), strict=True):
        solution = solver.solve(request)
        assert solution.status is gs.Status.INFEASIBLE
        assert [broken.message for broken in solution.violations] == [message]


def test_refusals_are_told_in_the_words_of_the_page(solver: gs.Solver) -> None:
    moments = ("2025-03-03T10:00+01:00", "2025-03-03T12:00")
    unknown = {"people": ["Ada"], "activities": [TALK | {"who": "Adda"}]}
    vague = {"activities": [TALK | {"window": "mon teatime"}]}
    zoned = {"activities": [TALK | {"at": moments[0]}, {"name": "Walk", "duration": 30, "at": moments[1]}]}
    for request, message in zip((unknown, vague, zoned), pages.block(PAGE, "refusals").splitlines(), strict=True):
        with pytest.raises(gs.RequestError) as refused:
            solver.solve(request)
        assert str(refused.value) == message


def test_the_roster_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "schedule_roster.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    status, head, *lines = pages.run("schedule_roster.py", tmp_path).splitlines()
    shown = pages.block(PAGE, "roster").splitlines()
    assert status == "solved 0"
    assert head.split() == shown[0].split()
    people, legend = len(lines) - 2, lines[-1]  # who works when may differ from machine to machine
    assert [line.split()[0] for line in lines[:people]] == [line.split()[0] for line in shown[1 : people + 1]]
    assert legend == shown[-1]
