"""The descent of the Sudoku energy, compiled: what training runs, thousands of chains at a time, on any machine.

The same updates as `energy.SudokuEnergy` under `learned.Settings.descent` makes, with the gradient written out; the tests hold
the two against each other. A chain is a lane of a vector, so that one instruction moves several. Needs numba (extra
``groundstate[train]``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import torch
from numpy.typing import NDArray

from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.learned import NOISE_EVERY, SEGMENT, TEMPERATURE, Settings

LANES = 64
"""Chains that descend side by side."""

NORMALS = 1 << 14
"""Rows of standard normal numbers that kicks are cut out of, each time at another place."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Boards:
    """Puzzles of one board as compiled code reads them.

    Attributes:
        board: Their board.
        grid: ``(puzzles, n, n)`` int64, 0 for empty.
    """

    board: Board
    grid: Array

    @classmethod
    def of(cls, board: Board, puzzle: Array) -> Boards:
        """From flat puzzles."""
        return cls(board, np.asarray(puzzle).reshape(-1, board.size, board.size).astype(np.int64))

    def __len__(self) -> int:
        return len(self.grid)

    def take(self, places: Array) -> Boards:
        """Some of them."""
        return Boards(self.board, self.grid[places])


@numba.njit(nogil=True, fastmath=True, error_model="numpy")  # type: ignore[untyped-decorator]
def _lanes(
    units: Array,
    bias: Array,
    weight: Array,
    temperature: Array,
    undecided: Array,
    numbers: Array,
    y: Array,
    heat: Array,
    normals: Array,
    places: Array,
    noise_every: int,
    steps: int,
) -> Array:
    """Descend from ``y``, which is changed. Returns the updates after which each lane had an answer, or 0."""
    step_size, momentum, noise, raises, keep, confinement = numbers
    digits, cells, lanes = y.shape
    one, two, four, least = np.float32(1.0), np.float32(2.0), np.float32(4.0), np.float32(-40.0)
    p, velocity = np.zeros_like(y), np.zeros_like(y)
    w, stubborn = np.ones_like(weight), np.ones((cells, lanes), np.float32)
    there, every = np.zeros((weight.shape[1], lanes), np.int64), (1 << digits) - 1
    pull = np.zeros_like(weight)
    whole, average, best = np.zeros(lanes, np.float32), np.zeros(lanes, np.float32), np.zeros(lanes, np.float32)
    found, right, chosen = np.zeros(lanes, np.int64), np.zeros(lanes, np.bool_), np.zeros(lanes, np.int64)
    open_, push = np.zeros((cells, lanes), np.float32), np.zeros(lanes, np.float32)
    for step in range(steps):
        pull[:] = np.float32(0.0)
        for cell in range(cells):
            row, column, box = units[cell]
            whole[:] = np.float32(0.0)
            for digit in range(digits):
                for lane in range(lanes):
                    # The exponential as the 64th power of a short series: within 1e-5, and made for vectors.
                    t = max(y[digit, cell, lane] + bias[digit, cell, lane], least) * np.float32(1 / 64)
                    t = one + t * (one + t * (np.float32(1 / 2) + t * (np.float32(1 / 6) + t * np.float32(1 / 24))))
                    t *= t
                    t *= t
                    t *= t
                    t *= t
                    t *= t
                    t *= t
                    p[digit, cell, lane] = t
                    whole[lane] += t
            for lane in range(lanes):
                whole[lane] = one / whole[lane]
            open_[cell] = one
            for digit in range(digits):
                for lane in range(lanes):
                    p[digit, cell, lane] *= whole[lane]
                    open_[cell, lane] -= p[digit, cell, lane] * p[digit, cell, lane]
                for lane in range(lanes):
                    pull[digit, row, lane] += p[digit, cell, lane]
                for lane in range(lanes):
                    pull[digit, column, lane] += p[digit, cell, lane]
                for lane in range(lanes):
                    pull[digit, box, lane] += p[digit, cell, lane]
        for digit in range(digits):
            for unit in range(pull.shape[1]):
                for lane in range(lanes):
                    h = weight[digit, unit, lane] * (pull[digit, unit, lane] - one)
                    heavy = w[digit, unit, lane]
                    pull[digit, unit, lane] = two * heavy * h * weight[digit, unit, lane]
                    w[digit, unit, lane] = keep * heavy + (one - keep) + raises * abs(h)
        kicked = noise > 0 and step % noise_every == 0 and step % SEGMENT < SEGMENT - noise_every
        look = step % SEGMENT == SEGMENT - 1
        there[:] = 0
        for cell in range(cells):
            row, column, box = units[cell]
            average[:] = np.float32(0.0)
            for lane in range(lanes):
                h = undecided[cell, lane] * open_[cell, lane]
                push[lane] = four * stubborn[cell, lane] * h * undecided[cell, lane]
                grown = (one - keep) + raises * abs(h)
                stubborn[cell, lane] = keep * stubborn[cell, lane] + grown
            for digit in range(digits):
                for lane in range(lanes):
                    # The entropy's slope, but for what is the same for all digits and so drops out.
                    slope = temperature[cell, lane] * (y[digit, cell, lane] + bias[digit, cell, lane])
                    slope += pull[digit, row, lane] + pull[digit, column, lane] + pull[digit, box, lane]
                    slope -= push[lane] * p[digit, cell, lane]
                    average[lane] += p[digit, cell, lane] * slope
            for digit in range(digits):
                for lane in range(lanes):
                    here = y[digit, cell, lane]
                    slope = temperature[cell, lane] * (here + bias[digit, cell, lane])
                    slope += pull[digit, row, lane] + pull[digit, column, lane] + pull[digit, box, lane]
                    slope -= push[lane] * p[digit, cell, lane]
                    gradient = p[digit, cell, lane] * (slope - average[lane]) + confinement * here
                    velocity[digit, cell, lane] = momentum * velocity[digit, cell, lane] - step_size * gradient
                if kicked:
                    place = places[step // noise_every] + digit * cells + cell
                    for lane in range(lanes):
                        velocity[digit, cell, lane] += noise * heat[lane] * normals[place, lane]
                for lane in range(lanes):
                    y[digit, cell, lane] += velocity[digit, cell, lane]
            if look:
                best[:] = np.float32(-1e9)
                for digit in range(digits):
                    for lane in range(lanes):
                        if y[digit, cell, lane] + bias[digit, cell, lane] > best[lane]:
                            best[lane] = y[digit, cell, lane] + bias[digit, cell, lane]
                            chosen[lane] = digit
                for lane in range(lanes):
                    there[row, lane] |= 1 << chosen[lane]
                    there[column, lane] |= 1 << chosen[lane]
                    there[box, lane] |= 1 << chosen[lane]
        if look:
            waiting = 0
            right[:] = True
            for unit in range(there.shape[0]):
                for lane in range(lanes):
                    right[lane] &= there[unit, lane] == every
            for lane in range(lanes):
                if right[lane] and found[lane] == 0:
                    found[lane] = step + 1
                waiting += found[lane] == 0
            if waiting == 0:
                break
    return found


def descend(boards: Boards, settings: Settings, rows: Array, *, steps: int, seed: int) -> Array:
    """Descend, one chain for each of ``rows``.

    Args:
        boards: The puzzles.
        settings: Of the energy, the rule and the start.
        rows: Which puzzle each chain descends on, ``(chains,)``; the same may come again.
        steps: Updates that each chain may make.
        seed: Decides starts, temperatures and noise.

    Returns:
        The updates after which each chain had a board that breaks no rule, 0 for none, ``(chains,)``.
    """
    energy, rule = SudokuEnergy(boards.board, settings.energy), settings.rule
    with torch.no_grad():
        shaped = [part.numpy() for part in energy.shaped(torch.from_numpy(boards.grid))]
        confinement = float(energy.log_confinement.exp())
    numbers = tuple(
        np.float32(number)
        for number in (*(rule[name] for name in ("step_size", "momentum", "noise", "raises", "keep")), confinement)
    )
    units = np.nonzero(energy.units.numpy())[1].reshape(-1, 3)
    draw = np.random.default_rng(seed)
    normals = draw.standard_normal((NORMALS, LANES), dtype=np.float32)
    found = []
    for first in range(0, len(rows), LANES):
        mine = np.resize(rows[first : first + LANES], LANES)
        bias, weight, temperature, undecided = (np.ascontiguousarray(np.moveaxis(part[mine], 0, -1)) for part in shaped)
        y = np.float32(settings.start) * draw.standard_normal(bias.shape, dtype=np.float32)
        heat = draw.uniform(*TEMPERATURE, LANES).astype(np.float32)
        places = draw.integers(NORMALS - bias[..., 0].size, size=steps // NOISE_EVERY + 1)
        found.append(
            _lanes(
                units,
                bias,
                weight,
                temperature,
                undecided,
                numbers,
                y,
                heat,
                normals,
                places,
                NOISE_EVERY,
                steps,
            )
        )
    return np.concatenate(found)[: len(rows)]
