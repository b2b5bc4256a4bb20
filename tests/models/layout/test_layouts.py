"""Layouts through the file: placed, checked, repaired, asked about, drawn."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import groundstate as gs


@pytest.fixture(scope="module")
def solver() -> Iterator[gs.Solver]:
    with gs.load("layout") as one:
        yield one


ROOM: dict[str, Any] = {
    "area": {"width": 400, "height": 300, "doors": [{"wall": "south", "at": 40, "width": 80}]},
    "items": {
        "bed": {"size": [160, 200], "front": "south"},
        "wardrobe": {"size": [120, 60], "front": "south"},
        "nightstand": {"size": [40, 40], "count": 2, "turns": "none"},
        "rug": {"size": [100, 80], "layer": "rug"},
    },
    "relations": [
        "bed against north wall",
        "nightstand-1 left of bed, gap 5",
        "nightstand-2 right of bed, gap 5",
        "wardrobe against any wall",
        "60 clear in front of wardrobe",
        "rug centred in the room",
    ],
    "unit": "cm",
}


def boxes(answer: dict[str, Any]) -> dict[str, tuple[float, float, float, float]]:
    return {n: (b[0], b[1], b[0] + b[2], b[1] + b[3]) for n, one in answer["items"].items() for b in [one["box"]]}


def test_a_room_is_furnished_as_stated(solver: gs.Solver) -> None:
    found = solver.solve(ROOM, ask=False)
    assert found.status == "solved"
    assert found.answer is not None
    b = boxes(found.answer)
    assert b["bed"][3] == pytest.approx(300, abs=1e-3)
    assert b["nightstand-1"][2] == pytest.approx(b["bed"][0] - 5, abs=1e-3)
    assert b["nightstand-2"][0] == pytest.approx(b["bed"][2] + 5, abs=1e-3)
    assert (found.answer["items"]["rug"]["x"], found.answer["items"]["rug"]["y"]) == pytest.approx((200, 150), abs=1e-3)
    names = [n for n in b if n != "rug"]
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            p, q = b[one], b[other]
            assert max(q[0] - p[2], p[0] - q[2], q[1] - p[3], p[1] - q[3]) >= -1e-4
        assert min(b[one][0], b[one][1], 400 - b[one][2], 300 - b[one][3]) >= -1e-4
        # The swing of the door is as deep as the door is wide.
        assert not (b[one][0] < 119.99 and b[one][2] > 40.01 and b[one][1] < 79.99)


def test_a_wrong_answer_is_called_wrong(solver: gs.Solver) -> None:
    request = {"area": [100, 100], "items": {"a": [40, 40], "b": [40, 40]}}
    score = solver.score(request, {"items": {"a": {"x": 20, "y": 20}, "b": {"x": 50, "y": 20}}})
    assert score.valid is False
    assert [one.message for one in score.violations] == ["a and b overlap by 10."]
    assert solver.score(request, {"items": {"a": {"x": 20, "y": 20}, "b": {"x": 60, "y": 20}}}).valid


@pytest.mark.parametrize("turns", ["none", "quarter", "free"])
def test_what_is_called_solved_passes_the_check_of_the_request_read_anew(solver: gs.Solver, turns: str) -> None:
    draw = np.random.default_rng(5)
    solved = 0
    for _ in range(3):
        items: dict[str, Any] = {
            f"i{k}": {"size": [float(v) for v in draw.uniform(20, 60, 2).round(1)], "turns": turns} for k in range(6)
        }
        request = {"area": [140, 110], "items": items, "relations": ["i0 left of i1", "i2 near i3 within 10"]}
        found = solver.solve(request, ask=False, restarts=16, max_steps=64)
        assert found.status in ("solved", "unsolved", "infeasible")
        if found.answer is not None:
            solved += 1
            assert solver.score(request, found.answer).valid
    assert solved


def test_circles_and_polygons_do_not_overlap(solver: gs.Solver) -> None:
    items = {
        "table": {"diameter": 90},
        "plant": {"diameter": 40},
        "sofa": {"polygon": [[0, 0], [160, 0], [160, 60], [60, 60], [60, 140], [0, 140]]},
    }
    area = {"polygon": [[0, 0], [300, 0], [300, 150], [180, 150], [180, 260], [0, 260]]}
    request = {"area": area, "items": items, "relations": ["table next to sofa within 10"]}
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    one, two = (found.answer["items"][n] for n in ("table", "plant"))
    assert math.dist((one["x"], one["y"]), (two["x"], two["y"])) >= 65 - 1e-3
    for n, radius in (("table", 45), ("plant", 20)):
        at = found.answer["items"][n]
        assert not (at["x"] > 180 - radius + 1e-3 and at["y"] > 150 + 1e-3)


def test_a_repair_moves_little_and_keeps_sizes_turns_and_relations(solver: gs.Solver) -> None:
    request = {
        "area": [270, 252],
        "items": {
            "bed": {"size": [170, 130], "at": [129, 111], "turn": 0},
            "wardrobe": {"size": [127, 45], "at": [240, 81], "turn": -90},
            "nightstand": {"size": [29, 40], "at": [25, 14], "turn": 0},
        },
        "repair": True,
    }
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    at = found.answer["items"]
    assert [at[n]["turn"] % 360 for n in at] == [0, 270, 0]
    assert at["bed"]["box"][0] + at["bed"]["box"][2] <= at["wardrobe"]["box"][0] + 1e-4
    assert 270 - 0.03 * 270 <= at["wardrobe"]["box"][0] + 45 <= 270 + 1e-4
    assert at["nightstand"]["y"] == pytest.approx(20, abs=0.01)
    assert found.answer["moved"]["mean"] < 8
    legal = {**request, "items": {n: {**request["items"][n], "at": [at[n]["x"], at[n]["y"]]} for n in at}}  # type: ignore[index]
    again = solver.solve(legal, ask=False)
    assert again.answer is not None
    assert again.answer["moved"]["most"] < 0.01


def test_two_walls_are_asked_about_and_each_option_is_solved(solver: gs.Solver) -> None:
    request = {
        "area": [300, 300],
        "items": {"shelf": {"size": [280, 40], "turns": "none"}, "table": {"size": [150, 150], "turns": "none"}},
        "relations": ["shelf against any wall", "table centred in the room"],
    }
    found = solver.solve(request, alternatives=2)
    assert found.status == "ambiguous"
    assert found.question is not None
    assert found.question.text.startswith("Against which wall should shelf stand?")
    labels = {option.label for option in found.question.options}
    assert {"north", "south"} <= labels
    for option in found.question.options:
        chosen = solver.solve(request, alternatives=2, replies={found.question.id: option.id})
        assert chosen.answer is not None


def test_a_shift_is_no_question(solver: gs.Solver) -> None:
    found = solver.solve({"area": [300, 200], "items": {"a": [50, 50], "b": [60, 30]}}, alternatives=3)
    assert found.status == "solved"
    assert found.question is None


def test_the_answer_says_how_far_each_item_can_move(solver: gs.Solver) -> None:
    request = {
        "area": [100, 50],
        "items": {"a": {"size": [40, 50], "turns": "none"}, "b": {"size": [40, 50], "turns": "none"}},
        "relations": ["a left of b", "a against west wall", "b against east wall"],
    }
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    assert found.answer["free"] == {"a": [0.0, 0.0, 0.0, 0.0], "b": [0.0, 0.0, 0.0, 0.0]}
    request["relations"] = ["a left of b", "a against west wall"]
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    x = found.answer["items"]["b"]["x"]
    assert found.answer["free"]["b"] == pytest.approx([x - 60, 80 - x, 0, 0], abs=0.02)


def test_drawings_and_files_hold_every_item(solver: gs.Solver) -> None:
    page = {
        "area": [800, 600],
        "items": {"logo": [120, 60], "body": {"size": [500, 300]}},
        "unit": "px",
        "relations": ["logo above body"],
    }
    answer = solver.solve(page, ask=False).answer
    assert answer is not None
    picture = solver.svg(page, answer)
    assert picture is not None
    texts = [one.text for one in ET.fromstring(picture).iter() if one.tag.endswith("text")]
    assert texts == ["body", "logo"]
    sheet = solver.file(page, answer, "css").decode()
    box = answer["items"]["logo"]["box"]
    assert f".logo {{ position: absolute; box-sizing: border-box; left: {box[0]:.10g}px; top: {box[1]:.10g}px;" in sheet
    assert answer["items"]["logo"]["y"] < answer["items"]["body"]["y"]
    table = json.loads(solver.file(page, answer, "json"))
    assert set(table["items"]) == {"logo", "body"}
    with pytest.raises(gs.OptionError, match="svg, css or json"):
        solver.file(page, answer, "dxf")


def test_names_in_a_drawing_stay_within_the_picture(solver: gs.Solver) -> None:
    request = {
        "area": [400, 100],
        "items": {
            "a very long name": {"size": [20, 90], "turns": "none"},
            "another long name": {"diameter": 20},
            "rug": [90, 60],
        },
        "relations": ["another long name in the northeast corner"],
    }
    answer = solver.solve(request, ask=False).answer
    assert answer is not None
    picture = ET.fromstring(solver.svg(request, answer) or "")
    width = float(picture.get("width", "0"))
    texts = {one.text: one for one in picture.iter() if one.tag.endswith("text")}
    assert "rotate" in texts["a very long name"].get("transform", "")
    assert "transform" not in texts["rug"].attrib
    one = texts["another long name"]
    assert float(one.get("x", "0")) + 0.5 * 0.5 * float(one.get("font-size", "11")) * len("another long name") <= width


def test_a_wish_that_cannot_hold_is_named(solver: gs.Solver) -> None:
    request = {"area": [100, 60], "items": {"a": [40, 40], "b": [40, 40]}, "prefer": ["a at least 50 from b"]}
    found = solver.solve(request, ask=False, restarts=8, max_steps=32)
    assert found.answer is not None
    assert found.answer["unkept"] == ["a at least 50 from b"]
    assert found.answer["items"]["a"]["x"] in (pytest.approx(20, abs=2), pytest.approx(80, abs=2))


def test_a_text_on_one_line_is_parsed(solver: gs.Solver) -> None:
    request = solver.parse("300 x 200; desk 120 x 60, lamp 20 x 20; lamp left of desk, gap 10")
    found = solver.solve(request, ask=False)
    assert found.answer is not None
    assert solver.draw(request, found.answer) is not None


def test_the_same_seed_gives_the_same_layout(solver: gs.Solver) -> None:
    small = {
        "area": [300, 200],
        "items": {"a": [90, 50], "b": {"diameter": 40}, "c": [60, 60]},
        "relations": ["a near b"],
    }
    one, two = (solver.solve(small, seed=3, ask=False).answer for _ in range(2))
    assert one == two
