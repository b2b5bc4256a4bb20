"""The descent in PyTorch: for training, and as the reference for files. It is independent of ONNX."""
