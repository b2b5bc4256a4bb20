"""Check the arguments of `export` before anything runs."""

from __future__ import annotations

import inspect
import keyword
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_export._arguments import Arguments
from groundstate_export._card import Accept, Card
from groundstate_export._descent.initial import Decoded
from groundstate_export._descent.rules.rule import Rule
from groundstate_export._errors import BadArgument
from groundstate_export._ir.dtypes import NUMPY

_RESERVED = {"step_scale", "energy", "terms", "residual", "trace", "violations", "excess"}
_LONGEST = 4096
"""The maximum number of steps in a segment. A longer one is a graph of millions of nodes; hosts run several segments."""


_QUANTISED = ("torch.ao.nn.quantized", "torch.ao.nn.intrinsic.quantized", "torch.nn.quantized")


def check_path(path: object) -> Path:
    """The path of the file to write; the file need not exist.

    Raises:
        BadArgument: Its name does not end in ``.onnx``, or its folder cannot be written.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise BadArgument(f"path is {_kind(path)}; it must be the path of the file to write.")
    target = Path(path)
    if target.is_dir():
        raise BadArgument(
            f"path is {str(target)!r}, a folder; name a file in it, such as {str(target / 'energy.onnx')!r}."
        )
    if target.suffix != ".onnx":
        raise BadArgument(f"path is {str(target)!r}; its name must end in .onnx.")
    if not target.parent.is_dir():
        raise BadArgument(f"The folder of {str(target)!r} does not exist.")
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}."):
            pass
    except OSError as error:
        raise BadArgument(f"The folder of {str(target)!r} is not writable: {error.strerror or error}.") from None
    return target


def examples(what: str, tensors: Any) -> dict[str, Tensor]:
    """Copies of named example tensors, contiguous and without gradients.

    Args:
        what: The name of the mapping in messages: ``inputs`` or ``state``.
        tensors: The caller's argument.

    Raises:
        BadArgument: It is not a mapping of names to dense CPU tensors.
    """
    if not isinstance(tensors, Mapping):
        raise BadArgument(f"{what} is {_kind(tensors)}; it must be a dict of tensors by name.")
    for name, tensor in tensors.items():
        place = f"{what}[{name!r}]"
        if not isinstance(tensor, Tensor):
            raise BadArgument(f"{place} is {_kind(tensor)}; it must be a torch.Tensor.{_instead(what, name, tensor)}")
        if tensor.layout != torch.strided:
            raise BadArgument(f"{place} is {tensor.layout}; it must be dense: call `.to_dense()`.")
        if tensor.is_meta:
            raise BadArgument(f"{place} is on the device 'meta' and holds no values; create it on the CPU.")
        if tensor.device.type != "cpu":
            raise BadArgument(f"{place} is on {tensor.device}; move it with `.cpu()`. The file is verified on the CPU.")
    return {name: t.detach().clone(memory_format=torch.contiguous_format) for name, t in tensors.items()}


def _instead(what: str, name: object, value: Any) -> str:
    """What to do with a value that is no tensor."""
    if isinstance(value, np.ndarray):
        return " Convert it with `torch.from_numpy`."
    if what == "inputs" and (value is None or isinstance(value, (str, bool, int, float))):
        bound = f"`functools.partial(energy, {name}={value!r})`"
        return f" Inputs differ from request to request; constants belong to the energy: {bound}."
    return ""


def check_arguments(arguments: Arguments) -> None:
    """Check everything about the arguments that does not require running the energy.

    Raises:
        BadArgument: An argument has the wrong type, name, dtype, shape or device.
    """
    _callables(arguments)
    for name in ("energy", "decode", "checks", "encode_answer"):
        _wrapped(name, getattr(arguments, name))
    _mapped(arguments)
    _numbers(arguments)
    _examples(arguments)
    _weights(arguments)
    _signature("energy", arguments.energy, arguments.inputs, arguments.rule.keywords(arguments.state, last=True))
    for name in ("decode", "checks", "encode_answer"):
        if (function := getattr(arguments, name)) is not None:
            _signature(name, function, arguments.inputs)


def _kind(value: object) -> str:
    shown = " ".join(repr(value).split())[:60]
    return f"the class {value.__name__}" if isinstance(value, type) else f"{type(value).__name__} ({shown})"


def _callables(arguments: Arguments) -> None:
    if not callable(arguments.energy) or isinstance(arguments.energy, type):
        raise BadArgument(
            f"energy is {_kind(arguments.energy)}; it must be a module or a function `energy(state, **inputs)`."
        )
    if not isinstance(arguments.rule, Rule):
        raise BadArgument(f"rule is {_kind(arguments.rule)}; it must be a Rule, such as GradientDescent(0.1).")
    for name in ("decode", "checks", "encode_answer"):
        function = getattr(arguments, name)
        if function is not None and not callable(function):
            raise BadArgument(f"{name} is {_kind(function)}; it must be a function.")
    if arguments.accept is not None and not isinstance(arguments.accept, Accept):
        raise BadArgument(
            f"accept is {_kind(arguments.accept)}; it must be an Accept, such as Accept('all', polish=2)."
        )
    if not isinstance(arguments.card, Card):
        raise BadArgument(f"card is {_kind(arguments.card)}; it must be a Card.")


def _wrapped(what: str, function: Any) -> None:
    """Refuse wrappers that hide a module's contents: TorchScript, torch.compile, DataParallel."""
    if isinstance(function, (torch.jit.ScriptModule, torch.jit.ScriptFunction)):
        raise BadArgument(f"{what} is TorchScript, which cannot be captured; pass the original module or function.")
    if hasattr(function, "_torchdynamo_orig_callable") and not isinstance(function, nn.Module):
        raise BadArgument(f"{what} was compiled by torch.compile; pass the original function.")
    for module in (inner for outer in modules_of(function) for inner in outer.modules()):
        if isinstance(module, torch.jit.ScriptModule):
            raise BadArgument(f"{what} contains TorchScript ({type(module).__name__}); pass it the original module.")
        if hasattr(module, "_orig_mod"):
            raise BadArgument(
                f"{what} contains a module compiled by torch.compile; pass the original module, its `._orig_mod`."
            )
        if type(module).__module__.startswith(_QUANTISED):
            raise BadArgument(
                f"{what} contains a quantised module ({type(module).__name__}), which has no gradient; pass the original module, "
                "in floating point."
            )
        if isinstance(module, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            raise BadArgument(f"{what} contains a {type(module).__name__}; pass the module inside it, its `.module`.")


def _mapped(arguments: Arguments) -> None:
    """Refuse a function of one row that `torch.vmap` maps: it maps positional arguments only, and inputs go by keyword."""
    code = getattr(arguments.energy, "__code__", None)
    mapped = code is not None and code.co_name == "wrapped" and Path(code.co_filename).match("torch/_functorch/apis.py")
    if mapped and arguments.inputs:
        names = ", ".join(arguments.inputs)
        raise BadArgument(
            "energy is a `torch.vmap`, which maps arguments by position only, and inputs are passed by name: every row would "
            f"get the whole batch of them. Pass `lambda state, {names}: torch.vmap(row)(state, {names})`."
        )


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _numbers(arguments: Arguments) -> None:
    if not _whole(arguments.unroll) or not 1 <= arguments.unroll <= _LONGEST:
        raise BadArgument(
            f"unroll is {arguments.unroll!r}; it must be a whole number from 1 to {_LONGEST}. For a longer descent, hosts run "
            "several segments."
        )
    _trace_every(arguments)
    for name, low in (("batches", 1), ("seeds", 0)):
        numbers = getattr(arguments, name)
        if not numbers or not all(_whole(n) and n >= low for n in numbers):
            raise BadArgument(
                f"{name} is {numbers!r}; it must contain at least one whole number of {low} or more. Otherwise nothing is "
                "verified."
            )
    if (
        isinstance(arguments.tolerance, bool)
        or not isinstance(arguments.tolerance, (int, float))
        or not 0 < arguments.tolerance < 1
    ):
        raise BadArgument(f"tolerance is {arguments.tolerance!r}; it must be a relative error between 0 and 1.")


def _trace_every(arguments: Arguments) -> None:
    if not _whole(arguments.trace_every) or not 1 <= arguments.trace_every <= arguments.unroll:
        raise BadArgument(
            f"trace_every is {arguments.trace_every!r}; it must be a whole number from 1 to unroll, which is "
            f"{arguments.unroll}."
        )
    if arguments.form == "loop" and arguments.trace_every > 1:
        raise BadArgument(
            f"trace_every is {arguments.trace_every}, but each round of a loop is the same step and reports its "
            "energy; use the form 'unrolled', or leave trace_every at 1."
        )


def _examples(arguments: Arguments) -> None:
    if not arguments.state:
        raise BadArgument("state is empty; it needs at least one tensor to minimise.")
    _decoded(arguments)
    if arguments.precision == "float16" and arguments.dtype != torch.float32:
        raise BadArgument(
            f"precision is 'float16', and the state is {arguments.dtype}; the state of a float16 file must be float32."
        )
    if unknown := set(arguments.initial) - set(arguments.state):
        raise BadArgument(f"initial names {sorted(unknown)}; the state has {sorted(arguments.state)}.")
    if both := set(arguments.inputs) & set(arguments.state):
        raise BadArgument(f"inputs and state both have {sorted(both)}; each name must be unique.")
    named = {f"inputs[{name!r}]": (name, t) for name, t in arguments.inputs.items()}
    named |= {f"state[{name!r}]": (name, t) for name, t in arguments.state.items()}
    for place, (name, tensor) in named.items():
        _example(place, name, tensor)
    sizes = {place: tensor.shape[0] for place, (_, tensor) in named.items()}
    if len(set(sizes.values())) > 1:
        raise BadArgument(f"All tensors must have the same batch size; these have {sizes}.")
    _states(arguments)


def _states(arguments: Arguments) -> None:
    for name, tensor in arguments.state.items():
        if tensor.dtype not in {torch.float32, torch.float64}:
            raise BadArgument(f"state[{name!r}] is {tensor.dtype}; it must be float32 or float64.")
        if tensor.dtype != arguments.dtype:
            raise BadArgument(
                f"state[{name!r}] is {tensor.dtype}, and another state is {arguments.dtype}; all states must have the same dtype."
            )
        if not bool(torch.isfinite(tensor).all()):
            raise BadArgument(f"state[{name!r}] is not finite; all its numbers must be finite.")


def _decoded(arguments: Arguments) -> None:
    """Check that each answer that a state starts from exists in the stage before, and fits the state."""
    for name, start in arguments.initial.items():
        if not isinstance(start, Decoded) or name not in arguments.state:
            continue
        if start.answer not in arguments.before:
            has = f"that has {sorted(arguments.before)}" if arguments.before else "there is no stage before"
            raise BadArgument(f"initial[{name!r}] is the answer {start.answer!r} of the stage before, but {has}.")
        found, wanted = (tuple(t.shape) for t in (arguments.before[start.answer], arguments.state[name]))
        if found != wanted:
            raise BadArgument(
                f"initial[{name!r}] is the answer {start.answer!r} of the stage before, which is {found}, but the state is "
                f"{wanted}."
            )


def _example(place: str, name: object, tensor: Tensor) -> None:
    if (
        not isinstance(name, str)
        or not name.isidentifier()
        or not name.isascii()
        or keyword.iskeyword(name)
        or name in _RESERVED
    ):
        raise BadArgument(
            f"{place} has the name {name!r}; it must be an ASCII identifier, no Python keyword, and none of {sorted(_RESERVED)}."
        )
    if tensor.dim() < 1 or tensor.numel() == 0:
        raise BadArgument(
            f"{place} has the shape {tuple(tensor.shape)}; it must have the batch first and at least one element."
            + (" A number that is the same for all requests belongs to the energy." if tensor.dim() == 0 else "")
        )
    if place.startswith("state") and tensor.is_complex():
        raise BadArgument(
            f"{place} is {tensor.dtype}; it must be float32 or float64, such as `torch.view_as_real` of it."
        )
    if tensor.dtype not in NUMPY:
        raise BadArgument(f"{place} is {tensor.dtype}; allowed are {', '.join(map(str, NUMPY))}.")


def _weights(arguments: Arguments) -> None:
    for what in ("energy", "decode", "checks", "encode_answer", "rule"):
        for name, tensor in _tensors(modules_of(getattr(arguments, what))):
            if tensor.is_meta:
                raise BadArgument(
                    f"The {what}'s {name!r} is on the device 'meta' and holds no values; create the module on the CPU and load "
                    "its weights."
                )
            if tensor.device.type != "cpu":
                raise BadArgument(
                    f"The {what}'s {name!r} is on {tensor.device}; move it with `.cpu()`. The file is verified on the CPU."
                )
            if isinstance(tensor, nn.Parameter) and tensor.is_floating_point() and not _fits(what, tensor, arguments):
                call = ".double()" if arguments.dtype == torch.float64 else ".float()"
                raise BadArgument(
                    f"The {what}'s parameter {name!r} is {tensor.dtype}, and the state is {arguments.dtype}; both must have the "
                    f"same dtype: call `{call}` on the {what}."
                )


def _fits(what: str, tensor: Tensor, arguments: Arguments) -> bool:
    """Whether a parameter has the state's dtype; a rule's parameters may have lower precision."""
    return tensor.dtype == arguments.dtype or (what == "rule" and tensor.dtype == torch.float32)


def _tensors(modules: Iterable[nn.Module]) -> list[tuple[str, Tensor]]:
    return [pair for module in modules for pair in (*module.named_parameters(), *module.named_buffers())]


def modules_of(function: Any) -> list[nn.Module]:
    """The modules behind a callable: itself, the object it is bound to, what it wraps and its closure."""
    if isinstance(function, nn.Module):
        return [function]
    found = [getattr(function, name, None) for name in ("__self__", "func", "__wrapped__")]
    found += [_content(cell) for cell in getattr(function, "__closure__", None) or ()]
    found += list(getattr(function, "args", None) or ())
    return [module for inner in found if inner is not None and inner is not function for module in _inside(inner)]


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return None


def _inside(value: Any) -> list[nn.Module]:
    if isinstance(value, (list, tuple)):
        return [module for item in value for module in _inside(item)]
    if isinstance(value, nn.Module) or inspect.isroutine(value):
        return modules_of(value)
    return []


def _signature(
    what: str, function: Callable[..., Any], inputs: Mapping[str, Tensor], keywords: Mapping[str, Tensor] | None = None
) -> None:
    """Check that a function takes the inputs by name; an energy may also take the rule's keywords."""
    called = function.forward if isinstance(function, nn.Module) else function
    try:
        signature = inspect.signature(called)
    except (TypeError, ValueError):  # a built-in function without a signature
        return
    try:
        signature.bind_partial(None, **inputs)
        signature.bind(None, **inputs, **{k: v for k, v in (keywords or {}).items() if k in signature.parameters})
    except TypeError as error:
        first = "an answer" if what in ("checks", "encode_answer") else "the state"
        own = next(iter(signature.parameters), "")
        if own in inputs:
            raise BadArgument(
                f"The {what} takes {signature}, and is called with {first} and the inputs {sorted(inputs)} by name, but "
                f"{own!r} is its first argument, which is {first}. {first.capitalize()} must be the first argument."
            ) from None
        raise BadArgument(
            f"The {what} takes {signature}, and is called with {first} and the inputs {sorted(inputs)} by name: {error}. "
            "The names of the inputs must be the names of its arguments."
        ) from None
