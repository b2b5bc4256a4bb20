"""Effect of learning on the energy of constraints: learned against hand-chosen numbers, for each family.

    python -m benchmarks.learning [--settings FILE.json] [--each 24]

Both descend with the same rule and budget on the same problems, which neither was trained or tuned on: the training's
families with another seed. A cell has the share of chains with an answer within 128 and 512 steps, without restarts.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from groundstate_models.constraints import settings
from groundstate_models.constraints.learned import Settings
from groundstate_models.constraints.train import Trials, problems

SEED = 2_000_029
MARKS = (128, 512)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", type=Path, default=settings(), help="default: those of the bundled file")
    parser.add_argument("--each", type=int, default=24, help="problems of each family (default: %(default)s)")
    parser.add_argument("--chains", type=int, default=4, help="on each problem (default: %(default)s)")
    given = parser.parse_args()
    trials = Trials(os.cpu_count() or 1)
    both = {"by hand": Settings(), "learned": Settings.read(given.settings)}
    heads = [f"{name}, {mark}" for name in both for mark in MARKS]
    print(f"| family | problems | {' | '.join(heads)} |\n|{'---|' * (2 + len(heads))}")
    for family, some in problems(SEED, given.each, 2_500).items():
        cells = []
        for at in trials.answers(list(both.values()), some, given.chains, SEED):
            cells += [f"{100 * ((at > 0) & (at <= mark)).mean():.0f} %" for mark in MARKS]
        print(f"| {family} | {len(some)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
