"""Satisfiable uniform random 3-SAT: redrawn until satisfiable by a SAT solver (python-sat), as SATLIB's uf20 and uf50 were.

Nothing is planted, and a complete solver decides, so that easy formulas are not favoured (H. Hoos and T. Stützle, "SATLIB",
2000).
"""

from __future__ import annotations

import numpy as np
from pysat.solvers import Glucose4

from groundstate_models.constraints.families.logic import Clause, random_clauses


def uniform_clauses(n: int, count: int, rng: np.random.Generator) -> list[Clause]:
    """A satisfiable formula of n variables and ``count`` clauses of three."""
    while True:
        clauses = random_clauses(n, count, 3, rng)
        with Glucose4(bootstrap_with=clauses) as solver:
            if solver.solve():
                return clauses
