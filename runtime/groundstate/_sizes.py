"""Files for problems of any size: derives axis lengths from a problem's inputs."""

from __future__ import annotations

import math
from collections.abc import Mapping

from groundstate._arguments import misshapen
from groundstate._errors import Fault, RequestError
from groundstate._header import Header


def header_at(header: Header, shapes: Mapping[str, tuple[int, ...]]) -> Header:
    """The header at the sizes of a problem: every length is a number.

    Args:
        header: The header of a file for any size.
        shapes: The shape of each input without the batch axis.

    Raises:
        RequestError: If shapes do not fit together, a size is 0 or breaks a condition, or the problem is too large. A fault's
            place is an input's name.
    """
    _refuse([fault for name, spec in header.inputs.items() for fault in misshapen(name, shapes[name], spec)])
    sizes = {size: shapes[name][axis] for size, (name, axis) in header.sizes.items()}
    empty = [size for size, length in sizes.items() if not length]
    _refuse([Fault(header.sizes[size][0], f"Here {size} is 0; it must be at least 1.") for size in empty])
    broken = [one for one in header.conditions if not one.holds(sizes[one.size])]
    _refuse([Fault(header.sizes[one.size][0], f"The size {one.text}; it is {sizes[one.size]}.") for one in broken])
    found = header.at(sizes)
    apart = [name for name, spec in found.inputs.items() if shapes[name] != spec.shape]
    _refuse([_apart(header, name, shapes[name], sizes) for name in apart])
    # The file states what a step takes; what goes in and out is counted, too.
    tensors = [shape for group in (found.graph_inputs, found.graph_outputs) for _, shape in group.values()]
    passed = max(math.prod(n for n in shape if isinstance(n, int)) for shape in tensors)
    if (largest := max(found.largest, passed)) > header.limits["elements"]:
        text = ", ".join(f"{size} {length}" for size, length in sizes.items())
        limit = f"at most {header.limits['elements']} are allowed"
        _refuse([Fault("", f"At this size ({text}) a step takes tensors of {largest} elements; {limit}.")])
    return found


def _apart(header: Header, name: str, shape: tuple[int, ...], sizes: Mapping[str, int]) -> Fault:
    spec = header.inputs[name]
    known = " and ".join(f"{size} is {sizes[size]} in {header.sizes[size][0]!r}" for size in spec.sizes)
    return Fault(name, f"This has shape {shape}; it must be {spec.text}, where {known}.")


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise RequestError(faults)
