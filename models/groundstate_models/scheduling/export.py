"""Make the artefact from learned numbers: ``python -m groundstate_models.scheduling.export``.

The file has the graph and the learned numbers of the model ``constraints``, with a header and a task of its own.
"""

from __future__ import annotations

import sys

from groundstate_export import Card
from groundstate_models._export import export_command, export_parser
from groundstate_models.constraints import settings as kept
from groundstate_models.constraints.energy import CHECKS
from groundstate_models.constraints.export import DEFAULTS, LIMITS, TERMS, VERSION, arguments
from groundstate_models.constraints.learned import Settings
from groundstate_models.scheduling import artefact
from groundstate_models.scheduling.schema import ANSWER, REQUEST


def scheduling() -> Card:
    """The header of the file for schedules."""
    return Card(
        name="scheduling",
        title="Scheduling",
        description=(
            "Schedules meetings, lessons, visits and jobs. Send `activities` (name, duration, who has to be there, room, "
            "window, what it comes after), and where they matter `days`, `hours`, `people` and `rooms` with their busy times, "
            '`travel` times and `preferences`; write times as "mon 9:00-12:00" or in ISO 8601. You get a start for each '
            "activity, checked against everything that was asked, with the preferences it breaks; or what contradicts what. "
            "Use this instead of comparing calendars yourself."
        ),
        licence="Apache-2.0",
        version=VERSION,
        task="scheduling",
        request=REQUEST,
        answer=ANSWER,
        terms=TERMS,
        checks=CHECKS,
        defaults=DEFAULTS,
        limits=LIMITS,
        self_test={
            "request": {
                "days": ["mon"],
                "hours": "9:00-12:00",
                "people": {"Ada": {"busy": ["mon 9:00-10:00"]}, "Bob": {"free": ["mon until 11:00"]}},
                "activities": [{"name": "Plan", "duration": 60, "who": ["Ada", "Bob"]}],
            },
            "answer": {
                "activities": [{"name": "Plan", "start": "mon 10:00", "end": "mon 11:00", "who": ["Ada", "Bob"]}]
            },
        },
    )


def main(argv: list[str] | None = None) -> int:
    """Export the settings of the model ``constraints``; returns the exit code."""
    options = export_parser("scheduling", kept(), artefact().parent).parse_args(argv)
    return export_command(
        options,
        Settings,
        lambda: {artefact().name: lambda path: arguments(Settings.read(path), scheduling())},
        keep=False,
    )


if __name__ == "__main__":
    sys.exit(main())
