import numpy as np
import pytest

torch = pytest.importorskip("torch")

from groundstate_models.jigsaw.network import SeamNetwork  # noqa: E402
from groundstate_models.jigsaw.train import CANDIDATES, batch, loss_of, sheets  # noqa: E402
from tests.models.jigsaw.scenes import scene  # noqa: E402


def test_a_batch_names_the_true_neighbour_among_the_candidates():
    rng = np.random.default_rng(0)
    (sheet, *_) = sheets(rng, {"photograph": [scene(300, 400)]}, kind="photograph", size=28, worn=0)
    along, across, whole, target = batch(sheet, rng, 12)
    assert along.shape[0] == across.shape[0] == whole.shape[0] == 12 * CANDIDATES
    assert (target < CANDIDATES).any()
    loss, right = loss_of(SeamNetwork(), (along, across, whole, target))
    assert right > 0.8  # the untrained network is the hand-made compatibility, and nothing is worn
    assert torch.isfinite(loss)


def test_a_few_steps_on_one_batch_lower_its_loss():
    torch.manual_seed(0)
    rng = np.random.default_rng(1)
    drawn = batch(sheets(rng, {"photograph": [scene(300, 400, 1)]}, kind="photograph", size=28, worn=2)[0], rng, 8)
    network = SeamNetwork()
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)
    before = loss_of(network, drawn)[0].item()
    for _ in range(8):
        optimiser.zero_grad()
        loss_of(network, drawn)[0].backward()
        optimiser.step()
    assert loss_of(network, drawn)[0].item() < before
