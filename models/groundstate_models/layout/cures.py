"""What to change if there is no layout: the least shrinking of an item, a turn, a gap, a statement or an item to leave out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundstate import Attempt, Change, GroundstateError, Option, Violation
from groundstate_models.layout import proofs
from groundstate_models.layout.disjunctions import Network
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.plan import Item, Plan
from groundstate_models.layout.proofs import Contradiction
from groundstate_models.layout.request import read
from groundstate_models.layout.shapes import area, box
from groundstate_models.layout.starts import Starts

MOST = 16
LIMIT = 600

OFFERED, UNSURE = 5, 2
"""Changes that are passed on to be tried."""

SHRUNK, DROPPED = 4, 4
"""Sides to shorten and items to leave out that are looked at."""

ROOM = 0.92
"""Items whose areas are too large together must cover at most this part of the area after a change, or they will not fit."""


def changes(
    plan: Plan,
    request: Mapping[str, Any],
    proof: Contradiction | None,
    attempt: Attempt | None,
    violations: Sequence[Violation],
) -> list[Change]:
    """Changes that may help, the nearest first."""
    named = {place for one in violations for place in one.places}
    names = list(proof.items) if proof else [n for n, item in plan.items.items() if item.path in named]
    stated = (
        list(proof.stated)
        if proof
        else [k for k, s in enumerate(plan.stated) if s.path in named or set(s.of) & set(names)]
    )
    stated = [k for k in stated if math.isinf(plan.stated[k].strength)]
    del attempt
    found: list[Change] = []
    keyed = isinstance(request["items"], Mapping)
    if proof is not None and keyed:
        found += _shrunk(plan, request, proof, names)
    seen: set[str] = set()
    for k in stated[:MOST]:
        path = plan.stated[k].path
        if path and path not in seen:
            seen.add(path)
            pointer = "/" + path.replace("[", "/").replace("]", "")
            found.append(
                Change(f"drop {path}", f"Leave out {plan.stated[k].text!r}.", ({"op": "remove", "path": pointer},))
            )
    if keyed:
        for name in names[:MOST]:
            item = plan.items[name]
            if item.turning == "none" and not item.round and not item.fixed and item.at is None:
                value = {**_given(request, item), "turns": "quarter"}
                value.pop("turn", None)
                found.append(_replaced(f"turn {name}", f"Let {item.base} turn.", item, value))
    if request.get("gap"):
        found.append(Change("gap", "Let items touch.", ({"op": "replace", "path": "/gap", "value": 0},)))
    if keyed and proof is None:
        found += _smaller(plan, request, names)
    if keyed:
        found += dropped(plan, request, names, largest=proof is not None and proof.spatial)
    return promising(request, found)


def promising(request: Mapping[str, Any], changes: Sequence[Change]) -> list[Change]:
    """The changes after which an arrangement was built, and the first few of those after which nothing is proven impossible."""
    ready: list[Change] = []
    unsure: list[Change] = []
    for change in changes:
        if len(ready) == OFFERED:
            break
        try:
            plan = read(Option(change.id, change.label, change.patch, 0).apply(request))
        except GroundstateError:
            continue
        if plan.repair:
            unsure.append(change)
        elif Starts.of(Lowering(plan)).possible(np.random.default_rng(0)):
            ready.append(change)
        elif len(unsure) < UNSURE and proofs.contradiction(plan) is None:
            unsure.append(change)
    # What may not help would cost a whole search each. Starts seldom meet an exact gap, so the least shrinking stays.
    least = [change for change in unsure if change.id.startswith("shrink")]
    kept = {change.id for change in (*ready, *(least if len(ready) > 1 else unsure))}
    return [change for change in changes if change.id in kept]


def _given(request: Mapping[str, Any], item: Item) -> dict[str, Any]:
    given = request["items"][item.base]
    return dict(given) if isinstance(given, Mapping) else {"size": given}


def _pointer(item: Item) -> str:
    return "/items/" + item.base.replace("~", "~0").replace("/", "~1")


def _replaced(id_: str, label: str, item: Item, value: Any) -> Change:
    return Change(id_, label, ({"op": "replace", "path": _pointer(item), "value": value},))


def _with_size(request: Mapping[str, Any], item: Item, size: tuple[float, float]) -> dict[str, Any]:
    value = _given(request, item)
    for key in ("width", "depth", "height", "length"):
        value.pop(key, None)
    return {**value, "size": [round(size[0], 9), round(size[1], 9)]}


def _boxy(item: Item) -> bool:
    return len(item.shapes) == 1 and len(item.shapes[0].corners) == 4 and not item.fixed


def _shrunk(plan: Plan, request: Mapping[str, Any], proof: Contradiction, names: Sequence[str]) -> list[Change]:
    """The least reduction of one side of one item after which the contradiction is gone, rounded up."""
    found: list[tuple[float, Change]] = []
    first = {plan.items[name].base: name for name in reversed(names)}
    for name in list(first.values())[:8]:
        item = plan.items[name]
        if not _boxy(item):
            continue
        for side, word in ((0, "narrower"), (1, "less deep")):
            by = _least(plan, proof, name, side)
            if by is None:
                continue
            size = list(item.size)
            size[side] -= by
            unit = f" {plan.unit}" if plan.unit else ""
            label = f"{item.base} could be {by:g}{unit} {word}."
            value = _with_size(request, item, (size[0], size[1]))
            found.append((by / item.size[side], _replaced(f"shrink {name} {side}", label, item, value)))
    return [change for _, change in sorted(found, key=lambda one: one[0])][:SHRUNK]


def _least(plan: Plan, proof: Contradiction, name: str, side: int) -> float | None:
    size = plan.items[name].size[side]
    step = 10.0 ** (math.floor(math.log10(size)) - 2)

    def works(by: float) -> bool:
        some = dict(plan.items)
        for other, item in plan.items.items():
            if item.base == plan.items[name].base and _boxy(item):
                size_ = list(item.size)
                size_[side] -= by
                shape = box(size_[0], size_[1])
                some[other] = replace(item, shapes=(shape,), outline=shape.corners)
        changed = replace(plan, items=some)
        if proof.spatial:
            return sum(some[n].area for n in proof.items) <= ROOM * abs(area(plan.corners))
        return Network(changed, proof.items, proof.stated).contradiction(LIMIT) is False

    low, high = 0, math.floor(0.9 * size / step)
    if high < 1 or not works(high * step):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle * step) else (middle, high)
    return float(f"{high * step:.6g}")


def _smaller(plan: Plan, request: Mapping[str, Any], names: Sequence[str]) -> list[Change]:
    found = []
    for name in names[:6]:
        item = plan.items[name]
        if _boxy(item):
            w, d = item.size
            value = _with_size(request, item, (0.9 * w, 0.9 * d))
            found.append(_replaced(f"smaller {name}", f"{item.base} could be a tenth smaller.", item, value))
    return found


def smaller_areas(plan: Plan, request: Mapping[str, Any], excess: float) -> list[Change]:
    """One item with an area that is smaller by an excess, rounded up, the largest items first."""
    if not isinstance(request["items"], Mapping):
        return []
    first = {item.base: item for item in plan.items.values()}
    found = []
    for item in sorted(first.values(), key=lambda one: -one.area)[:MOST]:
        assert item.soft is not None
        each = excess / sum(one.base == item.base for one in plan.items.values())
        step = 10.0 ** (math.floor(math.log10(each)) - 1)
        left = float(f"{item.soft.area - math.ceil(each / step - 1e-9) * step:.9g}")
        if left > 0:
            value = {**_given(request, item), "area": left}
            found.append(_replaced(f"area {item.base}", f"{item.base} could have an area of {left:g}.", item, value))
    return found


def dropped(plan: Plan, request: Mapping[str, Any], names: Sequence[str], *, largest: bool = False) -> list[Change]:
    """Leave out an item and what is stated of it, the smallest first, or the largest."""
    found: list[Change] = []
    if len(plan.items) < 2:
        return found
    ranked = sorted(names[:MOST], key=lambda n: plan.items[n].area, reverse=largest)
    for name in ranked[:DROPPED]:
        item = plan.items[name]
        steps: list[Mapping[str, Any]] = []
        for key in ("relations", "prefer"):
            hit = {
                s.path
                for s in plan.stated
                if s.path.startswith(key) and any(plan.items[n].base == item.base for n in s.of if n in plan.items)
            }
            numbers = sorted((int(path.split("[")[1].rstrip("]")) for path in hit), reverse=True)
            steps += [{"op": "remove", "path": f"/{key}/{k}"} for k in numbers]
        if len(request["items"]) > 1:
            steps.append({"op": "remove", "path": _pointer(item)})
            found.append(Change(f"without {item.base}", f"Leave out {item.base}.", tuple(steps)))
    return list({one.id: one for one in found}.values())
