"""Energies of graphs: IREM's, the compositional colouring and crosswords, and Diffusion-CCSP's constraints."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from benchmarks.energies.reasoning import COMPOSITIONAL, IREM, compositional_models, mlp
from torch import Tensor, nn

from groundstate_export import GradientDescent

NODES = 4


def _edges() -> Tensor:
    return torch.tensor(list(itertools.permutations(range(NODES), 2))).T.contiguous()


def _merged(edges: Tensor, rows: int) -> Tensor:
    """The edges of ``rows`` copies of a graph side by side, as torch_geometric batches graphs."""
    return (edges[:, None] + NODES * torch.arange(rows)[None, :, None]).flatten(1)


class _Merged(nn.Module):
    """Each row a graph of the same shape, its edges the state; the rows merged into one graph."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("edges", _edges())

    def forward(self, state: Tensor, nodes: Tensor, weights: Tensor) -> Tensor:
        rows = len(state)
        graph = SimpleNamespace(
            x=nodes.flatten(0, 1),
            edge_index=_merged(self.edges, rows),
            edge_attr=weights.flatten(0, 1),
            batch=torch.arange(rows).repeat_interleave(NODES),
        )
        energy: Tensor = self.net(graph, state.flatten(0, 1))
        return energy.squeeze(1)


class _Static(nn.Module):
    """The same without merging: torch_geometric's layers take features with the batch in front of the nodes."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("edges", _edges())

    def forward(self, state: Tensor, nodes: Tensor, weights: Tensor) -> Tensor:
        graph = SimpleNamespace(x=nodes, edge_index=self.edges, edge_attr=weights, batch=None)
        energy: Tensor = self.net(graph, state)
        return energy.flatten(1).sum(1)


def _irem(checkout: Checkout, kind: type[nn.Module]) -> Example:
    net = checkout.load("graph_models").GraphEBM(1, 1, mem=False)
    edges = NODES * (NODES - 1)
    inputs = {"nodes": torch.randn(2, NODES, 1), "weights": torch.rand(2, edges, 1)}
    return Example(kind(net), torch.randn(2, edges, 1), inputs, GradientDescent(1e-3))


@entry(10, "GraphEBM: GINEConv and global_max_pool, one graph for all rows", *IREM)
def irem_graph(checkout: Checkout) -> Example:
    return _irem(checkout, _Static)


@entry(10, "GraphEBM, the rows merged into one graph", *IREM)
def irem_merged(checkout: Checkout) -> Example:
    return _irem(checkout, _Merged)


class _Coloured(nn.Module):
    def __init__(self, net: Any) -> None:
        super().__init__()
        self.net = net
        self.register_buffer("edges", _edges())

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        energies: Tensor = self.net.neg_logp_unnorm(state, t[:, None].expand(-1, NODES), x_initial=self.edges)
        return energies.sum(1)


def _colour(checkout: Checkout, layer: str) -> Example:
    models = compositional_models(checkout)
    net = models.EBMDiffModel(models.ColorGNN(100, 3, 16, 3, conv_type=layer)).eval()
    return Example(_Coloured(net), torch.randn(2, NODES, 3), {"t": torch.randint(0, 100, (2,))})


@entry(17, "ColorGNN of SAGEConv in EBMDiffModel", *COMPOSITIONAL)
def colour_sage(checkout: Checkout) -> Example:
    return _colour(checkout, "SAGE")


@entry(17, "ColorGNN of GCNConv in EBMDiffModel", *COMPOSITIONAL)
def colour_gcn(checkout: Checkout) -> Example:
    return _colour(checkout, "GCN")


class _Crossword(nn.Module):
    """`EBMCrossWorld`, told that its chunk of the batch is the whole batch, so that its loop over chunks runs once."""

    def __init__(self, net: Any, size: int, words: Tensor) -> None:
        super().__init__()
        self.net, self.size = net, size
        self.register_buffer("words", words)

    def forward(self, state: Tensor, t: Tensor) -> Tensor:
        model: Any = self.net
        whole = SimpleNamespace(net=model.net, dimension=self.size, vocab_dim=state.shape[-1], batch_size=len(state))
        clues = {"h_words": self.words, "v_words": self.words.flip(0)}
        energy: Tensor = type(model).neg_logp_unnorm(whole, state, t, clues)
        return energy


@entry(18, "EBMCrossWorld", *COMPOSITIONAL, note="3 × 3 cells, 5 letters")
def crossword(checkout: Checkout) -> Example:
    models = compositional_models(checkout)
    row = models.EBMDiffModel(mlp(models, 3 * 5 + 4, 15)).eval()
    model = models.EBMCrossWorld(row, 3, 5, 4)
    return Example(_Crossword(model, 3, torch.randn(3, 4)), torch.randn(2, 3, 3, 5), {"t": torch.randint(0, 100, (2,))})


class _Constrained(nn.Module):
    """The summed energy of the constraints between objects, of each row alone; the objects of a row are given once."""

    def __init__(self, net: Any, constraints: dict[int, list[tuple[int, int]]]) -> None:
        super().__init__()
        self.net = net
        self.constraints = {kind: torch.tensor(pairs) for kind, pairs in constraints.items()}

    def forward(self, state: Tensor, sizes: Tensor, t: Tensor) -> Tensor:
        net, rows = self.net, len(state)
        shapes, places, time = net.geom_encoder(sizes), net.pose_encoder(state), net.time_mlp(t)
        total = state.new_zeros(rows)
        for kind, pairs in self.constraints.items():
            given = {
                "geoms_emb": shapes[:, pairs].flatten(0, 1),
                "poses_emb": places[:, pairs].flatten(0, 1),
                "time_embedding": time.repeat_interleave(len(pairs), 0),
            }
            moved = net._process_constraint(kind, given)
            total = total + (moved - state[:, pairs].flatten(0, 1)).square().reshape(rows, -1).sum(1)
        return total


def _diffuser(checkout: Checkout) -> Any:
    checkout.unused("ipdb", "jactorch", "jactorch.nn", "matplotlib", "matplotlib.pyplot")
    module = checkout.load("networks.denoise_fn")
    return module.ConstraintDiffuser(
        ((2, 0, 2), (4, 2, 6)),
        32,
        input_mode="qualitative",
        EBM="ULA",
        energy_wrapper=True,
        device="cpu",
        verbose=False,
    ).eval()


CCSP = ("zt-yang/diffusion-ccsp", "3bbcdd8")


@entry(
    19,
    "ConstraintDiffuser, energies of fixed constraints",
    *CCSP,
    note="its encoders and networks; the pairs of each constraint fixed",
)
def ccsp(checkout: Checkout) -> Example:
    energy = _Constrained(_diffuser(checkout), {1: [(1, 0), (2, 0)], 6: [(1, 2)], 9: [(2, 3), (3, 1)]})
    return Example(
        energy, torch.randn(2, NODES, 4), {"sizes": torch.rand(2, NODES, 2), "t": torch.randint(0, 100, (2,))}
    )
