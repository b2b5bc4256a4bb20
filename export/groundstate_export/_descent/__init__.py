"""The descent in PyTorch: what one trains with, and what a file is held against. It knows nothing of ONNX."""
