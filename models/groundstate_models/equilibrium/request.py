"""Reads a request into a `Structure`: presets, statements and typed objects by one compiler; faults name their place.

Long because each type of object has its reader, with the sentences that refuse it.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundstate import Fault, RequestError
from groundstate_models.equilibrium.contacts import crossed, overlap
from groundstate_models.equilibrium.parts import Block, Member, Node, Plane, Potential, Torsion, Vector
from groundstate_models.equilibrium.presets import expanded
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.words import DIRECTIONS, KINDS, NUMBER, MisreadError, names, typed

MOST_NODES = 300
MOST_FAULTS = 10

LENGTHS = {"mm": 0.001, "cm": 0.01, "m": 1.0, "km": 1000.0, "in": 0.0254, "ft": 0.3048}
MASSES = {"g": 0.001, "kg": 1.0, "t": 1000.0, "lb": 0.45359237}
FORCES = {"N": 1.0, "kN": 1000.0}

NODE_KEYS = {"at", "fixed", "mass", "weight", "load", "radius", "charge", "sphere"}
BLOCK_KEYS = {"size", "at", "on", "x", "offset", "mass", "weight", "density", "fixed", "corners", "faces", "load"}


def read(request: Mapping[str, Any]) -> Structure:
    """Read a request that has passed the schema.

    Raises:
        RequestError: If something cannot be read; one sentence for each place.
    """
    return _Reader(request).read()


class _Reader:
    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = dict(request)
        self.faults: list[Fault] = []
        self.structure = Structure()
        self.unit: str | None = request.get("unit")
        self.given: dict[str, dict[str, Any]] = {}
        self.paths: dict[str, str] = {}
        self.mentioned: dict[str, str] = {}
        self.declared: set[str] = set()

    def read(self) -> Structure:
        self._preset(self.request.pop("preset", None), "preset")
        s = self.structure
        if self.unit is not None and self.unit not in LENGTHS:
            self.fault("unit", f"{self.unit!r} is not a unit of length; known are {', '.join(LENGTHS)}.")
        s.unit = self.unit
        self._guarded("gravity", lambda: setattr(s, "gravity", self.number(self.request.get("gravity", 9.81), None)))
        self._guarded("friction", lambda: self._friction(self.request.get("friction", 0.5)))
        s.drawn = bool(self.request.get("as_drawn", False))
        for name, one in self.request.get("nodes", {}).items():
            self._guarded(f"nodes.{name}", lambda name=name, one=one: self._given(name, one, f"nodes.{name}"))
        self.declared = set(self.given)
        objects = self._statements()
        for path, one in objects:
            self._guarded(path, lambda one=one, path=path: self._object(one, path))
        for name, value in self.request.get("where", {}).items():
            self._guarded(f"where.{name}", lambda name=name, value=value: self._where(name, value, f"where.{name}"))
        self._blocks(self.request.get("blocks", {}))
        self._nodes()
        self._whole()
        if self.faults:
            raise RequestError(self.faults[:MOST_FAULTS])
        return s

    def fault(self, path: str, message: str) -> None:
        self.faults.append(Fault(path, message))

    def _guarded(self, path: str, action: Any) -> None:
        try:
            action()
        except MisreadError as error:
            self.fault(path, str(error))
        except (TypeError, ValueError, KeyError, IndexError):
            self.fault(path, "This cannot be read: it has another form than the docs show.")

    # -- numbers ---------------------------------------------------------------------------------------------------------

    def number(self, value: Any, kind: str | None) -> float:
        """A number, with its unit converted: ``kind`` is length, mass, force, angle, or None for a plain number."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise MisreadError(f"{str(value)[:40]!r} is not a number.")
        if isinstance(value, str):
            match = re.fullmatch(rf"\s*({NUMBER})\s*([A-Za-z°]*)\s*", value)
            if match is None:
                raise MisreadError(f"{value[:40]!r} is not a number.")
            found, unit = float(match[1]), match[2]
            tables = {
                "length": LENGTHS,
                "mass": MASSES,
                "force": FORCES,
                "angle": {"deg": 1.0, "degrees": 1.0, "°": 1.0},
            }
            if unit:
                table = tables.get(kind or "", {})
                if unit not in table:
                    raise MisreadError(f"{value!r} has the unit {unit!r}; {kind or 'a plain number'} is needed here.")
                found *= table[unit]
                if kind == "length":
                    found /= LENGTHS.get(self.unit or "m", 1.0)
                    if unit != (self.unit or "m"):
                        notice = f"{value.strip()} was read as {found:g} {self.unit or 'm'}."
                        if notice not in self.structure.notices and len(self.structure.notices) < MOST_FAULTS:
                            self.structure.notices.append(notice)
        else:
            found = float(value)
        if not math.isfinite(found):
            raise MisreadError(f"{value} is not finite.")
        return found

    def positive(self, value: Any, kind: str | None, what: str) -> float:
        found = self.number(value, kind)
        if found <= 0:
            raise MisreadError(f"The {what} is {found:g}; it must be positive.")
        return found

    def vector(self, value: Any, kind: str | None = "length") -> Vector:
        """Two or three numbers."""
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) not in {2, 3}:
            raise MisreadError(f"{str(value)[:40]} is not a place; give two or three numbers, such as [0, 2.5].")
        found = [self.number(v, kind) for v in value]
        if len(found) == 3:
            self.structure.dimensions = 3
        return (found[0], found[1], found[2] if len(found) == 3 else 0.0)

    def _friction(self, value: Any) -> None:
        found = self.number(value, None)
        if found < 0:
            raise MisreadError(f"The friction is {found:g}; it must be at least 0.")
        self.structure.friction = found

    # -- parts -----------------------------------------------------------------------------------------------------------

    def _preset(self, preset: Any, path: str) -> None:
        if preset is None:
            return
        try:
            made = expanded(preset)
        except MisreadError as error:
            self.fault(path, str(error))
            return
        except (TypeError, ValueError, KeyError, AttributeError):
            self.fault(path, "This preset cannot be read: a value has another form than the docs show.")
            return
        if made.pop("dimensions", 2) == 3:
            self.structure.dimensions = 3
        for key, value in made.items():
            mine = self.request.get(key)
            if isinstance(value, Mapping):
                self.request[key] = {**value, **(mine or {})}
            elif isinstance(value, list):
                self.request[key] = [*value, *(mine or [])]
            else:
                self.request.setdefault(key, value)

    def _statements(self) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = []
        for key in ("statements", "members"):
            for number, one in enumerate(self.request.get(key, [])):
                path = f"{key}[{number}]"
                if isinstance(one, Mapping):
                    found.append((path, dict(one)))
                    continue
                try:
                    for made in typed(str(one)):
                        if made["type"] == "preset":
                            self._text_preset(made, path)
                        else:
                            found.append((path, made))
                except MisreadError as error:
                    self.fault(path, str(error))
        return found

    def _text_preset(self, made: dict[str, Any], path: str) -> None:
        preset = {k: v for k, v in made.items() if k not in {"type", "preset"}}
        for key, value in preset.items():
            if key in {"from", "to"}:
                preset[key] = [self.number(v, "length") for v in value]
            elif key != "potential":
                preset[key] = self.number(value, {"mass": "mass", "length": "length", "rise": "length"}.get(key))
        before = len(self.request.get("members", []))
        self._preset({"type": made["preset"], **preset}, path)
        for name, one in self.request.get("nodes", {}).items():
            if name not in self.given:
                self._guarded(path, lambda name=name, one=one: self._given(name, one, path))
        del before

    def _given(self, name: str, one: Any, path: str) -> None:
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_']*", name):
            raise MisreadError(f"{name[:30]!r} is not a name of a node; use letters, digits and underscores.")
        made = {"at": one} if isinstance(one, list) else one
        if not isinstance(made, Mapping):
            raise MisreadError(f"{str(one)[:40]} is not a node; give its place, such as [0, 2], or an object.")
        if isinstance(one, list) and one and isinstance(one[-1], str) and one[-1] == "fixed":
            made = {"at": one[:-1], "fixed": True}
        if unknown := sorted(set(made) - NODE_KEYS):
            near = difflib.get_close_matches(unknown[0], NODE_KEYS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MisreadError(f"A node takes no {unknown[0]!r}.{hint} It takes {', '.join(sorted(NODE_KEYS))}.")
        self.given.setdefault(name, {}).update(made)
        self.paths.setdefault(name, path)

    def _name(self, given: Any, path: str) -> str:
        if not isinstance(given, str):
            raise MisreadError(f"{str(given)[:40]!r} is not a name.")
        name: str = given.strip()
        if name not in self.given:
            near = difflib.get_close_matches(name, sorted(self.declared), 1, 0.6) if len(name) > 1 else []
            if near:
                raise MisreadError(f"{name!r} is not a node; did you mean {near[0]!r}?")
            self._given(name, {}, path)
        return name

    def _object(self, one: dict[str, Any], path: str) -> None:
        kind = str(one.get("type", "")).lower().replace("-", "_").replace(" ", "_")
        s = self.structure
        if kind in KINDS:
            self._member(KINDS[kind], one, path)
        elif kind == "node":
            rest = {k: v for k, v in one.items() if k not in {"type", "name"}}
            self._name(one["name"], path)
            self.given[one["name"]].update(rest)
        elif kind == "load":
            name = self._name(one["at"], path)
            force = one["force"]
            if isinstance(force, Mapping):
                x, y = DIRECTIONS[force["direction"]]
                size = self.number(force["size"], "force")
                self.given[name].setdefault("loads", []).append(("turned", x * size, y * size))
            else:
                self.given[name].setdefault("loads", []).append(self.vector(force, "force"))
        elif kind in {"floor", "wall", "ceiling"}:
            self._plane(kind, one, path)
        elif kind == "gravity":
            s.gravity = self.number(one["value"], None)
        elif kind == "friction":
            self._friction(one["value"])
        elif kind == "torsion":
            a, b, c = (self._name(n, path) for n in one["between"])
            angle = math.radians(self.number(one.get("angle", 180), "angle"))
            s.torsions.append(Torsion(a, b, c, self.positive(one.get("stiffness", 1), None, "stiffness"), angle))
        elif kind == "pressure":
            loop = tuple(self._name(n, path) for n in one["between"])
            if len(set(loop)) < 3:
                raise MisreadError("Pressure needs a loop of at least three nodes.")
            s.pressures.append((loop, self.number(one["value"], None)))
        elif kind in {"coulomb", "lennard_jones", "morse"}:
            self._potential(kind, one, path)
        elif kind == "where":
            self._where(one["name"], one["is"], path)
        elif kind == "block":
            rest = {k: v for k, v in one.items() if k not in {"type", "name"}}
            self.request["blocks"] = {**self.request.get("blocks", {}), one["name"]: rest}
            self.paths[f"block {one['name']}"] = path
        else:
            known = [
                "spring",
                "cable",
                "rod",
                "strut",
                "link",
                "load",
                "floor",
                "wall",
                "torsion",
                "pressure",
                "coulomb",
            ]
            near = difflib.get_close_matches(kind, [*known, *KINDS], 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MisreadError(
                f"{kind!r} is not a type.{hint} Known are {', '.join(known)}, lennard_jones, morse, node, block."
            )

    def _member(self, kind: str, one: Mapping[str, Any], path: str) -> None:
        known = {"type", "between", "of", "length", "stiffness", "force_density", "name"}
        if unknown := sorted(set(one) - known):
            raise MisreadError(
                f"A {kind} takes no {unknown[0]!r}; it takes {', '.join(sorted(known - {'type', 'of'}))}."
            )
        ends = one.get("between", one.get("of"))
        ends = names(ends) if isinstance(ends, str) else ends
        if not isinstance(ends, Sequence) or len(ends) != 2:
            raise MisreadError(f"A {kind} is between two nodes; {str(ends)[:60]} are not two.")
        a, b = (self._name(n, path) for n in ends)
        if a == b:
            raise MisreadError(f"This {kind} is from {a} to itself.")
        length = None if one.get("length") is None else self.number(one["length"], "length")
        if length is not None and length <= 0:
            advice = " To pull in proportion to its whole length, use a link with a force density."
            raise MisreadError(f"The length is {length:g}; it must be positive.{advice if kind == 'spring' else ''}")
        stiffness = None if one.get("stiffness") is None else self.positive(one["stiffness"], None, "stiffness")
        density = None if one.get("force_density") is None else self.number(one["force_density"], None)
        if kind == "link" and not density:
            raise MisreadError("A link needs a force density other than 0; for a bar that keeps its length, use rod.")
        if kind == "spring" and stiffness is None:
            raise MisreadError("A spring needs a stiffness.")
        name = str(one.get("name") or f"{a}-{b}")
        taken = {m.name for m in self.structure.members}
        while name in taken:
            name += "'"
        self.structure.members.append(Member(name, kind, a, b, length, stiffness, density, path))

    def _plane(self, kind: str, one: Mapping[str, Any], path: str) -> None:
        s, at = self.structure, self.number(one.get("at", 0), "length")
        if kind == "floor" or kind == "ceiling":
            s.planes.append(
                Plane(kind, (0.0, 1.0 if kind == "floor" else -1.0, 0.0), at if kind == "floor" else -at, path)
            )
        else:
            right = str(one.get("side", "left")) == "right"
            name = "wall" if all(p.name != "wall" for p in s.planes) else f"wall {len(s.planes) + 1}"
            s.planes.append(Plane(name, (-1.0 if right else 1.0, 0.0, 0.0), -at if right else at, path))

    def _potential(self, kind: str, one: Mapping[str, Any], path: str) -> None:
        between = one.get("between", "all")
        if isinstance(between, str):
            chosen = list(self.given) if between.startswith("all") else names(between)
        else:
            chosen = list(between)
        found = tuple(self._name(n, path) for n in chosen)
        if len(set(found)) < 2:
            raise MisreadError(f"A {kind.replace('_', ' ')} potential acts between two or more nodes.")
        depth = self.positive(one.get("depth", one.get("strength", 1)), None, "depth")
        distance = self.positive(one.get("distance", 1), "length", "distance")
        self.structure.potentials.append(
            Potential(kind, found, depth, distance, self.positive(one.get("width", 6), None, "width"))
        )

    def _where(self, name: str, value: Any, path: str) -> None:
        self._name(name, path)
        if isinstance(value, str):
            if value not in {"above", "below"}:
                raise MisreadError(f"{value!r} is not a place; use above, below, or numbers.")
            self.structure.where[name] = value
        else:
            self.structure.where[name] = self.vector(value)

    def _nodes(self) -> None:
        s = self.structure
        for name, one in self.given.items():
            path = self.paths.get(name, "")
            try:
                s.nodes[name] = self._node(name, one, path)
            except MisreadError as error:
                self.fault(path, str(error))
            except (TypeError, ValueError, KeyError, IndexError):
                self.fault(path, "This node cannot be read: it has another form than the docs show.")
        if s.dimensions == 3:
            s.planes = [
                replace(p, normal=(0.0, 0.0, p.normal[1])) if p.name in {"floor", "ceiling"} else p for p in s.planes
            ]

    def _node(self, name: str, one: Mapping[str, Any], path: str) -> Node:
        at = None if one.get("at") is None else self.vector(one["at"])
        given = one.get("fixed", False)
        if isinstance(given, str):
            axes = given.lower()
            if not set(axes) <= set("xyz"):
                raise MisreadError(f"fixed is {given!r}; it may be true, false, or axes such as 'y'.")
            fixed = ("x" in axes, "y" in axes, "z" in axes)
        else:
            fixed = (bool(given),) * 3
        if any(fixed) and at is None:
            raise MisreadError(f'{name} is fixed and has no place; say where, such as "{name} fixed at (0, 0)".')
        mass = self.number(one.get("mass", 0), "mass")
        if mass < 0:
            raise MisreadError(f"The mass of {name} is {mass:g}; it must be at least 0.")
        load = np.zeros(3)
        if one.get("load") is not None:
            load += self.vector(one["load"], "force")
        for extra in one.get("loads", []):
            if extra[0] == "turned":
                load[0] += extra[1]
                load[self.structure.up] += extra[2]
            else:
                load += extra
        if one.get("weight") is not None:
            load[self.structure.up] -= self.positive(one["weight"], "force", "weight")
        radius = self.number(one.get("radius", 0), "length")
        if radius < 0:
            raise MisreadError(f"The radius of {name} is {radius:g}; it must be at least 0.")
        sphere = None
        if one.get("sphere") is not None:
            *centre, size = (self.number(v, "length") for v in one["sphere"])
            sphere = (self.vector(centre), size)
        x, y, z = map(float, load)
        return Node(name, at, fixed, mass, (x, y, z), radius, self.number(one.get("charge", 0), None), sphere, path)

    # -- blocks ----------------------------------------------------------------------------------------------------------

    def _blocks(self, given: Mapping[str, Any]) -> None:
        s = self.structure
        tops: dict[str, tuple[float, float]] = {}
        for name, one in given.items():
            path = self.paths.get(f"block {name}", f"blocks.{name}")
            try:
                s.blocks[name] = self._block(name, one, tops, path)
            except MisreadError as error:
                self.fault(path, str(error))
            except (TypeError, ValueError, KeyError, IndexError):
                self.fault(path, "This block cannot be read: it has another form than the docs show.")
        if s.blocks:
            s.drawn = True
            if any(block.faces for block in s.blocks.values()):
                s.dimensions = 3
            elif not s.planes:
                s.planes.append(
                    Plane("floor", (0.0, 1.0, 0.0), min(float(b.corners[:, 1].min()) for b in s.blocks.values()))
                )

    def _block(self, name: str, one: Any, tops: dict[str, tuple[float, float]], path: str) -> Block:
        if not isinstance(one, Mapping):
            raise MisreadError(f"{str(one)[:40]} is not a block; give an object with size and at or on.")
        if unknown := sorted(set(one) - BLOCK_KEYS):
            raise MisreadError(f"A block takes no {unknown[0]!r}; it takes {', '.join(sorted(BLOCK_KEYS))}.")
        faces: tuple[tuple[int, ...], ...] = tuple(tuple(int(k) for k in face) for face in one.get("faces", []))
        if "corners" in one:
            corners = np.array([self.vector(corner) for corner in one["corners"]])
            if len(corners) < 3:
                raise MisreadError(f"The block has {len(corners)} corners; it needs at least 3.")
            if not faces:
                following = np.roll(corners, -1, axis=0)
                area = float((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum()) / 2
                if not area:
                    raise MisreadError("The block's corners lie on one line.")
                if (crossing := _crossing(corners)) is not None:
                    one_, other = crossing
                    raise MisreadError(
                        f"The block's sides cross each other: the one from corner {one_} and the one from corner {other}."
                    )
                corners = corners if area > 0 else corners[::-1].copy()
        else:
            corners = self._box(one, tops)
        volume, centre = _solid(corners, faces)
        if volume <= 0:
            raise MisreadError(
                "The block has no volume; its faces must be closed, with corners counter-clockwise from outside."
            )
        tops[name] = (float(corners[:, 1].max()), float(centre[0]))
        gravity = self.structure.gravity
        if one.get("weight") is not None:
            weight = self.positive(one["weight"], "force", "weight")
        elif one.get("mass") is not None:
            weight = self.positive(one["mass"], "mass", "mass") * gravity
        else:
            weight = self.positive(one.get("density", 1), None, "density") * volume * gravity
        load = self.vector(one["load"], "force") if one.get("load") is not None else (0.0, 0.0, 0.0)
        return Block(name, corners, faces, weight, centre, bool(one.get("fixed", False)), load, path)

    def _box(self, one: Mapping[str, Any], tops: dict[str, tuple[float, float]]) -> Any:
        size = one.get("size")
        if isinstance(size, str) or not isinstance(size, Sequence) or len(size) != 2:
            raise MisreadError(f"size is {str(size)[:40]}; a block needs its width and height, such as [2, 1].")
        width, height = (self.positive(v, "length", "size") for v in size)
        if one.get("at") is not None:
            x, y, _ = self.vector(one["at"])
        elif one.get("on") is not None:
            below = str(one["on"])
            if below != "floor" and below not in tops:
                near = difflib.get_close_matches(below, ["floor", *tops], 1)
                hint = f"; did you mean {near[0]!r}?" if near else " that was named before."
                raise MisreadError(f"{below!r} is not a block{hint}")
            floor = next((p.offset for p in self.structure.planes if p.name == "floor"), 0.0)
            top, middle = (floor, 0.0) if below == "floor" else tops[below]
            x = self.number(one["x"], "length") if one.get("x") is not None else middle
            x += self.number(one.get("offset", 0), "length")
            y = top + height / 2
        else:
            raise MisreadError("The block has no place; give at (its centre), or on and x.")
        w, h = width / 2, height / 2
        return np.array([[x - w, y - h, 0.0], [x + w, y - h, 0.0], [x + w, y + h, 0.0], [x - w, y + h, 0.0]])

    # -- the whole -------------------------------------------------------------------------------------------------------

    def _whole(self) -> None:
        s = self.structure
        if not s.nodes and not s.blocks and not self.faults:
            self.fault("", "Nothing is asked for: name nodes and members, blocks, or a preset.")
        if len(s.nodes) + len(s.blocks) > MOST_NODES:
            self.fault(
                "nodes", f"There are {len(s.nodes) + len(s.blocks)} nodes and blocks; there may be {MOST_NODES}."
            )
        for m in s.members:
            a, b = s.nodes.get(m.a), s.nodes.get(m.b)
            if a is None or b is None:
                continue
            drawn = a.at is not None and b.at is not None
            if s.drawn and not drawn:
                lacking = m.a if a.at is None else m.b
                self.fault(m.path, f"{lacking} has no place, and the structure is to stay as drawn; give its place.")
            elif s.drawn and drawn and a.at is not None and b.at is not None and math.dist(a.at, b.at) == 0:
                self.fault(m.path, f"{m.a} and {m.b} are at one place, so {m.name} has length 0.")
            elif m.length is None and not drawn and m.kind not in {"spring", "link"}:
                self.fault(
                    m.path, f"The {m.kind} {m.name} has no length, and its ends have no places; give one of them."
                )
            elif m.kind in {"rod", "cable", "strut"} and s.rest(m) == 0:
                self.fault(m.path, f"The {m.kind} {m.name} has length 0.")
            elif m.kind == "spring" and drawn and s.rest(m) == 0:
                self.fault(
                    m.path, f"The spring {m.name} has length 0: its ends are drawn at one place. Give its length."
                )
        blocks = list(s.blocks.values())
        size = s.length
        for k, one in enumerate(blocks):
            for other in blocks[k + 1 :]:
                if overlap(one, other, 1e-6 * size):
                    self.fault(other.path, f"The blocks {one.name} and {other.name} overlap.")
        fixed = [n for n in s.nodes.values() if n.held and n.radius > 0 and n.at]
        for k, left in enumerate(fixed):
            for right in fixed[k + 1 :]:
                if left.at and right.at and math.dist(left.at, right.at) < left.radius + right.radius:
                    self.fault(right.path, f"The fixed discs {left.name} and {right.name} overlap.")


def _crossing(corners: Any) -> tuple[int, int] | None:
    """Two sides of a polygon that cross, by their first corners, counted from 1."""
    count = len(corners)

    def turn(a: Any, b: Any, c: Any) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    for i in range(count):
        p, q = corners[i], corners[(i + 1) % count]
        for j in range(i + 2, count - (i == 0)):
            r, t = corners[j], corners[(j + 1) % count]
            if turn(p, q, r) * turn(p, q, t) < 0 and turn(r, t, p) * turn(r, t, q) < 0:
                return i + 1, j + 1
    return None


def _solid(corners: Any, faces: tuple[tuple[int, ...], ...]) -> tuple[float, Vector]:
    """Volume (area in the plane) and centre of mass."""
    if not faces:
        following = np.roll(corners, -1, axis=0)
        cross = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
        area = float(cross.sum()) / 2
        if not area:
            return 0.0, (0.0, 0.0, 0.0)
        middle = ((corners + following) * cross[:, None]).sum(0) / (6 * area)
        return area, (float(middle[0]), float(middle[1]), 0.0)
    volume, moment = 0.0, np.zeros(3)
    origin = corners.mean(0)
    for face in faces:
        ring = corners[list(face)] - origin
        fan = crossed(ring[1:-1], ring[2:]) @ ring[0] / 6
        volume += float(fan.sum())
        moment += fan @ (ring[0] + ring[1:-1] + ring[2:]) / 4
    if not volume:
        return 0.0, (0.0, 0.0, 0.0)
    x, y, z = origin + moment / volume
    return volume, (float(x), float(y), float(z))
