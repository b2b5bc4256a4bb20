"""What travels through the stages of an export."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from torch import Tensor

from groundstate_export.capture import Program, Spec
from groundstate_export.descent import Descent
from groundstate_export.initial import Initial
from groundstate_export.ir import Graph
from groundstate_export.rules import Rule, Slot
from groundstate_export.sizes import Sizes
from groundstate_export.tool import Tool

Form = Literal["unrolled", "loop"]
Precision = Literal["float32", "float16"]
Energy = Callable[..., Tensor | Mapping[str, Tensor]]
Decode = Callable[..., Mapping[str, Tensor]]
Embed = Callable[..., Tensor | Mapping[str, Tensor]]


@dataclass
class Draft:
    """An export in the making: what the caller gave, and what each stage adds to it."""

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
    tool: Tool | None = None
    form: Form = "unrolled"
    fixed_batch: int | None = None
    precision: Precision = "float32"
    tolerance: float = 1e-5
    batches: tuple[int, ...] = (1, 2, 7, 64)
    seeds: tuple[int, ...] = (0, 1)

    kicked: list[int] | None = None
    sizes: Sizes | None = None

    # capture
    slots: dict[str, Slot] = field(default_factory=dict)
    confined: bool = False
    terms: list[str] = field(default_factory=list)
    rule_names: list[str] = field(default_factory=list)
    answers: dict[str, Spec] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    # lower, optimise, join
    graphs: dict[str, Graph] = field(default_factory=dict)
    # unroll
    graph: Graph = field(default_factory=Graph)
    nodes_a_step: int = 0
    hoisted: dict[str, int] = field(default_factory=dict)
    # verify, write
    judge: bytes | None = None
    header: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def pack(self, state: Mapping[str, Tensor]) -> Tensor | dict[str, Tensor]:
        """The minimised tensors as the caller's functions take them."""
        return state["y"] if self.bare else {name: state[name] for name in self.state}

    @property
    def descent(self) -> Descent:
        """The same in PyTorch."""
        return Descent(self.energy, self.rule, self.inputs, None if self.bare else tuple(self.state))

    @property
    def kicks(self) -> list[int]:
        """The steps of a segment that draw noise: those that the rule chooses, or ``kicked`` where that is given."""
        return self.rule.kicks(self.unroll) if self.kicked is None else self.kicked

    @property
    def traced(self) -> range:
        """The steps of a segment before which the energy is told, and the answer where it is recorded."""
        return range(0, self.unroll, self.trace_every)

    def state_specs(self) -> dict[str, Spec]:
        """Everything the descent carries, minimised tensors first."""
        return {name: Spec.of(t) for name, t in self.state.items()} | {
            name: Spec.of(slot.tensor) for name, slot in self.slots.items()
        }

    def starts(self) -> dict[str, Initial]:
        """How each state tensor starts."""
        return self.initial | {name: slot.initial for name, slot in self.slots.items()}
