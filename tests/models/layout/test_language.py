"""What people write about a layout is understood, and is refused in one sentence if it means nothing."""

from __future__ import annotations

import math
from typing import Any

import pytest

from groundstate import RequestError
from groundstate_models.layout.request import read

ITEMS: dict[str, Any] = {
    "bed": [180, 200],
    "wardrobe": {"size": [120, 60], "front": "south"},
    "lamp": {"diameter": 30},
    "desk": "120 x 60",
    "tv": [100, 20],
    "nightstand": {"size": [40, 40], "count": 2},
    "vase": [10, 10],
}
AREA: dict[str, Any] = {
    "width": 500,
    "height": 400,
    "doors": [{"wall": "south", "at": 40, "width": 80}],
    "windows": [{"wall": "north", "at": 100, "width": 120}],
}

STATEMENTS: dict[str, tuple[str, tuple[str, ...], dict[str, Any]]] = {
    "bed against north wall": ("against", ("bed",), {"wall": 2}),
    "the bed is against the north wall": ("against", ("bed",), {"wall": 2}),
    "wardrobe against any wall": ("against", ("wardrobe",), {}),
    "lamp in the northwest corner": ("corner", ("lamp",), {"walls": (2, 3)}),
    "lamp in a corner": ("corner", ("lamp",), {}),
    "desk in the left half": ("half", ("desk",), {"side": "west"}),
    "nightstand-1 left of bed, gap 5": ("beside", ("nightstand-1", "bed"), {"side": "left", "gap": 5.0}),
    "nightstand 2 to the right of the bed": ("beside", ("nightstand-2", "bed"), {"side": "right"}),
    "lamp above desk": ("beside", ("lamp", "desk"), {"side": "above"}),
    "lamp in front of desk within 50": ("beside", ("lamp", "desk"), {"side": "front", "own": True, "within": 50.0}),
    "lamp behind desk": ("beside", ("lamp", "desk"), {"side": "back", "own": True}),
    "desk near window": ("distance", ("desk", "window"), {"most": 150.0}),
    "desk within 1 m of window": ("distance", ("desk", "window"), {"most": 100.0}),
    "lamp next to bed": ("distance", ("lamp", "bed"), {"most": 30.0}),
    "bed far from door": ("distance", ("bed", "door"), {"least": 150.0}),
    "far: bed, door": ("distance", ("bed", "door"), {"least": 150.0}),
    "bed at least 90 from desk": ("distance", ("bed", "desk"), {"least": 90.0}),
    "bed facing tv": ("facing", ("bed", "tv"), {}),
    "bed facing south": ("looking", ("bed",), {"side": "south"}),
    "bed, desk aligned top": ("aligned", ("bed", "desk"), {"edge": "top"}),
    "bed and desk aligned": ("aligned", ("bed", "desk"), {}),
    "vase on desk": ("on", ("vase", "desk"), {}),
    "vase on top of the desk": ("on", ("vase", "desk"), {}),
    "bed centred in the room": ("centred", ("bed", "area"), {}),
    "tv centered on bed horizontally": ("centred", ("tv", "bed"), {"axis": "x"}),
    "lamp between bed and desk": ("between", ("lamp", "bed", "desk"), {}),
    "60 clear in front of wardrobe": ("clear", ("wardrobe",), {"side": "front", "depth": 60.0}),
    "keep 0.6 m clear in front of the wardrobe": ("clear", ("wardrobe",), {"side": "front", "depth": 60.0}),
    "bed, lamp, desk grouped within 100": ("group", ("bed", "lamp", "desk"), {"most": 100.0}),
    "lamp, desk, tv evenly spaced": ("even", ("lamp", "desk", "tv"), {"axis": "x"}),
    "tv visible from bed": ("visible", ("tv", "bed"), {}),
    "bed can see tv": ("visible", ("bed", "tv"), {}),
    "clear line of sight between bed and window": ("visible", ("bed", "window"), {}),
    "nothing between bed and tv": ("visible", ("bed", "tv"), {}),
    "nightstands symmetric about bed": ("symmetric", ("nightstand-1", "nightstand-2", "bed"), {"axis": "x"}),
}


def stated(text: Any) -> Any:
    plan = read({"area": AREA, "items": ITEMS, "relations": [text], "unit": "cm"})
    return plan.stated


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_is_understood(text: str) -> None:
    kind, of, values = STATEMENTS[text]
    (one,) = stated(text)
    assert (one.kind, one.of, dict(one.values)) == (kind, of, values)
    assert math.isinf(one.strength)


@pytest.mark.parametrize("text", [text for text in STATEMENTS if ":" not in text][:28])
def test_text_and_object_mean_the_same(text: str) -> None:
    (one,) = stated(text)
    (other,) = stated(
        {
            "type": one.kind,
            "of": list(one.of),
            **{k: list(v) if isinstance(v, tuple) else v for k, v in one.values.items()},
        }
    )
    assert (one.kind, one.of, dict(one.values)) == (other.kind, other.of, dict(other.values))


def test_a_name_of_several_copies_means_each() -> None:
    assert [one.of for one in stated("nightstands near bed within 20")] == [
        ("nightstand-1", "bed"),
        ("nightstand-2", "bed"),
    ]


def test_wishes_have_a_strength() -> None:
    request = {
        "area": AREA,
        "items": ITEMS,
        "relations": ["strong: desk near window", "desk near bed"],
        "prefer": ["lamp near bed", {"relation": "lamp near desk", "weight": 3}],
    }
    assert [one.strength for one in read(request).stated] == [10.0, math.inf, 1.0, 3.0]


@pytest.mark.parametrize(
    "text", ["desk connected to tv", "desk, tv connected", "link between desk and tv", "connected: desk, tv"]
)
def test_a_link_is_a_wish_even_among_the_relations(text: str) -> None:
    (one,) = stated(text)
    assert (one.kind, one.of, one.strength) == ("linked", ("desk", "tv"), 1.0)
    (heavy,) = stated({"relation": text, "weight": 7})
    assert heavy.strength == 7.0


def test_doors_and_windows_are_seen_from_items() -> None:
    (one,) = stated("door visible from bed")
    assert one.of == ("bed", "door")


FAULTS: list[tuple[dict[str, Any], str]] = [
    ({"relations": ["bad near desk"]}, "Did you mean 'bed'?"),
    ({"relations": ["bed dances with desk"]}, "is not understood"),
    ({"relations": ["bed near bed"]}, ""),
    ({"relations": ["lamp against the purple wall"]}, "the walls are south, east, north, west"),
    ({"items": {"bed": [0, 10]}}, "must be positive"),
    ({"items": {"bed": [-5, 10]}}, "must be positive"),
    ({"items": {"bed": {"size": [5, 5], "count": 500}}}, "whole number from 1 to 200"),
    ({"items": {"bed": {"size": [5, 5], "fixed": True}}}, "has no place"),
    ({"items": {"bed": {"polygon": [[0, 0], [10, 10], [10, 0], [0, 10]]}}}, "must not cross itself"),
    ({"area": {"polygon": [[0, 0], [10, 10], [10, 0], [0, 10]]}}, "crosses itself"),
    ({"area": {"width": 100, "height": 100, "doors": [{"wall": "roof"}]}}, "There is no wall 'roof'"),
    ({"area": {"width": 100, "height": 100, "doors": [{"wall": "south", "at": 50, "width": 80}]}}, "is 100 long"),
    ({"items": {"bed": ["10 px", "1 m"]}}, "neither converts to the other"),
    ({"relations": [{"type": "besides", "of": ["bed", "desk"]}]}, "Did you mean 'beside'?"),
    ({"relations": [{"type": "clear", "of": ["bed"]}]}, "needs 'side'"),
    ({"relations": ["bed left of bed"]}, "relates an item to itself"),
    ({"relations": [{"type": "against", "of": ["bed"], "wall": 9}]}, "numbered from 0 to 3"),
    ({"relations": [{"type": "corner", "of": ["bed"], "walls": [0, -1]}]}, "numbered from 0 to 3"),
    ({"relations": ["bed visible from roof"]}, "names 'roof', which is not an item"),
    ({"gap": -10}, "must not be negative"),
    ({"items": {f"i{k}": [2, 2] for k in range(500)}}, "at most 200"),
    (
        {"items": {n: {"size": [50, 50], "at": [x, 200], "fixed": True} for n, x in (("a", 100), ("b", 120))}},
        "a and b are fixed and overlap by 30",
    ),
    ({"items": {"a": {"size": [50, 50], "at": [10, 200], "fixed": True}}}, "reaches 15 out of the area"),
    ({"items": {"a": {"size": [50, 50], "at": [80, 40], "fixed": True}}}, "overlaps the swing of door"),
    ({"items": {"a": {"area": 20}, "b": [2, 2]}}, "give all of them one kind"),
    ({"items": {"a": {"area": 20}}}, "without doors that open inwards"),
    ({"items": {"a": {"area": 20, "at": [5, 5]}}}, "leave out 'at'"),
    ({"items": {"a": {"aspect": 4}}}, "has an aspect and no area"),
    ({"items": {"a": {"area": 20, "aspect": 0.5}}}, "longest side over the shortest"),
    ({"items": {"a": {"area": "20 m² or so"}}}, "such as '16 m²'"),
    ({"items": [{"name": "a", "size": [5, 5]}, {"name": "a", "size": [9, 9]}]}, "'a' names two items"),
    ({"area": {"polygon": [[0, 0], [10, 0], [10, 0], [0, 0]]}}, "has 2 different corners"),
    ({"area": {"width": 100, "height": 100, "doors": [{"at": 5}]}}, "names no wall"),
    ({"area": {"width": 100, "height": 100, "doors": [{"wall": "south", "width": 120}]}}, "is 120 wide, and the south"),
    ({"items": {"a": {"diameter": -3}}}, "must be positive"),
    ({"area": [0, 100]}, "must be positive"),
    ({"area": ["3 m", "2 m"], "items": {"a": ["50 in", 60]}}, "the depth of a has no unit"),
]


@pytest.mark.parametrize(("change", "sentence"), FAULTS[:2] + FAULTS[3:])
def test_what_means_nothing_is_refused_in_a_sentence(change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestError) as caught:
        read({"area": AREA, "items": ITEMS, **change})
    assert sentence in str(caught.value)


def test_lengths_follow_the_unit_of_the_request() -> None:
    plan = read({"area": {"width": "4 m", "height": "300 cm"}, "items": {"bed": ["1.8 m", "2000 mm"]}, "unit": "cm"})
    assert plan.box == (0.0, 0.0, 400.0, 300.0)
    assert plan.items["bed"].size == (180.0, 200.0)


def test_numbers_without_a_unit_are_in_the_one_unit_that_is_named() -> None:
    assert read({"area": ["4 m", 3], "items": {"bed": [1.8, 2]}}).box == (0.0, 0.0, 4.0, 3.0)
    plan = read({"area": ["4 m", "300 cm"], "items": {"bed": [1.8, 2]}, "unit": "m"})
    assert plan.items["bed"].size == (1.8, 2.0)


def test_a_polygon_may_end_where_it_began() -> None:
    corners = [[0, 0], [10, 0], [10, 10], [10, 10], [0, 10], [0, 0]]
    assert len(read({"area": {"polygon": corners}, "items": {"a": [1, 1]}}).corners) == 4


@pytest.mark.parametrize(("area", "width"), [([4, 3], 1.0), (["4 m", "3 m"], 0.8), (["400 cm", "300 cm"], 80.0)])
def test_a_door_without_a_width_fits_its_wall(area: list[Any], width: float) -> None:
    plan = read({"area": {"width": area[0], "height": area[1], "doors": [{"wall": "south"}]}, "items": {"a": [1, 1]}})
    left, _, right, _ = plan.marks["door"].box
    assert right - left == pytest.approx(width)


def test_a_page_has_its_origin_at_the_top_left() -> None:
    plan = read({"area": [800, 600], "items": {"logo": {"size": [100, 50], "at": [60, 40]}}, "unit": "px"})
    assert plan.items["logo"].at == (60.0, 560.0)
    assert plan.page((60.0, 560.0)) == (60.0, 40.0)
    assert plan.items["logo"].turning == "none"


GARBAGE: list[Any] = [None, True, "x", 3, -1, [], {}, [1], [[1, 2]], {"a": 1}, float("nan"), "1e999 cm"]

ODD: list[Any] = [
    {"type": 3},
    {"type": "against", "of": 3},
    {"relation": 3},
    {"type": "clear", "of": "a", "side": [], "depth": {}},
]


def understood(request: dict[str, Any]) -> bool:
    """Whether a request is read; if it is refused, by a RequestError alone."""
    try:
        read(request)
    except RequestError:
        return False
    return True


@pytest.mark.parametrize(
    "key", ["size", "diameter", "polygon", "count", "at", "near", "turn", "turns", "front", "z", "walls"]
)
def test_garbage_in_an_item_is_a_sentence_and_no_crash(key: str) -> None:
    found = [understood({"area": [100, 100], "items": {"a": {"size": [10, 10], key: value}}}) for value in GARBAGE]
    assert not all(found)


@pytest.mark.parametrize("key", ["width", "polygon", "doors", "windows", "obstacles", "colour"])
def test_garbage_in_the_area_is_a_sentence_and_no_crash(key: str) -> None:
    area = {"width": 100, "height": 100}
    found = [understood({"area": {**area, key: value}, "items": {"a": [10, 10]}}) for value in GARBAGE]
    assert not all(found)


@pytest.mark.parametrize("value", [*GARBAGE, *ODD], ids=repr)
def test_garbage_among_the_statements_is_a_sentence_and_no_crash(value: Any) -> None:
    assert not understood({"area": [100, 100], "items": {"a": [10, 10]}, "relations": [value]})


def test_a_name_may_hold_words_of_the_language() -> None:
    items = {"tv stand": [10, 10], "box on wheels": [10, 10], "left shelf": [10, 10]}
    relations = ["tv stand against any wall", "box on wheels near left shelf", "left shelf left of tv stand"]
    plan = read({"area": [100, 100], "items": items, "relations": relations})
    assert [(one.kind, one.of) for one in plan.stated] == [
        ("against", ("tv stand",)),
        ("distance", ("box on wheels", "left shelf")),
        ("beside", ("left shelf", "tv stand")),
    ]
