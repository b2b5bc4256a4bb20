"""Draw a digit as lines of text, or as an SVG picture: what was given in black, what was filled in in colour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SHADES = " .·:░▒▒▓▓█"
"""From paper to ink: ten levels, without the characters that the command line takes for rulers of a board."""
CELL = 8
_MARGIN = 4
_STYLE = (
    ".digit .paper{fill:#f6f4ee}.digit .known{fill:#1f2430}.digit .filled{fill:#2563eb}.digit .open{fill:#e4dfd2}"
    ".digit rect{shape-rendering:crispEdges}"
)

Picture = NDArray[np.float64]


def picture_text(known: Picture, given: NDArray[np.bool_], whole: Picture | None) -> str:
    """The known pixels, or the whole picture, as lines of text; ``?`` is a missing pixel."""
    lines = []
    for row, have, full in zip(known, given, known if whole is None else whole, strict=True):
        shown = [
            "?" if whole is None and not sure else SHADES[round(9 * min(max(float(level), 0.0), 1.0))]
            for level, sure in zip(full if whole is not None else row, have, strict=True)
        ]
        lines.append("".join(2 * one for one in shown).rstrip())
    return "\n".join(lines)


def picture_svg(known: Picture, given: NDArray[np.bool_], whole: Picture | None) -> str:
    """The known pixels, or the whole picture, as the text of an SVG file."""
    side = len(known)
    size = side * CELL + 2 * _MARGIN
    parts = []
    for r in range(side):
        for c in range(side):
            level = known[r, c] if given[r, c] or whole is None else whole[r, c]
            place = f'x="{_MARGIN + c * CELL}" y="{_MARGIN + r * CELL}" width="{CELL}" height="{CELL}"'
            if not given[r, c] and whole is None:
                parts.append(f'<rect class="open" {place}/>')
            elif level >= 0.02:
                kind = "known" if given[r, c] else "filled"
                parts.append(f'<rect class="{kind}" opacity="{min(level, 1.0):.2f}" {place}/>')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="digit" viewBox="0 0 {size} {size}" width="{size}" height="{size}" '
        f'role="img"><title>A handwritten digit</title><style>{_STYLE}</style>'
        f'<rect class="paper" width="{size}" height="{size}"/>{"".join(parts)}</svg>'
    )
