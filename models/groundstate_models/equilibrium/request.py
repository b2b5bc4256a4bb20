"""Reads a request into a `Structure`: presets, statements and typed objects by one compiler; faults name their place."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from groundstate import Fault, RequestError
from groundstate_models.equilibrium.misfits import misfits
from groundstate_models.equilibrium.parts import Member, Node, Plane, Potential, Torsion
from groundstate_models.equilibrium.presets import expanded
from groundstate_models.equilibrium.quantities import LENGTHS, Quantities
from groundstate_models.equilibrium.solids import block
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.words import DIRECTIONS, KINDS, MisreadError, names, typed

MOST_FAULTS = 10

NODE_KEYS = {"at", "fixed", "mass", "weight", "load", "radius", "charge", "sphere"}


def read(request: Mapping[str, Any]) -> Structure:
    """Read a request that has passed the schema.

    Raises:
        RequestError: If something cannot be read; one sentence for each place.
    """
    return _Reader(request).read()


class _Reader(Quantities):
    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request.get("unit"), Structure())
        self.request = dict(request)
        self.faults: list[Fault] = []
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
        self._guarded("friction", lambda: self.friction(self.request.get("friction", 0.5)))
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
        if not self.faults or s.nodes or s.blocks:
            for path, message in misfits(s):
                self.fault(path, message)
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
        self._preset({"type": made["preset"], **preset}, path)
        for name, one in self.request.get("nodes", {}).items():
            if name not in self.given:
                self._guarded(path, lambda name=name, one=one: self._given(name, one, path))

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
            self.friction(one["value"])
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
        if length is not None and length <= 0 and kind == "spring":
            advice = "To pull in proportion to its whole length, use a link with a force density."
            raise MisreadError(f"The length is {length:g}; it must be positive. {advice}")
        if length is not None:
            self.positive(length, None, "length")
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
        if mass:
            self.positive(mass, None, "mass")
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
            sphere = (self.vector(centre), self.positive(size, None, "radius of the sphere"))
        x, y, z = map(float, load)
        return Node(name, at, fixed, mass, (x, y, z), radius, self.number(one.get("charge", 0), None), sphere, path)

    # -- blocks ----------------------------------------------------------------------------------------------------------

    def _blocks(self, given: Mapping[str, Any]) -> None:
        s = self.structure
        tops: dict[str, tuple[float, float]] = {}
        for name, one in given.items():
            path = self.paths.get(f"block {name}", f"blocks.{name}")
            try:
                s.blocks[name] = block(self, name, one, tops, path)
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
