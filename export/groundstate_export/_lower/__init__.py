"""Lower: captured programs as graphs of ONNX operators."""
