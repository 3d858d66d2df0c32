"""The graph that does nothing, for the control ``null``: one Identity on one number."""

from __future__ import annotations

import onnx
from onnx import TensorProto, helper

OPSET = 13  # old enough for every runtime that is supported
IR_VERSION = 8


def null_graph() -> bytes:
    """The whole file; the same bytes every time."""
    sides = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])] for name in ("input", "output")]
    graph = helper.make_graph([helper.make_node("Identity", ["input"], ["output"])], "null", *sides)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)
