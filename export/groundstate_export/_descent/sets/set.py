"""The base class of sets."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from torch import Tensor, nn


class Set(nn.Module, ABC):
    """A set to which a rule confines a tensor."""

    @abstractmethod
    def forward(self, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        """The nearest point of the set, in the shape of ``y``; NaN where ``y`` is NaN. The inputs are the energy's."""
