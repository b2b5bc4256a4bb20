"""The numbers that are learned: those of the energy, of the rule that descends it, of where chains start, and of when anew."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from groundstate_export import Breakout, HeavyBall
from groundstate_models.sudoku.energy import UNTRAINED, SudokuEnergy

SEGMENT = 32
"""Updates from one look at whether a chain has an answer to the next."""

NOISE_EVERY = 8
TEMPERATURE = (0.0, 2.0)
"""Range of the chains' temperatures: what their kicks are multiplied by."""

RULE = {"step_size": 1.25, "momentum": 0.98, "noise": 0.025, "raises": 0.04, "keep": 0.999}
"""The descent's numbers before training; round, and found as `energy.UNTRAINED` was."""

FORMAT = 2
"""Of the file that keeps settings; 1 knew neither patience nor four of the energy's numbers."""


class SettingsError(ValueError):
    """The file holds no settings that this version can use. It is left as it is."""


@dataclass(frozen=True)
class Settings:
    """The numbers of the energy and of the rule; as they stand here they are those that training starts from.

    Attributes:
        energy: As in `energy.UNTRAINED`.
        rule: As in `RULE`.
        start: The standard deviation of the logits that chains start from.
        patience: Updates after which a chain without an answer starts anew; `lifetime` rounds it.
    """

    energy: Mapping[str, float] = field(default_factory=lambda: dict(UNTRAINED))
    rule: Mapping[str, float] = field(default_factory=lambda: dict(RULE))
    start: float = 0.5
    patience: float = 320.0

    @property
    def lifetime(self) -> int:
        """The patience in whole segments, as the runtime can have it."""
        return SEGMENT * max(1, round(self.patience / SEGMENT))

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Those that a file keeps.

        Raises:
            SettingsError: If the file cannot be read, is damaged, or is of another version.
        """
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            known = (
                stored["format"] == FORMAT
                and set(stored["energy"]) == set(UNTRAINED)
                and set(stored["rule"]) == set(RULE)
            )
            rest = [float(stored[name]) for name in ("start", "patience") if known]
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{path} is damaged, or no settings ({error}); name the settings.json of a training run."
            ) from None
        if not known:
            raise SettingsError(f"{path} holds settings of another version. Train again, or name another file.")
        return cls(stored["energy"], stored["rule"], *rest)

    def keep(self, path: Path) -> None:
        """Write them as JSON."""
        stored = {
            "format": FORMAT,
            "energy": self.energy,
            "rule": self.rule,
            "start": self.start,
            "patience": self.patience,
        }
        path.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")

    def descent(self, energy: SudokuEnergy, temperature: tuple[float, float] = TEMPERATURE) -> Breakout:
        """The rule that descends an energy of theirs."""
        s = self.rule
        ball = HeavyBall(
            s["step_size"],
            s["momentum"],
            noise=s["noise"],
            noise_every=NOISE_EVERY,
            noise_period=SEGMENT,
            temperature=temperature,
        )
        return Breakout(ball, energy.violations, raises=s["raises"], keep=s["keep"], terms=("rules", "undecided"))
