"""Write: the graph and its header as one ONNX file."""
