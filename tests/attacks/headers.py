"""One builder an attack on what a file says about itself: its header, its schemas, its checker."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import onnx

from tests.attacks.files import Attack, sound

HEADERS: list[Attack] = []

Fields = dict[str, Any]


def attack(says: str) -> Callable[[Callable[[Fields], Any]], None]:
    """Register a function that changes the header of a sound artefact, or returns other text for it."""

    def register(change: Callable[[Fields], Any]) -> None:
        def build() -> bytes:
            model = onnx.load_from_string(sound())
            entry = next(one for one in model.metadata_props if one.key == "groundstate")
            fields = json.loads(entry.value)
            made = change(fields)
            entry.value = made if isinstance(made, str) else json.dumps(fields)
            return model.SerializeToString()

        HEADERS.append(Attack(change.__name__, build, says))

    return register


# Not a header


@attack("its header is not valid JSON")
def text_that_is_no_json(_: Fields) -> str:
    return "{"


@attack("its header is not valid JSON")
def json_of_endless_depth(_: Fields) -> str:
    return "[" * 100_000


@attack("a header of 5,000,001 characters")
def a_header_of_megabytes(_: Fields) -> str:
    return '"' + "x" * 5_000_000


@attack("it must be a JSON object")
def a_list(_: Fields) -> str:
    return "[]"


@attack("of format 99")
def a_format_of_the_future(fields: Fields) -> None:
    fields["format"] = 99


# Numbers


@attack("not a finite number")
def limits_that_are_no_numbers(fields: Fields) -> None:
    fields["limits"]["restarts"] = float("nan")


@attack("must be a whole number of at least 1")
def limits_below_zero(fields: Fields) -> None:
    fields["limits"]["restarts"] = -1


@attack("it is at most 65,536")
def noise_of_endless_period(fields: Fields) -> None:
    for one in fields["noise"].values():
        one["period"] = 10**18


@attack("must be a whole number of at least 1")
def defaults_of_half_a_chain(fields: Fields) -> None:
    fields["defaults"]["restarts"] = 0.5


@attack("at most 8")
def chains_whose_patience_never_ends(fields: Fields) -> None:
    fields["defaults"]["luby_exponent"] = 1e9


@attack("a segment has at most 65,536")
def steps_beyond_every_integer(fields: Fields) -> None:
    fields["steps"] = 2**70


@attack("a segment has at least one step")
def no_steps(fields: Fields) -> None:
    fields["steps"] = 0


@attack("at most 16")
def a_tensor_of_a_thousand_axes(fields: Fields) -> None:
    fields["state"]["y"]["shape"] = [1] * 1000


@attack("bytes; at most|as the header says")
def a_state_of_terabytes(fields: Fields) -> None:
    name = next(iter(fields["state"]))
    fields["state"][name]["shape"] = [10**12]


# Checks


@attack("asks for no check and for no convergence")
def anything_is_an_answer(fields: Fields) -> None:
    fields["accept"] = {"checks": "none", "converged": False, "polish": 0}


@attack("anything would be an answer")
def checks_without_columns(fields: Fields) -> None:
    fields["checks"] = []


@attack("the checks are")
def a_check_that_does_not_exist(fields: Fields) -> None:
    fields["accept"]["checks"] = ["honest"]


# Schemas


@attack("leads out of the document")
def a_reference_to_a_server(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"$ref": "http://127.0.0.1:9/grid.json"}


@attack("leads out of the document")
def a_reference_to_a_file(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"$ref": "file:///etc/passwd"}


@attack("leads out of the document")
def a_reference_to_an_endless_file(fields: Fields) -> None:
    fields["request"] |= {"if": {"$ref": "file:///dev/zero"}}


@attack("leads out of the document")
def an_identity_elsewhere(fields: Fields) -> None:
    fields["request"]["$id"] = "http://127.0.0.1:9/"


@attack("a repeat or a choice within a repeat")
def a_pattern_that_takes_for_ever(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"type": "string", "pattern": "^(a+)+$"}


@attack("too many repeats of any length")
def a_pattern_of_many_repeats(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"type": "string", "pattern": "a*" * 30 + "$"}


@attack("a repeat or a choice within a repeat")
def a_pattern_for_names(fields: Fields) -> None:
    fields["request"]["patternProperties"] = {"^(a|aa)+$": {}}


@attack("is not a regular expression")
def a_broken_pattern(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"type": "string", "pattern": "("}


@attack("is unknown")
def a_type_that_does_not_exist(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"type": "grid"}


@attack("must be above 0")
def a_multiple_of_nothing(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"type": "number", "multipleOf": 0}


@attack("must be a list of names")
def a_requirement_that_is_no_name(fields: Fields) -> None:
    fields["request"]["required"] = [["grid"]]


@attack("deep")
def a_schema_of_endless_depth(fields: Fields) -> None:
    inner: Fields = {}
    for _ in range(200):
        inner = {"items": inner}
    fields["request"]["properties"]["grid"] = inner


@attack("its references multiply: more than 1,000 schemas apply to one value")
def references_that_double(fields: Fields) -> None:
    """2^40 checks of one value."""
    fields["request"]["$defs"] = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(40)
    } | {"d40": {}}
    fields["request"]["properties"]["grid"] = {"$ref": "#/$defs/d0"}


@attack("its references multiply")
def schemas_that_multiply_in_an_answer(fields: Fields) -> None:
    fields["answer"]["$defs"] = {f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(9)} | {"d9": {}}


@attack("goes round in a circle")
def a_reference_to_itself(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"$ref": "#/properties/grid"}


@attack("refers to a place '#/nowhere'")
def a_reference_to_nowhere(fields: Fields) -> None:
    fields["request"]["properties"]["grid"] = {"$ref": "#/nowhere"}


@attack("its references multiply|follow one another")
def a_chain_of_references(fields: Fields) -> None:
    fields["request"]["$defs"] = {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(5000)} | {"d5000": {}}


@attack("which no installed package provides")
def a_task_that_nobody_installed(fields: Fields) -> None:
    fields["task"] = "os.system"


# What is only seen when a request is read or an answer scored

IN_USE: list[Attack] = []


def in_use(says: str) -> Callable[[Callable[[Fields], Any]], None]:
    """Register an attack that loads, and is refused when it is used."""

    def register(change: Callable[[Fields], Any]) -> None:
        attack(says)(change)
        IN_USE.append(HEADERS.pop())

    return register


@in_use("checks the same values again and again")
def a_reference_that_doubles_with_every_level(fields: Fields) -> None:
    """2^n checks of a value that is nested n deep."""
    fields["request"]["$defs"] = {"d": {"items": {"allOf": [{"$ref": "#/$defs/d"}] * 30}}}
    fields["request"]["properties"]["grid"] = {"$ref": "#/$defs/d"}


# The checker


def checker(change: Callable[[onnx.ModelProto], Any]) -> bytes:
    """A sound artefact with another checker."""
    model = onnx.load_from_string(sound())
    entry = next(one for one in model.metadata_props if one.key == "groundstate.checker")
    inner = onnx.load_from_string(base64.b64decode(entry.value))
    made = change(inner)
    data = made if isinstance(made, bytes) else inner.SerializeToString()
    entry.value = base64.b64encode(data).decode()
    return model.SerializeToString()


def _foreign(model: onnx.ModelProto) -> None:
    model.graph.node.append(onnx.helper.make_node("FusedMatMul", ["a", "b"], ["c"], domain="com.microsoft"))


def _loop(model: onnx.ModelProto) -> None:
    model.graph.node.append(onnx.helper.make_node("Loop", ["a", ""], [], body=onnx.helper.make_graph([], "b", [], [])))


HEADERS += [
    Attack("a_checker_with_a_foreign_operator", lambda: checker(_foreign), "com.microsoft"),
    Attack("a_checker_with_a_loop", lambda: checker(_loop), "control flow"),
    Attack("a_checker_that_is_no_model", lambda: checker(lambda _: b"hello"), "damaged or not an ONNX model"),
]


def _without_checks(model: onnx.ModelProto) -> None:
    kept = [one for one in model.graph.output if one.name not in ("violations", "excess")]
    del model.graph.output[:]
    model.graph.output.extend(kept)


SCORING = [Attack("a_checker_that_does_not_check", lambda: checker(_without_checks), "does not return its")]
"""Attacks that are refused when an answer is scored."""
