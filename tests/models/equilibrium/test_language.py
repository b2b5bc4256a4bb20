"""Statements and typed objects: the same structure, and one sentence for each fault."""

from __future__ import annotations

from typing import Any

import pytest

import groundstate as gs
from groundstate_models.equilibrium.request import read
from groundstate_models.equilibrium.structure import Structure

BASE = {"A": {"at": [0, 0], "fixed": True}, "B": {"at": [4, 0], "fixed": True}, "m": {}}

SAME: list[tuple[str, dict[str, Any]]] = [
    ("cable A-m length 5", {"type": "cable", "between": ["A", "m"], "length": 5}),
    ("a rope from A to m, 5 long", {"type": "cable", "between": ["A", "m"], "length": 5}),
    ("Cable between A and m of length 500 cm.", {"type": "cable", "between": ["A", "m"], "length": 5}),
    ("spring A–m k = 20, L = 2", {"type": "spring", "between": ["A", "m"], "stiffness": 20, "length": 2}),
    ("spring AB stiffness 20", {"type": "spring", "between": ["A", "B"], "stiffness": 20}),
    ("rod A-m 3", {"type": "rod", "between": ["A", "m"], "length": 3}),
    ("strut from B to m length 3 stiffness 7", {"type": "strut", "between": "B-m", "length": 3, "stiffness": 7}),
    ("link A-m force density -2", {"type": "link", "between": ["A", "m"], "force_density": -2}),
    ("mass 2 at m", {"type": "node", "name": "m", "mass": 2}),
    ("m has mass 2 kg", {"type": "node", "name": "m", "mass": 2}),
    ("mass of 2000 g on m", {"type": "node", "name": "m", "mass": 2}),
    ("m weighs 20 N", {"type": "node", "name": "m", "weight": 20}),
    ("load 10 down at m", {"type": "load", "at": "m", "force": [0, -10]}),
    ("m carries 10 N", {"type": "load", "at": "m", "force": [0, -10]}),
    ("force (3, -4) on m", {"type": "load", "at": "m", "force": [3, -4]}),
    ("floor at y = -2", {"type": "floor", "at": -2}),
    ("wall at 5 on the right", {"type": "wall", "at": 5, "side": "right"}),
    (
        "torsion spring at m between A and B stiffness 3 angle 90",
        {"type": "torsion", "between": ["A", "m", "B"], "stiffness": 3, "angle": 90},
    ),
    ("pressure 2 in A, B, m", {"type": "pressure", "between": ["A", "B", "m"], "value": 2}),
    ("charge -1 at m", {"type": "node", "name": "m", "charge": -1}),
    ("ball m with radius 0.5", {"type": "node", "name": "m", "radius": 0.5}),
    ("m rests below", {"type": "where", "name": "m", "is": "below"}),
    ("m near (1, -2)", {"type": "where", "name": "m", "is": [1, -2]}),
    ("no gravity", {"type": "gravity", "value": 0}),
    ("friction 0.7", {"type": "friction", "value": 0.7}),
    ("block a 2 x 1 at (0, 0.5)", {"type": "block", "name": "a", "size": [2, 1], "at": [0, 0.5]}),
    (
        "block a 2 by 1 on the floor at x = 3 mass 4",
        {"type": "block", "name": "a", "size": [2, 1], "on": "floor", "x": 3, "mass": 4},
    ),
    ("Morse potential between all", {"type": "morse", "between": "all"}),
]


def shape(structure: Structure) -> tuple[Any, ...]:
    """What a structure means, without the places of its parts in the request."""
    nodes = [(n.name, n.at, n.fixed, n.mass, n.load, n.radius, n.charge) for n in structure.nodes.values()]
    members = [(m.kind, m.a, m.b, m.length, m.stiffness, m.density) for m in structure.members]
    blocks = [(b.name, b.corners.tolist(), b.weight) for b in structure.blocks.values()]
    planes = [(p.name, p.normal, p.offset) for p in structure.planes]
    rest = (structure.torsions, structure.pressures, structure.potentials, structure.where)
    return nodes, members, blocks, planes, *rest, structure.gravity, structure.friction


@pytest.mark.parametrize(("text", "typed"), SAME, ids=[text for text, _ in SAME])
def test_a_statement_means_its_typed_object(text: str, typed: dict[str, Any]) -> None:
    assert shape(read({"nodes": BASE, "statements": [text]})) == shape(read({"nodes": BASE, "members": [typed]}))


@pytest.mark.parametrize(
    "text", ["support A at (0, 0)", "A fixed at (0, 0)", "A is pinned at (0, 0)", "anchor A at [0, 0]"]
)
def test_supports_are_said_in_several_ways(text: str) -> None:
    assert read({"statements": [text, "cable A-m length 1", "mass 1 at m"]}).nodes["A"].held


def test_a_chain_may_be_said_in_one_statement() -> None:
    found = read({"statements": ["chain from (0, 0) to (4, 0) length 6 with 12 links"]})
    assert len(found.members) == 12
    assert sum(found.rest(m) for m in found.members) == pytest.approx(6)


def test_lengths_are_read_in_the_unit_of_the_request() -> None:
    found = read({"unit": "cm", "statements": ["A fixed at (0, 0)", "cable A-m length 2 m", "mass 500 g at m"]})
    assert found.members[0].length == pytest.approx(200)
    assert found.nodes["m"].mass == pytest.approx(0.5)


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"statements": ["cabel A-m length 5"]}, "statements[0]", "Did you mean 'cable'?"),
    ({"statements": ["A fixed"]}, "statements[0]", "A is fixed and has no place"),
    ({"statements": ["rod A-m length 0"]}, "statements[0]", "The length is 0; it must be positive."),
    ({"statements": ["spring A-m length 1"]}, "statements[0]", "A spring needs a stiffness."),
    ({"statements": ["spring A-m stiffness -3"]}, "statements[0]", "The stiffness is -3; it must be positive."),
    ({"statements": ["rod A-A length 1"]}, "statements[0]", "from A to itself"),
    ({"statements": ["rod A-m length 3 kg"]}, "statements[0]", "length is needed here"),
    ({"statements": ["mass -1 at m"]}, "statements[0]", "The mass of m is -1"),
    ({"statements": ["rod A-m", "A fixed at (0, 0)"]}, "statements[0]", "has no length, and its ends have no places"),
    (
        {"nodes": {"anchor": {"at": [0, 0], "fixed": True}}, "statements": ["rod ancor-m length 2"]},
        "statements[0]",
        "did you mean 'anchor'?",
    ),
    ({"nodes": {"A": {"at": [0, 0], "fixd": True}}}, "nodes.A", "Did you mean 'fixed'?"),
    ({"nodes": {"A": {"at": [0]}}}, "nodes.A", "give two or three numbers"),
    (
        {"nodes": {"A": {"at": [0, 0]}}, "members": [{"type": "sprng", "between": ["A", "B"]}]},
        "members[0]",
        "Did you mean 'spring'?",
    ),
    (
        {"blocks": {"a": {"size": [2, 1], "at": [0, 0]}, "b": {"size": [1, 1], "at": [0.5, 0.2]}}},
        "blocks.b",
        "The blocks a and b overlap.",
    ),
    ({"blocks": {"a": {"size": [2, 0], "at": [0, 0]}}}, "blocks.a", "The size is 0; it must be positive."),
    ({"blocks": {"a": {"size": [2, 1], "on": "c"}}}, "blocks.a", "'c' is not a block"),
    ({"blocks": {"a": {"size": [2, 1]}}}, "blocks.a", "The block has no place"),
    ({"preset": {"type": "chain", "from": [0, 0], "to": [1, 0]}}, "preset", "A chain needs 'length'."),
    ({"preset": {"type": "tower"}}, "preset", "is not a preset"),
    ({"preset": {"type": "cluster", "atoms": 500}}, "preset", "atoms is 500; it may be 2 to 120."),
    ({"unit": "parsec", "statements": ["A fixed at (0, 0)"]}, "unit", "is not a unit of length"),
    (
        {"statements": ["disc d radius 1", "disc e radius 1", "d fixed at (0, 0)", "e fixed at (1, 0)"]},
        "statements[1]",
        "The fixed discs d and e overlap.",
    ),
    (
        {"statements": ["disc d radius 1", "d fixed at (0, 0)", "ball e with radius -1"]},
        "statements[2]",
        "The radius of e is -1; it must be at least 0.",
    ),
    ({"statements": ["spring A-m stiffness 3 length 0"]}, "statements[0]", "use a link with a force density"),
    (
        {"nodes": {"A": {"at": [1, 1], "fixed": True}, "m": {"at": [1, 1]}}, "statements": ["spring A-m stiffness 3"]},
        "statements[0]",
        "has length 0: its ends are drawn at one place",
    ),
    ({"statements": ["rod A-m length 3 furlongs"]}, "statements[0]", "furlongs"),
    ({"nodes": {"A": {"at": ["1 kg", 0], "fixed": True}}}, "nodes.A", "has the unit 'kg'; length is needed here"),
    ({"nodes": {"m": {"load": ["5 cm", 0]}}}, "nodes.m", "has the unit 'cm'; force is needed here"),
    (
        {"blocks": {"a": {"corners": [[0, 0], [2, 1], [2, 0], [0, 1.5]]}}},
        "blocks.a",
        "The block's sides cross each other: the one from corner 1 and the one from corner 3.",
    ),
    ({"blocks": {"a": {"size": [-2, 1], "at": [0, 0]}}}, "blocks.a", "The size is -2; it must be positive."),
    (
        {
            "blocks": {
                "a": {"size": [2, 1], "at": [0, 0], "fixed": True},
                "b": {"size": [2, 1], "at": [1, 0], "fixed": True},
            }
        },
        "blocks.b",
        "The blocks a and b overlap.",
    ),
    (
        {"blocks": {"a": {"corners": [[0, 0], [1, 1], [1, 0], [0, 1]]}}},
        "blocks.a",
        "The block's sides cross each other",
    ),
    ({"blocks": {"a": {"corners": [[0, 0], [1, 1], [2, 2]]}}}, "blocks.a", "corners lie on one line"),
    ({"statements": ["cable A-m length 1e-300"]}, "statements[0]", "The length is 1e-300; it must be at least 1e-30."),
    ({"nodes": {"m": {"mass": 1e-300}}}, "nodes.m", "The mass is 1e-300; it must be at least 1e-30."),
    ({"nodes": {"m": {"mass": 1e300}}}, "nodes.m", "1e+300 is too large; numbers go up to 1e+30."),
    ({"nodes": {"m": {"at": [10**400, 0]}}}, "nodes.m", "is too large"),
    ({"nodes": {"m": {"load": [float("nan"), 0]}}}, "nodes.m", "nan is not finite."),
    ({"nodes": {"m": {"sphere": [0, 0, 0, 0]}}}, "nodes.m", "The radius of the sphere is 0; it must be positive."),
    (
        {"preset": {"type": "chain", "from": [0, 0], "to": [1, 0], "length": -6}},
        "preset",
        "The length is -6; it must be positive.",
    ),
    ({"preset": {"type": "arch", "from": [0, 0], "to": [1, 0], "rise": 0}}, "preset", "The rise is 0"),
    ({}, "", "Nothing is asked for"),
    ({"nodes": {f"n{k}": [k, 0] for k in range(500)}}, "nodes", "There are 500 nodes and blocks; there may be 300."),
]


@pytest.mark.parametrize(("request_", "place", "words"), FAULTS, ids=[words for _, _, words in FAULTS])
def test_a_fault_is_one_sentence_at_its_place(request_: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(gs.RequestError) as caught:
        read(request_)
    first = caught.value.faults[0]
    assert first.place == place
    assert words in first.message


def test_units_may_be_mixed_and_the_answer_is_in_that_of_the_request() -> None:
    mixed = read({"nodes": {"A": {"at": ["600 mm", "0 cm"], "fixed": True}}, "members": ["rod A-m length 50 cm"]})
    assert mixed.nodes["A"].at == pytest.approx((0.6, 0.0, 0.0))
    assert mixed.members[0].length == pytest.approx(0.5)


def test_a_length_in_another_unit_is_converted_and_noted() -> None:
    found = read({"unit": "cm", "statements": ["A fixed at (0, 0)", "cable A-m length 2 m", "mass 1 at m"]})
    assert found.notices == ["2 m was read as 200 cm."]
