"""The error of a training run."""

from __future__ import annotations

from groundstate import GroundstateError


class TrainingError(GroundstateError):
    """The run cannot start or resume. The files of earlier runs are unchanged."""
