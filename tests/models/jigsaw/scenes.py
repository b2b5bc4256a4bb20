"""Pictures made by formulas: enough like photographs that edges fit in one way only."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def scene(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coloured noise whose power falls with frequency as in photographs: (height, width, 3)."""
    rng = np.random.default_rng(seed)
    size = (2 * height, 2 * width)  # a part of a larger field, whose borders would otherwise fit each other
    rows, columns = np.fft.fftfreq(size[0])[:, None], np.fft.fftfreq(size[1])[None]
    falling = 1 / np.maximum(np.hypot(rows, columns), 1 / max(size)) ** 1.6
    channels = [np.fft.ifft2(falling * np.fft.fft2(rng.normal(size=size))).real for _ in range(3)]
    mixed = np.stack(channels, axis=-1)[:height, :width] @ np.array(
        [[1.0, 0.9, 0.8], [0.3, -0.2, -0.1], [0.1, 0.1, -0.3]]
    )
    mixed = (mixed - mixed.mean()) / mixed.std()
    return np.clip(128 + 50 * mixed, 0, 255).astype(np.uint8)
