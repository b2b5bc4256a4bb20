"""The names of devices that callers type."""

from __future__ import annotations

import re

from groundstate._errors import OptionError

DEVICES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
"""Devices, and the execution provider of ONNX Runtime for each."""

_NAMED = re.compile(r"(cpu)|(cuda)(?::([0-9]{1,3}))?")


def named(device: object) -> tuple[str, int]:
    """The kind of a device and its number: ``"cuda:1"`` is the second GPU.

    Raises:
        OptionError: If there is no such device.
    """
    found = _NAMED.fullmatch(device) if isinstance(device, str) else None
    if found is None:
        known = "'cpu', 'cuda', 'cuda:1' (and so on, for a second GPU) or 'auto'"
        raise OptionError(f"device is {device!r:.60}; it must be {known}.")
    return found[1] or found[2], int(found[3] or 0)
