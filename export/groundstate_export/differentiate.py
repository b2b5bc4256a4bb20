"""Differentiate: the functions that are captured, with the gradient of the energy inside.

A step computes the energy and its gradient in one forward pass and lets the rule move the state. The last evaluation adds what a
host reads: terms, residual, answers, violations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from groundstate_export.capture import Spec, capture
from groundstate_export.draft import Draft
from groundstate_export.evaluate import named_terms, norm
from groundstate_export.rules import Probe
from groundstate_export.rules.base import unless_still


def _landscape(draft: Draft, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], *, last: bool = False) -> Probe:
    """The energy's terms at a state, by operators that a gradient can be taken of."""
    keywords = draft.rule.keywords(state, last=last)
    with torch.enable_grad():
        terms = named_terms(draft.energy(draft.pack(state), **inputs, **keywords))
    return Probe(draft.rule, state, draft.pack(state), inputs, terms, lambda there: _elsewhere(draft, there, inputs))


def _elsewhere(draft: Draft, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Probe:
    """The energy at another state. Energies that contain a gradient need leaves there too."""
    return _plain(_landscape(draft, {**state, **_leaves(draft, state)}, inputs), state, draft)


def _leaves(draft: Draft, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: state[name].detach().requires_grad_() for name in draft.state}


def _plain(probe: Probe, state: Mapping[str, Tensor], draft: Draft) -> Probe:
    terms = {name: term.detach() for name, term in probe.terms.items()}
    return replace(probe, state=state, point=draft.pack(state), terms=terms)


def slope(
    draft: Draft, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor], *, last: bool = False
) -> tuple[Probe, dict[str, Tensor]]:
    """The landscape at a state, and the gradient of what is descended for each minimised tensor."""
    leaves = _leaves(draft, state)
    probe = _landscape(draft, {**state, **leaves}, inputs, last=last)
    with torch.enable_grad():
        objective = probe.objective
        gradients = torch.autograd.grad(objective, list(leaves.values()), torch.ones_like(objective))
    return _plain(probe, state, draft), dict(zip(leaves, gradients, strict=True))


def counts(draft: Draft, answer: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Tensor:
    """How often each rule is broken, int64 ``(batch, C)``."""
    assert draft.rules is not None
    return torch.stack([v.to(torch.int64) for v in draft.rules(dict(answer), **inputs).values()], dim=1)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _given(draft: Draft, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[name] for name in draft.inputs}


def _start(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = _part(tensors, "state.")
    with torch.no_grad():
        nearest = draft.rule.feasible(state, _given(draft, tensors))
        return {f"next.{name}": unless_still(tensors["rate"], nearest[name], state[name]) for name in draft.state}


def _step(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = _part(tensors, "state.")
    probe, gradients = slope(draft, state, _given(draft, tensors))
    with torch.no_grad():
        following = draft.rule(state, gradients, _part(tensors, "noise.") or None, tensors["rate"], probe)
        found = {"energy": probe.energy} | {f"next.{name}": following[name] for name in state}
        # A loop decides by what is left to descend when to stop; elsewhere an output would only keep it from being fused.
        left = draft.rule.residuals(probe, gradients) if draft.form == "loop" else {}
    return found | {f"residual.{name}": tensor for name, tensor in left.items()}


def _last(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    given, state = _given(draft, tensors), _part(tensors, "state.")
    with torch.no_grad():
        state |= draft.rule.reported(state, lambda there: _elsewhere(draft, there, given))
    probe, gradients = slope(draft, state, given, last=True)
    found = {"energy": probe.energy, "terms": torch.stack(list(probe.terms.values()), dim=1)}
    with torch.no_grad():
        found["residual"] = norm(draft.rule.residuals(probe, gradients).values())
        if draft.decode is not None:
            answer = dict(draft.decode(draft.pack(state), **given))
            found |= {f"answer.{name}": t for name, t in answer.items()}
            if draft.rules is not None:
                found["violations"] = counts(draft, answer, given)
    return found


def _record(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    assert draft.decode is not None
    with torch.no_grad():
        answer = draft.decode(draft.pack(_part(tensors, "state.")), **_given(draft, tensors))
    return {f"path.{name}": t for name, t in answer.items()}


def _judge(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    given, answer = _given(draft, tensors), _part(tensors, "answer.")
    found: dict[str, Tensor] = {}
    with torch.no_grad():
        if draft.rules is not None:
            found["violations"] = counts(draft, answer, given)
        if draft.embed is not None:
            place = draft.embed(answer, **given)
            named = {"y": place} if isinstance(place, Tensor) else dict(place)
            found |= {f"state.{name}": t for name, t in named.items()}
    return found


def differentiate(draft: Draft) -> None:
    """Capture where a segment starts, the step (with noise and without), the last evaluation, and the judge."""
    inputs = {name: Spec.of(t) for name, t in draft.inputs.items()}
    states = {f"state.{name}": spec for name, spec in draft.state_specs().items()}
    minimised = {f"state.{name}": states[f"state.{name}"] for name in draft.state}
    noise = {f"noise.{name}": Spec.of(t) for name, t in draft.state.items()}
    answers = {f"answer.{name}": spec for name, spec in draft.answers.items()}
    rate = {"rate": Spec(torch.float32, ())}
    step, last, judge = (partial(function, draft) for function in (_step, _last, _judge))
    draft.programs = {"quiet": capture(step, inputs | states | rate, "The energy")}
    if draft.kicks:
        draft.programs["kick"] = capture(step, inputs | states | noise | rate, "The energy")
    if draft.confined:
        draft.programs["start"] = capture(partial(_start, draft), inputs | minimised | rate, "The rule")
    draft.programs["last"] = capture(last, inputs | states, "The energy, `decode` or `rules`")
    if draft.record and draft.answers:
        draft.programs["record"] = capture(partial(_record, draft), inputs | minimised, "`decode`")
    if draft.rules is not None or draft.embed is not None:
        draft.programs["judge"] = capture(judge, inputs | answers, "`rules` or `embed`")
