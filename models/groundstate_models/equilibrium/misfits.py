"""What is wrong with a structure as a whole: members without a length, parts that overlap, too many of them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from groundstate_models.equilibrium.contacts import overlap
from groundstate_models.equilibrium.structure import Structure

MOST_NODES = 300


def misfits(s: Structure) -> Iterator[tuple[str, str]]:
    """Places in the request, and what is wrong there with the structure as a whole, once its parts have been read."""
    if not s.nodes and not s.blocks:
        yield "", "Nothing is asked for: name nodes and members, blocks, or a preset."
    if len(s.nodes) + len(s.blocks) > MOST_NODES:
        yield "nodes", f"There are {len(s.nodes) + len(s.blocks)} nodes and blocks; there may be {MOST_NODES}."
    for m in s.members:
        a, b = s.nodes.get(m.a), s.nodes.get(m.b)
        if a is None or b is None:
            continue
        drawn = a.at is not None and b.at is not None
        if s.drawn and not drawn:
            lacking = m.a if a.at is None else m.b
            yield m.path, f"{lacking} has no place, and the structure is to stay as drawn; give its place."
        elif s.drawn and drawn and a.at is not None and b.at is not None and math.dist(a.at, b.at) == 0:
            yield m.path, f"{m.a} and {m.b} are at one place, so {m.name} has length 0."
        elif m.length is None and not drawn and m.kind not in {"spring", "link"}:
            yield m.path, f"The {m.kind} {m.name} has no length, and its ends have no places; give one of them."
        elif m.kind in {"rod", "cable", "strut"} and s.rest(m) == 0:
            yield m.path, f"The {m.kind} {m.name} has length 0."
        elif m.kind == "spring" and drawn and s.rest(m) == 0:
            yield m.path, f"The spring {m.name} has length 0: its ends are drawn at one place. Give its length."
    blocks = list(s.blocks.values())
    size = s.length
    for k, one in enumerate(blocks):
        for other in blocks[k + 1 :]:
            if overlap(one, other, 1e-6 * size):
                yield other.path, f"The blocks {one.name} and {other.name} overlap."
    fixed = [n for n in s.nodes.values() if n.held and n.radius > 0 and n.at]
    for k, left in enumerate(fixed):
        for right in fixed[k + 1 :]:
            if left.at and right.at and math.dist(left.at, right.at) < left.radius + right.radius:
                yield right.path, f"The fixed discs {left.name} and {right.name} overlap."
