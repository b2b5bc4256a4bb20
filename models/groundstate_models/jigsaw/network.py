"""The edge network: how likely two sides belong together, from the pixels on both sides of the seam.

It starts as the hand-made compatibility (strips.mismatch) and learns a correction. The same weights run here, in
PyTorch, to be
trained, and in `seams`, in numpy, to be used.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from groundstate_models.jigsaw.features import CHANNELS, SCALARS
from groundstate_models.jigsaw.strips import DEEP

WIDTH = 64
HEAD = 48
DEEP_WIDTH = 16
DEEP_HEAD = 24


class SeamNetwork(nn.Module):
    """Log-odds of a seam, (pairs,). 0 stands for "no neighbour among these".

    Its inputs are those of `features.features`: (pairs, CHANNELS, length), (pairs, 2, 2 DEEP), (pairs, SCALARS).
    """

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(CHANNELS, WIDTH, 3, padding=1)
        self.second = nn.Conv1d(WIDTH, WIDTH, 5, padding=2)
        self.third = nn.Conv1d(WIDTH, WIDTH, 5, padding=2)
        self.across = nn.Conv1d(2, DEEP_WIDTH, 9, padding=4)
        self.lines = nn.Linear(2 * DEEP * DEEP_WIDTH, DEEP_HEAD)
        self.mix = nn.Linear(2 * WIDTH + SCALARS + DEEP_HEAD, HEAD)
        self.out = nn.Linear(HEAD, 1)
        self.known = nn.Linear(SCALARS, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        with torch.no_grad():
            self.known.weight.zero_()
            self.known.weight[0, :3] = torch.tensor([-1.5, -1.5, -2.0])
            self.known.bias.fill_(3.0)

    def forward(self, along: Tensor, across: Tensor, whole: Tensor) -> Tensor:
        hidden = torch.relu(self.first(along))
        hidden = hidden + torch.relu(self.second(hidden))
        hidden = hidden + torch.relu(self.third(hidden))
        lines = torch.relu(self.lines(torch.relu(self.across(across)).flatten(1)))
        pooled = torch.cat([hidden.mean(dim=2), hidden.amax(dim=2), whole, lines], dim=1)
        added = self.out(torch.relu(self.mix(pooled)))
        known: Tensor = self.known(whole) + added
        return known.squeeze(1)
