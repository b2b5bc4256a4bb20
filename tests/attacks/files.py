"""One builder an attack: bytes that a file must not have, and what the refusal says. Each starts from a sound artefact."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from groundstate_models.sudoku import artefact_4x4

Model = onnx.ModelProto


@dataclass(frozen=True)
class Attack:
    """A file, and the sentence that refuses it.

    Attributes:
        name: What is wrong with it.
        build: Makes the bytes.
        says: A pattern of the refusal.
    """

    name: str
    build: Callable[[], bytes]
    says: str


ATTACKS: list[Attack] = []


@cache
def sound() -> bytes:
    """The file that attacks start from."""
    return artefact_4x4().read_bytes()


def attack(says: str) -> Callable[[Callable[[Model], Any]], None]:
    """Register a function that changes a sound model, or returns other bytes."""

    def register(change: Callable[[Model], Any]) -> None:
        def build() -> bytes:
            model = onnx.load_from_string(sound())
            made = change(model)
            return made if isinstance(made, bytes) else model.SerializeToString()

        ATTACKS.append(Attack(change.__name__, build, says))

    return register


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def message(number: int, inner: bytes) -> bytes:
    """A field that holds bytes."""
    return varint(number << 3 | 2) + varint(len(inner)) + inner


def weight(model: Model) -> TensorProto:
    return max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))


def with_node(model: Model, op: str, inputs: list[str], outputs: list[str], **attributes: Any) -> onnx.NodeProto:
    model.graph.node.append(helper.make_node(op, inputs, outputs, **attributes))
    return model.graph.node[-1]


def with_constant(model: Model, name: str, value: Any, dtype: Any = np.int64) -> str:
    model.graph.initializer.append(numpy_helper.from_array(np.array(value, dtype), name))
    return name


# Bytes that are no model, or two at once


@attack("damaged or not an ONNX model")
def text_for_a_file(_: Model) -> bytes:
    return b"hello, this is no model"


@attack("The file is empty")
def nothing(_: Model) -> bytes:
    return b""


@attack("ONNX Runtime's own format")
def a_flatbuffer(_: Model) -> bytes:
    return b"\x20\x00\x00\x00ORTM" + sound()[8:]


@attack("ModelProto.graph twice")
def two_graphs(model: Model) -> bytes:
    return sound() + message(7, model.graph.SerializeToString())


@attack("a field 500 of ModelProto")
def an_unknown_field(_: Model) -> bytes:
    return sound() + message(500, b"hidden")


@attack("training information")
def training_information(model: Model) -> None:
    model.training_info.add().initialization.name = "x"


@attack("a field 99 of ModelProto")
def a_group(_: Model) -> bytes:
    return sound() + varint(99 << 3 | 3) + varint(99 << 3 | 4)


@attack("padded with zeros")
def a_padded_number(_: Model) -> bytes:
    return sound() + varint(5 << 3) + b"\x81\x00"


@attack("does not end")
def a_number_without_end(_: Model) -> bytes:
    return sound() + varint(5 << 3) + b"\xff" * 11


@attack("reaches past the end")
def a_length_past_the_end(_: Model) -> bytes:
    return sound() + varint(6 << 3 | 2) + varint(1 << 40)


@attack("ModelProto.ir_version twice")
def a_version_twice(_: Model) -> bytes:
    return sound() + varint(1 << 3) + varint(10)


@attack("the IR version 99")
def a_version_of_the_future(model: Model) -> None:
    model.ir_version = 99


@attack("the operator sets ai.onnx 18, com.microsoft 1")
def a_second_operator_set(model: Model) -> None:
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


@attack("the operator sets ai.onnx 22")
def another_operator_set(model: Model) -> None:
    model.opset_import[0].version = 22


@attack("it has no graph")
def no_graph(model: Model) -> None:
    model.ClearField("graph")


# Metadata


@attack("the key 'groundstate' twice")
def two_headers(model: Model) -> None:
    model.metadata_props.add(key="groundstate", value="{}")


@attack("bytes of metadata")
def a_header_of_forty_megabytes(model: Model) -> None:
    model.metadata_props.add(key="more", value="x" * 40_000_000)


@attack("not UTF-8")
def a_key_that_is_no_text(_: Model) -> bytes:
    return sound() + message(14, message(1, b"\xff\xfe") + message(2, b"x"))


@attack("NUL")
def a_key_with_a_nul(_: Model) -> bytes:
    return sound() + message(14, message(1, b"a\0b") + message(2, b"x"))


# Nodes


@attack("com.microsoft")
def a_contrib_operator(model: Model) -> None:
    with_node(model, "FusedMatMul", ["step_scale", "step_scale"], ["hidden"], domain="com.microsoft")


@attack("'RandomNormal', that is not on the list")
def an_operator_that_draws(model: Model) -> None:
    with_node(model, "RandomNormal", [], ["hidden"], shape=[2])


@attack("'EPContext', that is not on the list")
def a_compiled_blob(model: Model) -> None:
    with_node(model, "EPContext", [], ["hidden"], embed_mode=0, ep_cache_context="blob.bin")


@attack("'Scan', that is not on the list")
def a_scan(model: Model) -> None:
    body = helper.make_graph([], "body", [], [])
    with_node(model, "Scan", [], ["hidden"], body=body, num_scan_inputs=0)


@attack("has functions")
def functions_that_double(model: Model) -> None:
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("f", 1)]
    for level in range(30):
        inner = [helper.make_node(f"f{level - 1}" if level else "Neg", ["x"], ["y"], domain="f" if level else "")]
        inner.append(helper.make_node(f"f{level - 1}" if level else "Neg", ["y"], ["z"], domain="f" if level else ""))
        model.functions.append(helper.make_function("f", f"f{level}", ["x"], ["z"], inner, opset))


@attack("the attribute 'axis' twice")
def an_attribute_twice(model: Model) -> None:
    node = with_node(model, "Softmax", ["step_scale"], ["hidden"], axis=0)
    node.attribute.append(helper.make_attribute("axis", 0))


@attack("a graph of its own")
def a_graph_where_none_belongs(model: Model) -> None:
    with_node(model, "Neg", ["step_scale"], ["hidden"], body=helper.make_graph([], "body", [], []))


@attack("a reference")
def an_attribute_that_refers(model: Model) -> None:
    node = with_node(model, "Softmax", ["step_scale"], ["hidden"])
    attribute = node.attribute.add()
    attribute.name, attribute.ref_attr_name = "axis", "outer"


@attack("has strings")
def strings(model: Model) -> None:
    with_node(model, "Constant", [], ["hidden"], value_strings=["a", "b"])


@attack("a sparse tensor")
def a_sparse_constant(model: Model) -> None:
    dense = numpy_helper.from_array(np.ones(1, np.float32), "v")
    sparse = helper.make_sparse_tensor(dense, numpy_helper.from_array(np.zeros(1, np.int64), "i"), [4])
    with_node(model, "Constant", [], ["hidden"], sparse_value=sparse)


# Control flow


def _loop(model: Model, rounds: str, body: onnx.GraphProto | None = None) -> None:
    going = helper.make_tensor_value_info("going", TensorProto.BOOL, [])
    index = helper.make_tensor_value_info("index", TensorProto.INT64, [])
    out = helper.make_tensor_value_info("out", TensorProto.BOOL, [])
    inner = body or helper.make_graph([helper.make_node("Identity", ["going"], ["out"])], "body", [index, going], [out])
    yes = with_constant(model, "yes", 1, np.bool_)
    model.graph.node.append(helper.make_node("Loop", [rounds, yes], [], body=inner))


@attack("a loop of 4,611,686,018,427,387,904 rounds")
def a_loop_that_never_ends(model: Model) -> None:
    _loop(model, with_constant(model, "rounds", 2**62))


@attack("a loop whose rounds do not follow from the input 'max_steps'")
def a_loop_of_computed_rounds(model: Model) -> None:
    with_node(
        model,
        "Mul",
        [with_constant(model, "many rounds", 2**31), with_constant(model, "more rounds", 2**30)],
        ["rounds"],
    )
    _loop(model, "rounds")


@attack("no bound on its rounds")
def a_loop_without_bound(model: Model) -> None:
    _loop(model, "")


@attack("a second loop")
def two_loops(model: Model) -> None:
    _loop(model, with_constant(model, "rounds", 2))
    model.graph.node.append(model.graph.node[-1])


@attack("a second loop")
def a_loop_in_a_loop(model: Model) -> None:
    body = onnx.ModelProto()
    _loop(body, "rounds")
    _loop(model, with_constant(model, "rounds", 1000), body.graph)


@attack("a choice outside the loop's body")
def a_choice_outside_a_loop(model: Model) -> None:
    empty = helper.make_graph([], "branch", [], [])
    with_node(model, "If", ["step_scale"], [], then_branch=empty, else_branch=empty)


# Sizes


@attack("a size of 17,179,869,184 elements")
def a_constant_of_64_gigabytes(model: Model) -> None:
    with_node(model, "ConstantOfShape", [with_constant(model, "shape", [131072, 131072])], ["hidden"])


@attack("a size of 1,000,000,000,000 elements")
def an_expansion(model: Model) -> None:
    with_node(model, "Expand", ["step_scale", with_constant(model, "shape", [1_000_000, 1_000_000])], ["hidden"])


@attack("a size of 1,000,000,000 elements")
def tiles(model: Model) -> None:
    with_node(model, "Tile", ["step_scale", with_constant(model, "times", [1_000_000_000])], ["hidden"])


@attack("a size of 1,099,511,627,776 elements")
def a_range(model: Model) -> None:
    numbers = [with_constant(model, name, n) for name, n in (("from", 0), ("to", 2**40), ("by", 1))]
    with_node(model, "Range", numbers, ["hidden"])


@attack("a size of 1,000,000,000,000 elements")
def padding(model: Model) -> None:
    with_node(model, "Pad", ["step_scale", with_constant(model, "pads", [0, 10**12])], ["hidden"])


@attack("more than 16,384 initialisers")
def too_many_initialisers(model: Model) -> bytes:
    many = b"".join(
        message(5, TensorProto(dims=[0], data_type=1, name=str(n)).SerializeToString()) for n in range(100_001)
    )
    del model.graph.initializer[:]
    graph = model.graph.SerializeToString() + many
    model.ClearField("graph")
    return model.SerializeToString() + message(7, graph)


@attack("more than 65,536 nodes")
def too_many_nodes(model: Model) -> bytes:
    node = message(1, helper.make_node("Neg", ["step_scale"], ["hidden"]).SerializeToString())
    graph = model.graph.SerializeToString() + node * 100_001
    model.ClearField("graph")
    return model.SerializeToString() + message(7, graph)


@attack("an axis of length -5")
def an_axis_below_zero(model: Model) -> None:
    model.graph.output[0].type.tensor_type.shape.dim[0].dim_value = -5


@attack("more than 65,536 nodes")
def a_million_nodes(model: Model) -> bytes:
    graph = message(1, helper.make_node("Neg", ["x"], ["y"]).SerializeToString()) * 1_000_000
    model.ClearField("graph")
    return model.SerializeToString() + message(7, graph)


# Tensors


@attack("has external data")
def external_data(model: Model) -> None:
    tensor = weight(model)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


@attack("has external data")
def external_data_on_an_unused_tensor(model: Model) -> None:
    tensor = model.graph.initializer.add(name="unused", data_type=1, dims=[1])
    tensor.external_data.add(key="location", value="../weights.bin")


@attack("has external data")
def data_in_memory(model: Model) -> None:
    weight(model).data_location = TensorProto.EXTERNAL


@attack("has text")
def text_for_numbers(model: Model) -> None:
    model.graph.initializer.append(helper.make_tensor("words", TensorProto.STRING, [1], [b"word"]))


@attack("elements of the type 8")
def text_without_text(model: Model) -> None:
    model.graph.initializer.add(name="words", data_type=TensorProto.STRING, dims=[0])


@attack("elements that are not a number")
def weights_that_are_no_numbers(model: Model) -> None:
    tensor = weight(model)
    values = numpy_helper.to_array(tensor).copy()
    values.flat[0] = np.nan
    tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float32), tensor.name))


@attack("bytes for the shape")
def fewer_bytes_than_its_shape(model: Model) -> None:
    tensor = weight(model)
    tensor.raw_data = tensor.raw_data[:-4]


@attack("no axis may be shorter than 0")
def a_shape_below_zero(model: Model) -> None:
    tensor = weight(model)
    tensor.dims[0] = -tensor.dims[0]


@attack("elements in fields that do not go with float32")
def elements_twice(model: Model) -> None:
    weight(model).float_data.extend([1.0, 2.0])


@attack("twice")
def an_initialiser_twice(model: Model) -> None:
    model.graph.initializer.append(model.graph.initializer[0])


@attack("the input 'step_scale' twice")
def an_input_twice(model: Model) -> None:
    model.graph.input.append(next(one for one in model.graph.input if one.name == "step_scale"))


@attack("a sparse initialiser")
def a_sparse_initialiser(model: Model) -> None:
    dense = numpy_helper.from_array(np.ones(1, np.float32), "v")
    sparse = helper.make_sparse_tensor(dense, numpy_helper.from_array(np.zeros(1, np.int64), "i"), [4])
    model.graph.sparse_initializer.append(sparse)


@attack("a sequence")
def a_sequence_for_an_input(model: Model) -> None:
    one = helper.make_tensor_type_proto(1, [1])
    model.graph.input.append(helper.make_value_info("list", helper.make_sequence_type_proto(one)))


@attack("quantization annotations")
def quantization(model: Model) -> None:
    model.graph.quantization_annotation.add(tensor_name="step_scale")


def header_of(data: bytes) -> dict[str, Any]:
    """The header of a file."""
    for entry in onnx.load_from_string(data).metadata_props:
        if entry.key == "groundstate":
            found: dict[str, Any] = json.loads(entry.value)
            return found
    raise AssertionError("the file has no header")
