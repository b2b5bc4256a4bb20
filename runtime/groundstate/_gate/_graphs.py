"""Checks the graphs of a file: listed operators, at most one loop where allowed, literal sizes and rounds within limits."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from groundstate._gate._messages import ATTRIBUTE, CONTROL, GRAPH, LENGTHENING, NODE, OPERATORS, SIZED
from groundstate._gate._reader import Reader, inner, refusal
from groundstate._gate._tensors import tensor, value
from groundstate._gate._wire import LEN

_STEPS = "max_steps"
"""The graph input that determines a loop's rounds."""

_PASSING = frozenset({"Cast", "Identity", "Max", "Min", "Reshape", "Squeeze", "Unsqueeze", "Where"})
"""Operators between that input and a loop's rounds: their result is at most the greatest of their inputs."""


_COUNTED = SIZED | LENGTHENING
_INPUT, _OUTPUT, _OPERATOR, _ATTRIBUTE = (number << 3 | LEN for number in (1, 2, 4, 5))
_SHORT = 127
"""The greatest length that takes one byte."""

_NO_VALUES = frozenset({1, 2, 10})
"""Fields of a graph that are no initialisers, inputs or outputs: nodes, and texts."""

_FEW = 3
"""Fields of a graph that are neither nodes nor values, and one more."""

_NAMED = {name.encode(): name for name in OPERATORS}


@dataclass(slots=True)
class _Graph:
    """The facts about a graph that later checks need."""

    path: str
    outer: _Graph | None = None
    literals: dict[str, NDArray[Any]] = field(default_factory=dict)
    made_by: dict[str, tuple[str, list[str]]] = field(default_factory=dict)

    @property
    def depth(self) -> int:
        return 0 if self.outer is None else self.outer.depth + 1

    def literal(self, name: str) -> NDArray[Any] | None:
        found = self.literals.get(name)
        return found if found is not None or self.outer is None else self.outer.literal(name)


@dataclass(slots=True)
class _Node:
    """A node as it is read."""

    place: int
    graph: _Graph
    op: str = ""
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    attributes: list[tuple[int, int]] = field(default_factory=list)

    @property
    def path(self) -> str:
        kind = f" ({self.op:.40})" if self.op else ""
        return f"Node {self.place}{kind} of {inner(self.graph.path)}"


class Graphs:
    """Checks the graph of a file, and its subgraphs.

    Args:
        reader: Reads the file.
        loop: Whether a loop is allowed.
    """

    def __init__(self, reader: Reader, *, loop: bool) -> None:
        self.reader, self.loop = reader, loop
        self.loops: list[tuple[_Graph, str]] = []
        self._plain: dict[bytes, str] = {}
        """Names of the attributes that were checked, by their bytes. A file has few different ones."""

    def check(self, start: int, end: int) -> None:
        """Check the outermost graph and all its subgraphs.

        Raises:
            RefusedError: Something in it is not allowed.
        """
        self._graph(start, end, _Graph("The graph"))
        for graph, rounds in self.loops:
            self._rounds(graph, rounds)

    def _graph(self, start: int, end: int, graph: _Graph) -> None:
        reader, names = self.reader, {5: set[str](), 11: set[str]()}
        # Count first, and no further than matters, so that a file of a million parts costs no more than finding some places.
        most = reader.limits.nodes + reader.limits.values + _FEW
        found = reader.fields(start, end, GRAPH, graph.path, most)
        nodes = [(a, b) for number, _, a, b in found if number == 1]
        reader.count_nodes(len(nodes))
        reader.count_values(sum([number not in _NO_VALUES for number, *_ in found]))
        for number, _, a, b in found:
            if number == 1:
                continue
            if number in _NO_VALUES:
                reader.text(a, b, "text", graph.path)
            else:
                name = self._stored(a, b, graph) if number == 5 else value(reader, a, b, graph.path)
                if name in names.get(number, ()):
                    raise refusal(f"the {'initialiser' if number == 5 else 'input'} {name!r:.60} twice", graph.path)
                names.get(number, set()).add(name)
        for place, (a, b) in enumerate(nodes):
            self._node(a, b, graph, place)

    def _stored(self, start: int, end: int, graph: _Graph) -> str:
        name, literal = tensor(self.reader, start, end, "The initialiser")
        if literal is not None:
            graph.literals[name] = literal
        return name

    def _node(self, start: int, end: int, graph: _Graph, place: int) -> None:
        node = self._quickly(start, end, graph, place) or self._read(start, end, _Node(place, graph))
        for name in node.outputs:
            graph.made_by[name] = node.op, node.inputs
        if node.op not in OPERATORS:
            self._control(node, graph)
        if node.attributes:
            named: set[str] = set()
            for a, b in node.attributes:
                name = self._attribute(a, b, graph, node)
                if name in named:
                    raise refusal(f"the attribute {name!r:.40} twice", node.path)
                named.add(name)
        if node.op in _COUNTED:
            self._sizes(node, graph)

    def _quickly(self, start: int, end: int, graph: _Graph, place: int) -> _Node | None:
        """A node of inputs, outputs, attributes and a listed operator, as nearly all are; None for all others, wrong ones too.

        It takes a third of the time of `_read`, which names the faults.
        """
        data, at, op = self.reader.data, start, ""
        inputs: list[str] = []
        outputs: list[str] = []
        attributes: list[tuple[int, int]] = []
        try:
            while at < end:
                tag, value = data[at], at + 2
                length = data[at + 1]
                at = value + length
                if length > _SHORT or at > end:
                    return None
                if tag == _INPUT:
                    inputs.append(data[value:at].decode())
                elif tag == _OUTPUT:
                    outputs.append(data[value:at].decode())
                elif tag == _ATTRIBUTE:
                    attributes.append((value, at))
                elif tag == _OPERATOR and not op:
                    op = _NAMED[data[value:at]]
                else:
                    return None
        except (IndexError, KeyError, UnicodeDecodeError):
            return None
        return _Node(place, graph, op, inputs, outputs, attributes)

    def _read(self, start: int, end: int, node: _Node) -> _Node:
        data = self.reader.data
        op = ""
        for number, _, a, b in self.reader.fields(start, end, NODE, node.path):
            match number:
                case 1:
                    node.inputs.append(self._name(a, b, node))
                case 2:
                    node.outputs.append(self._name(a, b, node))
                case 4:
                    op = data[a:b].decode("utf-8", "replace")
                case 3 | 6:
                    self._name(a, b, node)
                case 5:
                    node.attributes.append((a, b))
                case 7 if data[a:b] not in (b"", b"ai.onnx"):
                    domain = self.reader.text(a, b, "a domain", node.path)
                    raise refusal(f"the domain {domain!r:.60}; only ai.onnx is allowed", node.path)
                case _:
                    pass
        node.op = op
        return node

    def _name(self, start: int, end: int, node: _Node) -> str:
        try:
            return self.reader.data[start:end].decode()
        except UnicodeDecodeError:
            raise refusal("a name that is not UTF-8", node.path) from None

    def _control(self, node: _Node, graph: _Graph) -> None:
        if node.op not in CONTROL:
            raise refusal(f"an operator, {node.op!r:.40}, that is not on the list in docs/artefact.md", node.path)
        if not self.loop:
            raise refusal("control flow, which only a file of the form 'loop' may have", node.path)
        if node.op == "If":
            if graph.depth != 1:
                raise refusal("a choice outside the loop's body; only the body may hold one", node.path)
        elif self.loops or graph.depth:
            raise refusal("a second loop; a file of the form 'loop' has one, in its outermost graph", node.path)
        elif not node.inputs or not node.inputs[0]:
            raise refusal("no bound on its rounds", node.path)
        else:
            self.loops.append((graph, node.inputs[0]))

    def _attribute(self, start: int, end: int, graph: _Graph, node: _Node) -> str:
        if end - start > _SHORT:
            return self._read_attribute(start, end, graph, node)[0]
        data = self.reader.data[start:end]
        name = self._plain.get(data)
        if name is None:
            name, plain = self._read_attribute(start, end, graph, node)
            if plain:
                self._plain[data] = name
        return name

    def _read_attribute(self, start: int, end: int, graph: _Graph, node: _Node) -> tuple[str, bool]:
        """The name of an attribute, and whether it has no tensor and no graph."""
        name, graphs, plain = "", [], True
        for number, _, a, b in self.reader.fields(start, end, ATTRIBUTE, node.path):
            if number == 1:
                name = self.reader.text(a, b, "a name", node.path)
            elif number == 4:
                self.reader.text(a, b, "text", node.path)
            elif number == 5:
                plain = False
                _, literal = tensor(self.reader, a, b, f"The constant of {inner(node.path)}")
                if literal is not None:
                    graph.literals |= dict.fromkeys(node.outputs, literal)
            elif number == 6:
                graphs.append((a, b))
        if graphs and node.op not in CONTROL:
            raise refusal("a graph of its own, which only a loop and its choice may have", node.path)
        for a, b in graphs:
            self._graph(a, b, _Graph(f"The {name:.40} of {inner(node.path)}", outer=graph))
        return name, plain and not graphs

    def _sizes(self, node: _Node, graph: _Graph) -> None:
        """Refuse literal sizes that give too many elements."""
        most = self.reader.limits.elements
        for name in node.inputs:
            numbers = graph.literal(name)
            if numbers is None:
                continue
            sizes = [abs(int(n)) for n in numbers if n]
            worst = math.prod(sizes) if node.op in SIZED else max(sizes, default=0)
            if worst > most:
                raise refusal(f"a size of {worst:,} elements; at most {most:,} are accepted", node.path)

    def _rounds(self, graph: _Graph, name: str) -> None:
        """Refuse a loop unless the host sets its rounds, within the limit."""
        todo, seen, most = [name], {_STEPS}, self.reader.limits.rounds
        while todo:
            one = todo.pop()
            if one in seen:
                continue
            seen.add(one)
            literal = graph.literal(one)
            if literal is None:
                op, inputs = graph.made_by.get(one, ("", []))
                if op not in _PASSING:
                    raise refusal(f"a loop whose rounds do not follow from the input {_STEPS!r}", graph.path)
                todo += {"Where": inputs[1:], "Max": inputs, "Min": inputs}.get(op, inputs[:1])
            elif literal.max(initial=0) > most:
                rounds = int(literal.max())
                raise refusal(f"a loop of {rounds:,} rounds; at most {most:,} are accepted", graph.path)
