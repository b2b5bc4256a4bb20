"""Files that ONNX Runtime would take, and the gate does not: each is refused by its own sentence, soon, and in little memory."""

from __future__ import annotations

import random
import time
import tracemalloc
from pathlib import Path

import onnx
import pytest

from groundstate import ArtefactError
from groundstate._gate import Limits, examine
from tests.attacks.files import ATTACKS, Attack, sound

SECONDS = 1.0
"""Processor time within which every attack is refused, on a slow and busy machine; nearly all take some milliseconds."""

MEMORY = 64 << 20
"""Bytes that refusing may take beyond the file itself."""


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_is_refused_by_its_own_sentence_soon_and_in_little_memory(attack: Attack) -> None:
    data, loop = attack.build(), "loop" in attack.name or "choice" in attack.name
    begun = time.process_time()
    with pytest.raises(ArtefactError, match=attack.says) as refusal:
        examine(data, loop=loop)
    assert time.process_time() - begun < SECONDS
    tracemalloc.start()
    with pytest.raises(ArtefactError):
        examine(data, loop=loop)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MEMORY
    assert str(refusal.value).endswith(".")
    assert len(str(refusal.value)) < 400


def test_every_attack_is_a_change_of_a_file_that_passes() -> None:
    passed = examine(sound())
    assert "groundstate" in passed.metadata
    assert not passed.loops
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) >= 50


@pytest.mark.parametrize("path", sorted(Path("models/groundstate_models").glob("*/*.onnx")), ids=lambda path: path.stem)
def test_bundled_models_pass_with_all_their_metadata(path: Path) -> None:
    model = onnx.load(path)
    passed = examine(path.read_bytes(), loop=False)
    assert passed.metadata == {entry.key: entry.value for entry in model.metadata_props}
    assert passed.nodes == len(model.graph.node)


def test_limits_are_the_hosts() -> None:
    with pytest.raises(ArtefactError, match="more than 100 nodes"):
        examine(sound(), limits=Limits(nodes=100))
    with pytest.raises(ArtefactError, match=r"at most 1,000 are accepted"):
        examine(sound(), limits=Limits(file=1000))


def test_no_truncation_and_no_flipped_bit_raises_anything_but_a_refusal() -> None:
    draw = random.Random(0)
    data = sound()
    for _ in range(150):
        changed = bytearray(data)
        for _ in range(draw.choice((1, 1, 2, 8))):
            changed[draw.randrange(len(changed))] ^= 1 << draw.randrange(8)
        if draw.random() < 0.3:
            del changed[draw.randrange(len(changed)) :]
        try:
            examine(bytes(changed))
        except ArtefactError as error:
            assert str(error).endswith(".")  # noqa: PT017 - either outcome is right; only the kind of refusal is asserted
