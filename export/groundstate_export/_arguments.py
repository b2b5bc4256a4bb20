"""The arguments of `export`, as one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from torch import Tensor

from groundstate_export._card import Tool
from groundstate_export._descent.descent import Descent
from groundstate_export._descent.initial import Initial
from groundstate_export._descent.rules.rule import Rule

Form = Literal["unrolled", "loop"]
Precision = Literal["float32", "float16"]
Energy = Callable[..., Tensor | Mapping[str, Tensor]]
Decode = Callable[..., Mapping[str, Tensor]]
Embed = Callable[..., Tensor | Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class Arguments:
    """What the caller gave, with defaults filled in: the energy, and how it is to be descended and exported."""

    energy: Energy
    inputs: dict[str, Tensor]
    state: dict[str, Tensor]
    bare: bool
    rule: Rule
    unroll: int
    initial: dict[str, Initial]
    decode: Decode | None = None
    rules: Decode | None = None
    embed: Embed | None = None
    record: bool = False
    trace_every: int = 1
    tool: Tool = field(default_factory=Tool)
    form: Form = "unrolled"
    fixed_batch: int | None = None
    precision: Precision = "float32"
    tolerance: float = 1e-5
    batches: tuple[int, ...]
    seeds: tuple[int, ...]

    def pack(self, state: Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """The minimised tensors as the caller's functions take them."""
        return state["y"] if self.bare else {name: state[name] for name in self.state}

    @property
    def descent(self) -> Descent:
        """The same in PyTorch."""
        return Descent(self.energy, self.rule, self.inputs, None if self.bare else tuple(self.state))

    @property
    def traced(self) -> range:
        """The steps of a segment before which the energy is reported, and the answer where it is recorded."""
        return range(0, self.unroll, self.trace_every)
