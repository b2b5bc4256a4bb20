"""The intermediate representation: programs of PyTorch operators, and graphs of ONNX operators."""
