"""Differentiate: the functions that are captured, with the gradient of the energy inside.

A step computes the energy and its gradient in one forward pass and lets the rule move the state. The last evaluation adds what a
host reads: terms, residual, answers, violations.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import torch
from torch import Tensor

from groundstate_export.capture import Spec, capture
from groundstate_export.draft import Draft


def named_terms(result: Tensor | Mapping[str, Tensor]) -> dict[str, Tensor]:
    """An energy's result as named terms; a single tensor is the term ``energy``."""
    return {"energy": result} if isinstance(result, Tensor) else dict(result)


def slope(
    draft: Draft, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The energy's terms and its gradient for each minimised tensor."""
    with torch.enable_grad():
        leaves = {name: state[name].detach().requires_grad_() for name in draft.state}
        terms = named_terms(draft.energy(draft.pack(leaves), **inputs))
        energy = total(terms)
        gradients = torch.autograd.grad(energy, list(leaves.values()), torch.ones_like(energy))
    return {k: v.detach() for k, v in terms.items()}, dict(zip(leaves, gradients, strict=True))


def total(terms: Mapping[str, Tensor]) -> Tensor:
    """The energy, ``(batch,)``."""
    first, *rest = terms.values()
    for term in rest:
        first = first + term
    return first


def residual(gradients: Mapping[str, Tensor]) -> Tensor:
    """Euclidean norm of the gradient over all minimised tensors, ``(batch,)``."""
    squares = [(g * g).flatten(1).sum(1) if g.dim() > 1 else g * g for g in gradients.values()]
    return torch.sqrt(total(dict(enumerate(squares))))  # type: ignore[arg-type]  # only the values matter


def counts(draft: Draft, answer: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Tensor:
    """How often each rule is broken, int64 ``(batch, C)``."""
    assert draft.rules is not None
    return torch.stack([v.to(torch.int64) for v in draft.rules(dict(answer), **inputs).values()], dim=1)


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}


def _given(draft: Draft, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensors[name] for name in draft.inputs}


def _step(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    state = _part(tensors, "state.")
    terms, gradients = slope(draft, state, _given(draft, tensors))
    with torch.no_grad():
        following = draft.rule(state, gradients, _part(tensors, "noise.") or None, tensors["rate"])
    found = {"energy": total(terms)} | {f"next.{name}": following[name] for name in state}
    # A loop decides by the gradient when to stop; elsewhere an output would only keep it from being fused.
    return found | ({f"gradient.{name}": g for name, g in gradients.items()} if draft.form == "loop" else {})


def _last(draft: Draft, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    given, state = _given(draft, tensors), _part(tensors, "state.")
    terms, gradients = slope(draft, state, given)
    found = {"energy": total(terms), "terms": torch.stack(list(terms.values()), dim=1), "residual": residual(gradients)}
    with torch.no_grad():
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
    """Capture the step (with noise and without), the last evaluation, and the judge."""
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
    draft.programs["last"] = capture(last, inputs | minimised, "The energy, `decode` or `rules`")
    if draft.record and draft.answers:
        draft.programs["record"] = capture(partial(_record, draft), inputs | minimised, "`decode`")
    if draft.rules is not None or draft.embed is not None:
        draft.programs["judge"] = capture(judge, inputs | answers, "`rules` or `embed`")
