"""docs/tasks.md names what there is."""

from __future__ import annotations

import re
from importlib.metadata import entry_points

import pytest

import groundstate as gs
from tests.docs import pages

PAGE = pages.read("tasks.md")


def test_every_method_of_a_reading_is_in_the_table_and_exists() -> None:
    table = PAGE.partition("| of a reading |")[2].partition("\n\n")[0]
    named = re.findall(r"^\| `(\w+)", table, flags=re.MULTILINE)
    public = [
        name
        for name, value in vars(gs.Reading).items()
        if name[0] != "_" and (callable(value) or isinstance(value, property))
    ]
    assert sorted(named) == sorted(public)


@pytest.mark.parametrize("protocol", ["Understands", "Optimises", "Asks", "Shows"])
def test_every_method_of_an_ability_is_named(protocol: str) -> None:
    row = re.search(rf"^\| `gs\.{protocol}` .*$", PAGE, flags=re.MULTILINE)
    assert row is not None
    methods = [name for name in vars(getattr(gs, protocol)) if name[0] != "_"]
    assert [name for name in methods if f"`{name}(" not in row[0]] == []


def test_every_entry_point_group_is_named_and_used() -> None:
    groups = set(re.findall(r"^\| `(groundstate\.\w+)` \|", PAGE, flags=re.MULTILINE))
    assert groups == {"groundstate.models", "groundstate.tasks", "groundstate.commands"}
    assert all(entry_points(group=group) for group in groups)
