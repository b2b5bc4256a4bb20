"""Memory: reads, writes in place and views, in a graph without memory.

A view records the tensor that it views. A write to a view makes a new tensor, and from it new tensors up to the owner of the
memory; every other view of that memory is read again at its next use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from groundstate_export._errors import UnsupportedOperator
from groundstate_export._ir.program import Instruction, Program, Ref
from groundstate_export._lower.operands import Call

Lower = Callable[[Instruction, list[Any], dict[str, Any]], Any]
"""Lowers an operator whose arguments are resolved."""

Overwrite = Callable[[Instruction, list[Any], dict[str, Any], Any], Any]
"""Computes the first argument of a view after the view is overwritten."""


class Memory:
    """The results of a program's instructions, by position."""

    def __init__(self, call: Lower, write: Overwrite, program: Program) -> None:
        self._call, self._write = call, write
        self.program = program
        self._entries: dict[int, Any] = {}
        self._same: dict[int, int] = {}
        self._viewed: dict[int, int] = {}
        self._views: dict[int, set[int]] = {}
        self._stale: set[int] = set()

    def define(self, index: int, entry: Any) -> None:
        """Set the result of an instruction."""
        self._entries[index] = entry

    def read(self, index: int) -> Any:
        """The result of an instruction after all writes so far."""
        index = self._same.get(index, index)
        if index in self._stale:
            self._stale.discard(index)
            self._entries[index] = self._run(self.program.body[index])
        return self._entries[index]

    def execute(self, index: int, instruction: Instruction) -> None:
        """Lower an instruction."""
        if instruction.in_place:
            self._overwrite(index, instruction)
            return
        viewed = self._source(instruction)
        if viewed is not None:
            self._viewed[index] = viewed
            self._views.setdefault(self._owner(index), set()).add(index)
        self._entries[index] = self._run(instruction)

    def _run(self, instruction: Instruction) -> Any:
        args = [self._resolve(a) for a in instruction.args]
        kwargs = {k: self._resolve(v) for k, v in instruction.kwargs.items()}
        return self._call(instruction, args, kwargs)

    def _resolve(self, argument: Any) -> Any:
        if isinstance(argument, Ref):
            return self.read(argument.index)
        return [self._resolve(a) for a in argument] if isinstance(argument, tuple) else argument

    def _source(self, instruction: Instruction) -> int | None:
        """The tensor that an instruction views (its first); None if its result has memory of its own."""
        item = getattr(instruction.target, "__name__", "") == "getitem"
        if not instruction.is_view and not item:
            return None
        if not isinstance(instruction.args[0], Ref):
            return None
        index = self._first(instruction)
        if item and index not in self._viewed:
            return None
        return index

    def _first(self, instruction: Instruction) -> int:
        index: int = instruction.args[0].index
        return self._same.get(index, index)

    def _owner(self, index: int) -> int:
        while index in self._viewed:
            index = self._viewed[index]
        return index

    def _overwrite(self, index: int, instruction: Instruction) -> None:
        if instruction.written != (0,) or not isinstance(instruction.args[0], Ref):
            raise self._refuse(instruction, "it writes into one of its arguments; let it return a new tensor.")
        changed = self._first(instruction)
        owner = self._owner(changed)
        if owner in self.program.placeholders:
            raise self._refuse(
                instruction,
                "it changes an input of the energy, or the state, in place; write `x = x * 2` instead of `x *= 2`.",
            )
        if owner in self.program.constants:
            raise self._refuse(
                instruction,
                "it changes a tensor that outlives the call, such as a buffer; an exported energy keeps nothing between calls.",
            )
        new = self._run(instruction)
        self._same[index] = changed
        self._stale |= self._views.get(owner, set())
        self._set(changed, new)

    def _set(self, index: int, new: Any) -> None:
        """Set a tensor's value after a write, and update every tensor that it views."""
        self._entries[index] = new
        self._stale.discard(index)
        if index not in self._viewed:
            return
        source, instruction, item = self._viewed[index], self.program.body[index], {}
        if getattr(instruction.target, "__name__", "") == "getitem":  # one of the views of a split or an unbind
            item = {"item": instruction.args[1]}
            self._stale.add(source)
            source, instruction = self._viewed[source], self.program.body[source]
        before = self._entries[
            source
        ]  # stale or not, it has the value of its last write or read, which precedes this write
        args = [before, *(self._resolve(a) for a in instruction.args[1:])]
        kwargs = {k: self._resolve(v) for k, v in instruction.kwargs.items()} | item
        self._set(source, self._write(instruction, args, kwargs, new))

    def _refuse(self, instruction: Instruction, reason: str) -> UnsupportedOperator:
        return UnsupportedOperator(Call(instruction, [], {}).qualified, reason)
