"""Energies of iterative reasoning: IRED, IREM, and the compositional queens, clauses and crosswords."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from torch import Tensor, nn

IRED = ("yilundu/ired_code_release", "3d74b85")
IREM = ("yilundu/irem_code_release", "d0de28d")
COMPOSITIONAL = ("alexOarga/compositional_reasoning", "b307e4d")


class _Joined(nn.Module):
    """A network of ``[x, y]`` and the landscape ``t``, as IRED's wrapper calls it."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, x: Tensor, t: Tensor) -> Tensor:
        energy: Tensor = self.net(torch.cat([x, state], dim=-1), t)
        return energy.squeeze(-1)


class _Apart(nn.Module):
    """A network of ``x``, ``y`` and the landscape ``t``."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, x: Tensor, t: Tensor) -> Tensor:
        energy: Tensor = self.net(x, state, t)
        return energy.reshape(len(state), -1).sum(1)


def _landscapes(rows: int = 2) -> Tensor:
    return torch.randint(0, 10, (rows,))


@entry(1, "EBM", *IRED)
def ired(checkout: Checkout) -> Example:
    net = checkout.load("models").EBM(20, 20).eval()
    return Example(_Joined(net), torch.randn(2, 20), {"x": torch.randn(2, 20), "t": _landscapes()})


def _boards(rows: int = 2) -> tuple[Tensor, Tensor]:
    puzzle = nn.functional.one_hot(torch.randint(0, 9, (rows, 81)), 9).float() * (torch.rand(rows, 81, 1) < 0.4)
    return puzzle.flatten(1), torch.randn(rows, 729)


@entry(2, "SudokuEBM", *IRED)
def ired_sudoku(checkout: Checkout) -> Example:
    net = checkout.load("models").SudokuEBM(729, 729).eval()
    puzzle, board = _boards()
    return Example(_Joined(net), board, {"x": puzzle, "t": _landscapes()}, batches=(1, 2))


@entry(3, "SudokuLatentEBM", *IRED)
def ired_latent(checkout: Checkout) -> Example:
    net = checkout.load("models").SudokuLatentEBM(729, 243).eval()
    return Example(_Joined(net), torch.randn(2, 243), {"x": _boards()[0], "t": _landscapes()}, batches=(1, 3))


class _Timed(nn.Module):
    """The class forgets to give its transformer the embedding of ``t`` that the transformer insists on."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, x: Tensor, t: Tensor) -> Tensor:
        net: Any = self.net
        parts = SimpleNamespace(
            time_mlp=net.time_mlp,
            input_embedding=net.input_embedding,
            transformer=lambda tokens: net.transformer(tokens, net.time_mlp(t)),
        )
        energy: Tensor = type(net).forward(parts, torch.cat([x, state], dim=-1), t)
        return energy.squeeze(-1)


@entry(4, "SudokuTransformerEBM", *IRED, note="its transformer given the time embedding that it asks for")
def ired_transformer(checkout: Checkout) -> Example:
    net = checkout.load("models").SudokuTransformerEBM(729, 729).eval()
    puzzle, board = _boards()
    return Example(_Timed(net), board, {"x": puzzle, "t": _landscapes()})


@entry(5, "GraphEBM (neural logic machine)", *IRED)
def ired_graph(checkout: Checkout) -> Example:
    net = checkout.load("models").GraphEBM(1, 1).eval()
    return Example(_Apart(net), torch.randn(2, 5, 5), {"x": torch.randn(2, 5, 5, 1), "t": _landscapes()})


@entry(
    6,
    "GNNConvEBM",
    *IRED,
    note="3 nodes, 2 moments, weights three times their initial size: see below",
)
def ired_planning(checkout: Checkout) -> Example:
    net = checkout.load("models").GNNConvEBM(1, 1).eval()
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.mul_(3.0)
    return Example(_Apart(net), torch.randn(2, 2, 3, 3, 1), {"x": torch.randn(2, 3, 3, 1), "t": _landscapes()})


@entry(7, "GNNConv1DEBMV2", *IRED)
def ired_path(checkout: Checkout) -> Example:
    net = checkout.load("models").GNNConv1DEBMV2(1, 1).eval()
    return Example(_Apart(net), torch.randn(2, 8, 6, 1), {"x": torch.randn(2, 6, 6, 1), "t": _landscapes()})


class _Irem(nn.Module):
    """IREM gives its networks ``[x, y]``, or ``[y, x]`` where the twin and the attention network take the state first."""

    def __init__(self, net: nn.Module, *, state_first: bool) -> None:
        super().__init__()
        self.net, self.state_first = net, state_first

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        pair = [state, x] if self.state_first else [x, state]
        energy: Tensor = self.net(torch.cat(pair, dim=-1))
        return energy.reshape(len(state))


@entry(8, "EBM", *IREM)
def irem(checkout: Checkout) -> Example:
    checkout.unused("easydict")
    net = checkout.load("models").EBM(20, 20, mem=False).eval()
    return Example(_Irem(net, state_first=False), torch.randn(2, 20), {"x": torch.randn(2, 20)})


@entry(8, "EBMTwin", *IREM)
def irem_twin(checkout: Checkout) -> Example:
    checkout.unused("easydict")
    net = checkout.load("models").EBMTwin(20, 20, mem=False).eval()
    return Example(_Irem(net, state_first=True), torch.randn(2, 20), {"x": torch.randn(2, 20)})


class _Attended(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, x: Tensor, index: Tensor) -> Tensor:
        energy: Tensor = self.net(torch.cat([state, x], dim=-1), index)
        return energy.sum(1)


@entry(9, "AttentionEBM", *IREM, note="its `.cuda()` left on the CPU")
def irem_attention(checkout: Checkout) -> Example:
    checkout.unused("easydict")
    net_of = checkout.load("models").AttentionEBM
    onto_a_gpu, Tensor.cuda = Tensor.cuda, lambda tensor: tensor  # type: ignore[assignment,method-assign]
    try:
        net = net_of(16, 4, 4).eval()
    finally:
        Tensor.cuda = onto_a_gpu  # type: ignore[method-assign]
    inputs = {"x": torch.randn(2, 16), "index": torch.randint(0, 16, (2, 4))}
    return Example(_Attended(net), torch.randn(2, 4), inputs)


def _step(rows: int = 2) -> Tensor:
    return torch.randint(0, 100, (rows,))


def mlp(models: Any, inputs: int, outputs: int) -> nn.Module:
    net: nn.Module = models.build_mlp(inputs, [32, 32], outputs, emb_dim=16)
    return net


def compositional_models(checkout: Checkout) -> Any:
    import torch_geometric.utils

    scatter = torch_geometric.utils.scatter

    def scatter_add(source: Tensor, index: Tensor, dim: int = -1, dim_size: int | None = None) -> Tensor:
        return scatter(source, index, dim, dim_size, "sum")

    checkout.provide("torch_scatter", scatter=scatter, scatter_add=scatter_add, scatter_mean=None)
    return checkout.load("comp_reasoning.models")


class _Norm(nn.Module):
    """The norm of a network's output is the energy (`EBMDiffModel`)."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        energy: Tensor = self.net.neg_logp_unnorm(state, t)  # type: ignore[operator]
        return energy


@entry(15, "EBMDiffModel", *COMPOSITIONAL, note="torch_scatter answered by torch_geometric")
def compositional(checkout: Checkout) -> Example:
    models = compositional_models(checkout)
    return Example(_Norm(models.EBMDiffModel(mlp(models, 8, 8)).eval()), torch.randn(2, 8), {"t": _step()})


class _Queens(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        energy: Tensor = self.net.neg_logp_unnorm(state, t, t, None)  # type: ignore[operator]
        return energy


@entry(16, "EBMProduct8queens", *COMPOSITIONAL, note="on a board of 5 × 5")
def compositional_queens(checkout: Checkout) -> Example:
    models = compositional_models(checkout)
    size = 5
    rows, diagonals = (models.EBMDiffReducedQueensModel(mlp(models, size, size), size, size).eval() for _ in range(2))
    return Example(
        _Queens(models.EBMProduct8queens(size, rows, diagonals, 1.0, 0.5)), torch.randn(2, 25), {"t": _step()}
    )
