"""Lower: turn captured programs into graphs of ONNX operators."""
