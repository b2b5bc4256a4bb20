"""Constraints as people and language models write them: ``"a != b"``, ``"2*x + y <= 7"``, ``"if a == 1 then b == 2"``.

A text becomes the typed constraint that it means, as JSON that `language.read` reads; names are looked up in the variables and
values of the request, so that names with spaces need no quotes. What could mean two things is refused and not guessed.

==============================  ====================================================================================
``a != b``, ``a == b``          two variables differ, or are equal; ``=`` and ``is`` mean ``==``
``a == red``, ``x in {1, 2}``   a variable has a value, or one of several; ``x in 1..5``; ``not in``
``2*x + y <= 7``                sums of numbers: ``<= < >= > == !=``; ``1 <= x + y <= 5``; ``abs(x - y) >= 2``
``all different: a, b, c``      also ``all different: a+1, b+2``; ``all equal: a, b, c``
``at most 2 of a, b, c are 1``  also ``at least``, ``exactly``, ``between 1 and 3``; or ``exactly 1 of a == 1, b > 2``
``if A then B``, ``A -> B``     where A holds, B does; ``A <-> B``; ``A or B``; ``A and B``; ``not A``
``a before b``                  ``a < b``; ``a 2 before b``: ``a + 2 <= b``
``(a, b) in {(1, 2), (2, 1)}``  together they have one of some tuples
``no overlap: a for 3, b for 2``  intervals that start at variables and last so long
``3*(a == red) + (b == 2) <= 4``  a condition about one variable counts as 1 or 0 in a sum
==============================  ====================================================================================
"""

from __future__ import annotations

from groundstate_models.constraints.notation.conditions import objective, read
from groundstate_models.constraints.notation.words import Names, NotationError

__all__ = ["Names", "NotationError", "objective", "read"]
