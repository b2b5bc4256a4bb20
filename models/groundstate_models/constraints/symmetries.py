"""Symmetric colourings: a graph with symmetries is folded, so that a colouring of a part of it is one of the whole.

Let a small group of automorphisms of the graph act on the colours too. A colouring ``c`` with ``c(h(v)) = π_h(c(v))`` for all
``h`` is decided by one node of each orbit; two of them conflict where an image of one is a neighbour of the other. A search over
the folded graph has a fraction of the nodes. M. Vasquez, "New results on the queens_n² graph coloring problem" (2004), found
colourings of queens' graphs with as few colours as a row has nodes in this way. A fold loses colourings that are not symmetric,
so that it proves nothing.

Automorphisms are found by refinement of the nodes' labels after one node is singled out, then another, until all labels differ.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.conflicts import Conflicts, Numbers

DEEPEST = 3
"""Most nodes to single out: graphs that need more have so many automorphisms that others find colourings easily."""

MOST_TRIED, MOST_FOUND = 256, 32
"""Images of singled-out nodes to try, and automorphisms to find."""

MOST_FOLDS = 12

Graph = NDArray[np.bool_]
Labels = NDArray[np.uint64]


@dataclass(frozen=True, eq=False)
class Fold:
    """A folded colouring.

    Attributes:
        conflicts: Of one node of each orbit.
        node: The number of each node's orbit, ``(nodes,)``.
        colour: The colour of each node for a colour of its orbit, ``(nodes, colours)``.
    """

    conflicts: Conflicts
    node: Numbers
    colour: Numbers

    def unfolded(self, chosen: Numbers) -> Numbers:
        """The colours of all nodes, ``(nodes,)``, from those of the orbits."""
        whole: Numbers = self.colour[np.arange(len(self.node)), chosen[self.node]]
        return whole


def folds(graph: Graph, colours: int) -> list[Fold]:
    """Folds of a graph, smallest first; few or none where it has few automorphisms.

    Args:
        graph: Whether two nodes are neighbours, ``(nodes, nodes)``.
        colours: Number of colours, which are all alike.
    """
    found = []
    for group in _groups(automorphisms(graph)):
        for actions in _actions(group, colours):
            fold = _folded(graph, group, actions)
            if fold is not None:
                found.append(fold)
    return sorted(found, key=lambda fold: len(fold.conflicts.open))[:MOST_FOLDS]


# -- automorphisms -----------------------------------------------------------------------------------------------------------


def automorphisms(graph: Graph) -> list[Numbers]:
    """Some automorphisms, each as the images of all nodes, ``(nodes,)``, without the identity."""
    weights = graph.astype(np.uint64)
    first = _refined(weights, np.zeros(len(graph), np.uint64))
    path = [first]
    singled: list[int] = []
    while (node := _shared(path[-1])) is not None:
        if len(singled) == DEEPEST:
            return []
        singled.append(node)
        path.append(_singled(weights, path[-1], node))
    wanted = [np.sort(labels) for labels in path]
    order = np.argsort(path[-1])
    found: list[Numbers] = []
    tried = 0
    stack = [first] if singled else []
    levels = [0] * len(stack)
    while stack and tried < MOST_TRIED and len(found) < MOST_FOUND:
        labels, level = stack.pop(), levels.pop()
        if level == len(singled):
            image = np.empty(len(graph), np.int64)
            image[order] = np.argsort(labels)
            if (image != np.arange(len(graph))).any() and (graph[image][:, image] == graph).all():
                found.append(image)
            continue
        alike = np.flatnonzero(labels == path[level][singled[level]])
        for node in alike[::-1].tolist():
            tried += 1
            refined = _singled(weights, labels, node)
            if (np.sort(refined) == wanted[level + 1]).all():
                stack.append(refined)
                levels.append(level + 1)
    return found


def _shared(labels: Labels) -> int | None:
    """The first node with one of the rarest labels that several have; None if all labels differ."""
    _, first, many = np.unique(labels, return_index=True, return_counts=True)
    several = many > 1
    if not several.any():
        return None
    return int(first[several][many[several].argmin()])


def _singled(weights: Labels, labels: Labels, node: int) -> Labels:
    """Labels after one node got a label of its own."""
    own = labels.copy()
    own[node] = _mixed(own[node : node + 1] + np.uint64(1))[0]
    return _refined(weights, own)


def _refined(weights: Labels, labels: Labels) -> Labels:
    """Give different labels to nodes whose neighbours have different labels, until that tells no more nodes apart."""
    many = 0
    while (now := len(np.unique(labels))) > many:
        many = now
        labels = _mixed(labels * np.uint64(3) + weights @ _mixed(labels))
    return labels


def _mixed(numbers: Labels) -> Labels:
    """The finaliser of SplitMix64 (G. L. Steele, D. Lea and C. H. Flood, 2014)."""
    numbers = numbers + np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


# -- groups and their actions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Group:
    """A small group: the images of all nodes by each element, the identity first; and its structure.

    Attributes:
        kind: ``"cyclic"``, with the powers of one element; or ``"four"``: two commuting involutions, their product.
    """

    elements: list[Numbers]
    kind: str


def _groups(known: Sequence[Numbers]) -> Iterator[_Group]:
    """Groups of four commuting elements, and cyclic ones of up to four."""
    if not known:
        return
    identity = np.arange(len(known[0]))
    involutions = []
    seen: set[bytes] = set()
    for one in known:
        powers = [identity, one]
        while len(powers) < 5 and (powers[-1] != identity).any():
            powers.append(one[powers[-1]])
        order = len(powers) - 1
        if order > 4 or (powers[-1] != identity).any() or one.tobytes() in seen:
            continue
        seen.update(power.tobytes() for power in powers[1:-1] if order > 2)
        if order == 2:
            involutions.append(one)
        yield _Group(powers[:-1], "cyclic")
    done: set[frozenset[bytes]] = set()
    for one, other in combinations(involutions, 2):
        both = one[other]
        key = frozenset(each.tobytes() for each in (one, other, both))
        if (both == other[one]).all() and (both != identity).any() and key not in done:
            done.add(key)
            yield _Group([identity, one, other, both], "four")


def _actions(group: _Group, colours: int) -> Iterator[list[Numbers]]:
    """Actions of a group on the colours, each as the images of all colours by each element of the group.

    As many colours as possible are moved by all elements; two or one more in every further action stay in their places, or
    are exchanged by some elements.
    """
    order = len(group.elements)
    for left in (colours % order, colours % order + order):
        if left > colours or (order > 2 and left > order):
            continue
        own = np.arange(colours - left)
        block, place = own // order * order, own % order
        # One pair of the rest may be exchanged by half of the elements, which is a choice of the half.
        for half in _halves(group) if left > 1 else [[0] * order]:
            images = []
            for number in range(order):
                image = np.arange(colours)
                image[: len(own)] = block + ((place + number) % order if group.kind == "cyclic" else place ^ number)
                if half[number]:
                    image[len(own) : len(own) + 2] = image[len(own) : len(own) + 2][::-1].copy()
                images.append(image)
            yield images


def _halves(group: _Group) -> list[list[int]]:
    """Whether each element exchanges a pair of colours: never, and by each homomorphism onto two elements."""
    if group.kind == "four":
        return [[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    order = len(group.elements)
    return [[0] * order, [0, 1] * (order // 2)] if order == 4 else [[0] * order]


def _folded(graph: Graph, group: _Group, actions: Sequence[Numbers]) -> Fold | None:
    """The folded colouring; None if some node has no colour."""
    images, moved = np.stack(group.elements), np.stack(actions)
    colours, nodes = moved.shape[1], len(graph)
    first = images.min(0)
    chief, node = np.unique(first, return_inverse=True)
    # An element of the group that leads from the first node of an orbit to each node.
    by = (images[:, first] == np.arange(nodes)).argmax(0)
    open_ = np.ones((len(chief), colours), np.bool_)
    pairs = [np.zeros((2, 0), np.int64)]
    for image, move in zip(images, moved, strict=True):
        same = move == np.arange(colours)
        stays, meets = image[chief] == chief, graph[chief, image[chief]]
        open_[stays] &= same
        open_[meets] &= ~same
        one, other = np.nonzero(graph[np.ix_(chief, image[chief])])
        apart = one != other
        one, other = one[apart, None] * colours + move, other[apart, None] * colours + np.arange(colours)
        pairs.append(np.stack([one.ravel(), other.ravel()]))
    if not open_.any(1).all():
        return None
    one, other = np.concatenate(pairs, 1)
    both = open_.flat[one] & open_.flat[other]
    return Fold(Conflicts.between(open_, one[both], other[both]), node, moved[by])
