"""Differentiate: the functions to capture, with the gradient of the energy inside.

A step computes the energy and its gradient in one forward pass, and the rule moves the state. The last evaluation adds the
outputs that a host reads: terms, residual, answers, checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from groundstate_export._capture.capture import capture
from groundstate_export._capture.symbols import hold
from groundstate_export._descent.checks import excess, violations
from groundstate_export._descent.evaluate import named_terms, norm
from groundstate_export._descent.rules.rule import Probe, where_moving
from groundstate_export._errors import BadEnergy
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.kept import remembered
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.program import Program, Spec


def _landscape(
    examined: Examined, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], *, last: bool = False
) -> Probe:
    """The energy's terms at a state, from differentiable operators."""
    keywords = examined.rule.keywords(state, last=last)
    with torch.enable_grad():
        terms = named_terms(examined.energy(examined.pack(state), **inputs, **keywords))
    return Probe(
        examined.rule, state, examined.pack(state), inputs, terms, lambda there: _elsewhere(examined, there, inputs)
    )


def _elsewhere(examined: Examined, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Probe:
    """The energy at another state. An energy that contains a gradient needs leaves there too."""
    return _plain(_landscape(examined, {**state, **_leaves(examined, state)}, inputs), state, examined)


def _leaves(examined: Examined, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: state[name].detach().requires_grad_() for name in examined.state}


def _plain(probe: Probe, state: Mapping[str, Tensor], examined: Examined) -> Probe:
    terms = {name: term.detach() for name, term in probe.terms.items()}
    return replace(probe, state=state, point=examined.pack(state), terms=terms)


def slope(
    examined: Examined, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], *, last: bool = False
) -> tuple[Probe, dict[str, Tensor]]:
    """The landscape at a state, and the gradient of the objective for each minimised tensor."""
    leaves = _leaves(examined, state)
    probe = _landscape(examined, {**state, **leaves}, inputs, last=last)
    with torch.enable_grad():
        objective = probe.objective
        gradients = torch.autograd.grad(objective, list(leaves.values()), torch.ones_like(objective))
    return _plain(probe, state, examined), dict(zip(leaves, gradients, strict=True))


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _given(examined: Examined, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[name] for name in examined.inputs}


def _start(examined: Examined, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = _part(tensors, "state.")
    with torch.no_grad():
        nearest = examined.rule.feasible(state, _given(examined, tensors))
        return {
            f"next.{name}": where_moving(tensors["step_scale"], nearest[name], state[name]) for name in examined.state
        }


def _step(examined: Examined, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = _part(tensors, "state.")
    probe, gradients = slope(examined, state, _given(examined, tensors))
    with torch.no_grad():
        scale = tensors["step_scale"].to(examined.dtype)
        following = examined.rule(state, gradients, _part(tensors, "noise.") or None, scale, probe)
        found = {"energy": probe.energy} | {f"next.{name}": following[name] for name in state}
        # A loop stops by the residual; elsewhere an extra output would only prevent fusion.
        left = examined.rule.residuals(probe, gradients) if examined.form == "loop" else {}
    return found | {f"residual.{name}": tensor for name, tensor in left.items()}


def _last(examined: Examined, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    given, state = _given(examined, tensors), _part(tensors, "state.")
    with torch.no_grad():
        state |= examined.rule.reported(state, lambda there: _elsewhere(examined, there, given))
    probe, gradients = slope(examined, state, given, last=True)
    found = {"energy": probe.energy, "terms": torch.stack(list(probe.terms.values()), dim=1)}
    with torch.no_grad():
        found["residual"] = norm(examined.rule.residuals(probe, gradients).values())
        answer = examined.decoded(state, given)
        found |= {f"answer.{name}": t for name, t in answer.items()}
        if examined.checks is not None:
            found |= _checked(examined, answer, given)
    return found


def _checked(examined: Examined, answer: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The violations of each check by an answer, and the excess."""
    assert examined.checks is not None
    found = examined.checks(dict(answer), **given)
    return {"violations": violations(found, examined.tolerances), "excess": excess(found, examined.tolerances)}


def _record(examined: Examined, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    with torch.no_grad():
        answer = examined.decoded(_part(tensors, "state."), _given(examined, tensors))
    return {f"path.{name}": t for name, t in answer.items()}


def _checker(examined: Examined, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    given, answer = _given(examined, tensors), _part(tensors, "answer.")
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        if examined.checks is not None:
            found |= _checked(examined, answer, given)
        if examined.encode_answer is not None:
            found |= {f"state.{name}": t for name, t in examined.encoded(answer, given).items()}
    return found


def _specs(examined: Examined) -> dict[str, Spec]:
    """All tensors of an example, by their names in a graph."""
    return (
        {name: Spec.of(t) for name, t in examined.inputs.items()}
        | {f"state.{name}": spec for name, spec in examined.state_specs().items()}
        | {f"answer.{name}": spec for name, spec in examined.answers.items()}
    )


def _of_any_size(examples: Sequence[Examined], sizes: Sizes) -> dict[str, Spec]:
    """The specs of the first example, with lengths in terms of sizes."""
    found: dict[str, Spec] = {}
    every = [_specs(one) for one in examples]
    for name, spec in every[0].items():
        shapes = [one[name].shape for one in every]
        shape = sizes.shape(name, shapes)
        if shape is None:
            raise BadEnergy(
                f"{name!r} has the shapes {', '.join(map(str, shapes))} at the example and at those of resized. Each length "
                f"must be a number or a product of the sizes {', '.join(sizes.lengths)}: the host knows no other. Pad an answer "
                "to such a length."
            )
        found[name] = Spec(spec.dtype, shape)  # type: ignore[arg-type]  # without the batch
    return found


def capture_all(examples: Sequence[Examined], sizes: Sizes | None = None) -> Functions[Program]:
    """Capture the start of a segment, the step (with noise and without), the last evaluation, and the checker.

    Args:
        examples: The example, and those at other sizes.
        sizes: The sizes of the examples; None for a file of one size.
    """
    examined = examples[0]
    specs = _specs(examined) if sizes is None else _of_any_size(examples, sizes)
    inputs = {name: specs[name] for name in examined.inputs}
    states = {f"state.{name}": specs[f"state.{name}"] for name in examined.state_specs()}
    minimised = {f"state.{name}": states[f"state.{name}"] for name in examined.state}
    noise = {f"noise.{name}": specs[f"state.{name}"] for name in examined.state}
    answers = {f"answer.{name}": specs[f"answer.{name}"] for name in examined.answers}
    step_scale = {"step_scale": Spec(torch.float32, ())}

    def found(
        function: Callable[[Examined, dict[str, Tensor]], dict[str, Tensor]], given: Mapping[str, Spec], what: str
    ) -> Program:
        program = capture(partial(function, examined), given, what)
        for index, constant in program.constants.items():
            if isinstance(constant, Tensor) and examined.kept.marked(constant):
                raise BadEnergy(remembered(program.place(program.first_use(index))))
        if sizes is not None:
            hold(program.conditions, sizes, what)
        return program

    checked = examined.checks is not None or examined.encode_answer is not None
    return Functions(
        step=found(_step, inputs | states | step_scale, examined.what),
        noisy_step=found(_step, inputs | states | noise | step_scale, examined.what) if examined.noisy else None,
        start=found(_start, inputs | minimised | step_scale, "The rule") if examined.confined else None,
        last=found(_last, inputs | states, f"{examined.what}, `decode` or `checks`"),
        record=found(_record, inputs | minimised, "`decode`") if examined.record else None,
        checker=found(_checker, inputs | answers, "`checks` or `encode_answer`") if checked else None,
    )
