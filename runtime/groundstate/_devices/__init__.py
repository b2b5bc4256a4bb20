"""Devices other than the CPU: what one must do (`_driver`), batches that stay in its memory (`_residency`), and CUDA (`_cuda`).

The CPU needs none of this: there, ONNX Runtime reads and writes the arrays of the caller, and a segment is spread over threads.
"""
