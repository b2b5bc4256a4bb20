"""Changes of a request that cannot stand: a longer cable, a support, a block moved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundstate import Change
from groundstate_models.equilibrium.parts import Block
from groundstate_models.equilibrium.proofs import Proof, _chain, contradiction
from groundstate_models.equilibrium.structure import Structure

MOST = 12


def changes(structure: Structure, request: Mapping[str, Any], proof: Proof | None) -> Sequence[Change]:
    """Changes to try, the likeliest first."""
    if proof is None:
        return ()
    found: list[Change] = []
    if proof.kind in {"short", "long"}:
        found += _lengths(structure, request, proof)
    if proof.kind == "tips":
        found += _moved(structure, request, proof)
    if proof.kind in {"falls", "moves", "tips"}:
        found += _held(structure, request, proof)
    for path in proof.places:
        match = re.fullmatch(r"(members|statements)\[(\d+)\]", path)
        if match is not None:
            found.append(
                Change(
                    f"drop {path}",
                    f"Leave out {_shown(request, path)}.",
                    ({"op": "remove", "path": f"/{match[1]}/{match[2]}"},),
                )
            )
    return found[:MOST]


def _shown(request: Mapping[str, Any], path: str) -> str:
    match = re.fullmatch(r"(members|statements)\[(\d+)\]", path)
    assert match is not None
    one = request[match[1]][int(match[2])]
    if isinstance(one, str):
        return f"{one!r}"
    ends = one.get("between", one.get("of"))
    return f"the {one.get('type')} {ends if isinstance(ends, str) else '-'.join(ends)}"


def _lengths(structure: Structure, request: Mapping[str, Any], proof: Proof) -> list[Change]:
    found = []
    if proof.kind == "short":
        total = sum(structure.rest(structure.members[k]) for k in proof.members)
        lacking = proof.value - total
    for k in proof.members:
        m = structure.members[k]
        match = re.fullmatch(r"(members|statements)\[(\d+)\]", m.path)
        if match is None:
            continue
        if proof.kind == "short":
            length = float(f"{(structure.rest(m) + lacking) * 1.01:.4g}")
        else:
            length = float(f"{proof.value * 0.99:.4g}")
        one = request[match[1]][int(match[2])]
        value: Any
        if isinstance(one, str):
            value = {"type": m.kind, "between": [m.a, m.b], "length": length}
            key = "members"
            patch: tuple[Mapping[str, Any], ...] = (
                {"op": "remove", "path": f"/{match[1]}/{match[2]}"},
                *(() if key in request else ({"op": "add", "path": f"/{key}", "value": []},)),
                {"op": "add", "path": f"/{key}/-", "value": value},
            )
        else:
            patch = ({"op": "replace", "path": f"/{match[1]}/{match[2]}", "value": {**one, "length": length}},)
        found.append(Change(f"length {m.name}", f"The {m.kind} {m.name} could be {length:g} long.", patch))
    return found


def _held(structure: Structure, request: Mapping[str, Any], proof: Proof) -> list[Change]:
    name = proof.name
    if name in structure.blocks:
        if name in request.get("blocks", {}):
            patch: tuple[Mapping[str, Any], ...] = ({"op": "add", "path": f"/blocks/{name}/fixed", "value": True},)
        elif (where := _statement(structure, name)) is not None:
            value = f"{_said(structure.blocks[name], 0.0)} fixed"
            patch = ({"op": "replace", "path": where, "value": value},)
        else:
            return []
        return [Change(f"fix {name}", f"Fix {name}.", patch)]
    node = structure.nodes.get(name)
    if node is None:
        return []
    at = list(node.at[: structure.dimensions]) if node.at is not None else [0.0] * structure.dimensions
    text = f"{name} fixed at ({', '.join(f'{v:g}' for v in at)})"
    steps: list[Mapping[str, Any]] = (
        [] if "statements" in request else [{"op": "add", "path": "/statements", "value": []}]
    )
    steps.append({"op": "add", "path": "/statements/-", "value": text})
    return [Change(f"fix {name}", f"Fix {name} at ({', '.join(f'{v:g}' for v in at)}).", tuple(steps))]


def _moved(structure: Structure, request: Mapping[str, Any], proof: Proof) -> list[Change]:
    """The least shift of the tipping block, with all that stands on it, after which the stack is balanced."""
    name = proof.name
    given = request.get("blocks", {})
    if structure.dimensions == 3 or structure.blocks[name].fixed:
        return []
    above = _carried(structure, name)
    size = structure.length
    for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5):
        for sign in (1.0, -1.0):
            shift = float(f"{sign * step * size:.3g}")
            if contradiction(_shifted(structure, above, shift)) is None:
                steps: list[Mapping[str, Any]] = []
                for one in above:
                    block = structure.blocks[one]
                    where = _statement(structure, one)
                    if one not in given and where is not None:
                        steps.append({"op": "replace", "path": where, "value": _said(block, shift)})
                        continue
                    if one not in given:
                        return []
                    at = [float(f"{block.centre[0] + shift:.9g}"), float(f"{block.centre[1]:.9g}")]
                    value: dict[str, Any]
                    if "corners" in given[one]:
                        corners = [[float(x) + shift, float(y)] for x, y, *_ in given[one]["corners"]]
                        value = {**given[one], "corners": corners}
                    else:
                        value = {k: v for k, v in given[one].items() if k not in {"on", "x", "offset"}} | {"at": at}
                    steps.append({"op": "replace", "path": f"/blocks/{one}", "value": value})
                side = "right" if shift > 0 else "left"
                label = f"Move {name}{' and what stands on it' if len(above) > 1 else ''} {abs(shift):g} to the {side}."
                return [Change(f"move {name}", label, tuple(steps))]
    return []


def _statement(structure: Structure, name: str) -> str | None:
    """The pointer to the statement that places a rectangle; None for other blocks."""
    block = structure.blocks[name]
    match = re.fullmatch(r"statements\[(\d+)\]", block.path)
    return None if match is None or len(block.corners) != 4 or block.faces else f"/statements/{match[1]}"


def _said(block: Block, shift: float) -> str:
    """A rectangle as a statement."""
    width, height = np.ptp(block.corners, axis=0)[:2]
    x, y = block.centre[0] + shift, block.centre[1]
    return f"block {block.name} {width:.9g} x {height:.9g} at ({x:.9g}, {y:.9g}) weight {block.weight:.9g}"


def _carried(structure: Structure, name: str) -> list[str]:
    """A block and those whose centres are above it and that rest on it, one on another."""
    found = [name]
    for block in structure.blocks.values():
        if block.name in found:
            continue
        for below in list(found):
            base = structure.blocks[below]
            touch = abs(float(block.corners[:, 1].min()) - float(base.corners[:, 1].max())) < 1e-6 * structure.length
            overlap = min(block.corners[:, 0].max(), base.corners[:, 0].max()) - max(
                block.corners[:, 0].min(), base.corners[:, 0].min()
            )
            if touch and overlap > 0:
                found.append(block.name)
                break
    return found


def _shifted(structure: Structure, names: Sequence[str], shift: float) -> Structure:
    blocks = {}
    for name, b in structure.blocks.items():
        if name in names:
            centre = (b.centre[0] + shift, b.centre[1], b.centre[2])
            blocks[name] = Block(
                b.name, b.corners + np.array([shift, 0.0, 0.0]), b.faces, b.weight, centre, b.fixed, b.load, b.path
            )
        else:
            blocks[name] = b
    return Structure(
        structure.nodes,
        structure.members,
        planes=structure.planes,
        blocks=blocks,
        friction=structure.friction,
        gravity=structure.gravity,
        dimensions=structure.dimensions,
        drawn=True,
    )


__all__ = ["_chain", "changes"]
