"""Energies of tokens: EBT, Energy Transformer, Hyper-SET, AKOrN, Enso, and recursive reasoners as energies."""

from __future__ import annotations

from typing import Any

import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from benchmarks.energies.images import ABSENT, EBT, TORCHVISION, awaken
from torch import Tensor, nn
from torch.nn import functional

HYPERSET = ("huyunzhe/hyper-set", "5e5cc36")


class _NextTokens(nn.Module):
    """EBT's language model: logits of the next tokens are the state, softmaxed and embedded at each step."""

    def __init__(self, net: nn.Module, vocabulary: int, width: int) -> None:
        super().__init__()
        self.net, self.embedding = net, nn.Embedding(vocabulary, width)

    def forward(self, state: Tensor, tokens: Tensor) -> Tensor:
        guesses = state.softmax(-1) @ self.embedding.weight
        energies: Tensor = self.net(torch.cat([self.embedding(tokens), guesses], dim=1), 0)
        return energies.flatten(1).sum(1)


@entry(11, "EBTDefault with EBT_NLP's embedding: complex rotary embedding, super-diagonal writes", *EBT)
def ebt_language(checkout: Checkout) -> Example:
    checkout.unused(*ABSENT, *TORCHVISION)
    checkout.load("model.model_utils")
    module = checkout.load("model.ar_ebt_default")
    arguments = module.EBTModelArgs(dim=16, n_layers=2, n_heads=2, max_seq_len=8)
    net = awaken(module.EBTDefault(arguments))
    return Example(_NextTokens(net, 11, 16), torch.randn(2, 5, 11), {"tokens": torch.randint(0, 11, (2, 5))})


class _Transformed(nn.Module):
    """The energy of each row of layer-normalised tokens."""

    def __init__(self, norm: nn.Module, block: nn.Module) -> None:
        super().__init__()
        self.norm, self.block = norm, block

    def forward(self, state: Tensor) -> Tensor:
        energies: Tensor = torch.vmap(self.block)(self.norm(state))
        return energies


def _hyperset(checkout: Checkout, kind: str) -> Any:
    checkout.unused("hydra", "hydra.core", "hydra.core.hydra_config", "loguru", "omegaconf", "wandb")
    module = checkout.load("sudoku.models")
    config = module.ModelConfig(
        10, 9, n_embd=16, n_head=2, model_type=kind, multiplier=4, adaptive_mode="gd_with_learnable_step_size"
    )
    return awaken(module.Block(config))


@entry(24, "ETBlock of layer-normalised tokens, by `torch.vmap`", *HYPERSET)
def energy_transformer(checkout: Checkout) -> Example:
    block = _hyperset(checkout, "et")
    return Example(_Transformed(block.norm, block.block), torch.randn(2, 9, 16))


class _StepLength(nn.Module):
    """Half the squared length of a block's update, which it finds with `torch.func.grad_and_value`."""

    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, state: Tensor) -> Tensor:
        moved, _ = self.block(state)
        return 0.5 * (moved - state).square().sum((1, 2))


@entry(
    24,
    "the squared update of an Energy Transformer block",
    *HYPERSET,
    note="draws `randn` for a value it returns and nobody reads",
)
def energy_transformer_update(checkout: Checkout) -> Example:
    return Example(_StepLength(_hyperset(checkout, "et")), torch.randn(2, 9, 16))


class _Terms(nn.Module):
    def __init__(self, norm: nn.Module, attention: nn.Module, memory: nn.Module) -> None:
        super().__init__()
        self.norm, self.attention, self.memory = norm, attention, memory

    def forward(self, state: Tensor) -> dict[str, Tensor]:
        tokens = self.norm(state).unsqueeze(1)
        return {"attention": torch.vmap(self.attention)(tokens), "memory": torch.vmap(self.memory)(tokens)}


@entry(
    24,
    "MultiheadEnergyAttention and HopfieldNetwork, two terms, by `torch.vmap`",
    "b-vitamins/energy-transformer",
    "8e374ad",
)
def energy_transformer_terms(checkout: Checkout) -> Example:
    for package in ("energy_transformer", "energy_transformer.layers"):
        checkout.package(package, package.replace(".", "/"))
    layers = "energy_transformer.layers."
    norm = checkout.load(layers + "layer_norm").EnergyLayerNorm(16)
    attention = checkout.load(layers + "attention").MultiheadEnergyAttention(16, 2, init_std=0.2)
    memory = checkout.load(layers + "hopfield").HopfieldNetwork(16, init_std=0.2)
    return Example(_Terms(norm, attention, memory), torch.randn(2, 9, 16))


class _HyperSet(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block = block

    def forward(self, state: Tensor) -> dict[str, Tensor]:
        _, attention, memory = self.block.energy(state)  # type: ignore[operator]
        return {"attention": attention.squeeze(1), "feedforward": memory.squeeze(1)}


@entry(25, "the energy of a Hyper-SET block", *HYPERSET)
def hyperset(checkout: Checkout) -> Example:
    return Example(_HyperSet(_hyperset(checkout, "hyper-set")), torch.randn(2, 9, 16))


class _HyperSetStep(nn.Module):
    def __init__(self, block: nn.Module) -> None:
        super().__init__()
        self.block, self.step = block, nn.Parameter(torch.rand(9, 32))

    def forward(self, state: Tensor) -> Tensor:
        moved, _ = self.block(state, self.step.expand(len(state), -1, -1))
        return 0.5 * (moved - state).square().sum((1, 2))


@entry(25, "the squared update of a Hyper-SET block: softmax over rows and columns, tied weights", *HYPERSET)
def hyperset_update(checkout: Checkout) -> Example:
    return Example(_HyperSetStep(_hyperset(checkout, "hyper-set")), torch.randn(2, 9, 16))


class _Oscillators(nn.Module):
    """The energy that AKOrN's layer reports for a state: normalised to the sphere, minus its agreement with its neighbours."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, state: Tensor, c: Tensor) -> Tensor:
        _, energies = self.layer(state, c, 1, 0.1)
        found: Tensor = energies[-1]
        return found


@entry(26, "KLayer, convolutional couplings", "autonomousvision/akorn", "eabbe27")
def akorn_conv(checkout: Checkout) -> Example:
    layer = checkout.load("source.layers.klayer").KLayer(4, 16, "conv", use_omega=True)
    return Example(_Oscillators(layer), torch.randn(2, 16, 4, 4), {"c": torch.randn(2, 16, 4, 4)})


@entry(26, "KLayer, attention as couplings, geometric transform", "autonomousvision/akorn", "eabbe27")
def akorn_attention(checkout: Checkout) -> Example:
    layer = checkout.load("source.layers.klayer").KLayer(4, 16, "attn", heads=2, gta=True, hw=[4, 4])
    return Example(_Oscillators(layer), torch.randn(2, 16, 4, 4), {"c": torch.randn(2, 16, 4, 4)})


class _Consistency(nn.Module):
    """The energy that Enso's `solve` descends, at its last temperature: predict, decode, encode again, compare."""

    def __init__(self, net: Any, penalty: Any, distance: Any) -> None:
        super().__init__()
        self.net, self.penalty, self.distance = net, penalty, distance

    def forward(self, state: Tensor, puzzle: Tensor, mask: Tensor) -> dict[str, Tensor]:
        net = self.net
        context = net.context_encoder(puzzle)
        digits = net.decoder(context, state, puzzle, mask).softmax(-1)
        again = net.target_encoder(digits.permute(0, 3, 1, 2))
        return {"consistency": self.distance(net.predictor(context, state), again), "rules": 3.0 * self.penalty(digits)}


@entry(31, "SudokuJEPA, the energy that `solve` descends", "MVPandey/Enso", "8013c8f")
def enso(checkout: Checkout) -> Example:
    checkout.provide("pydantic_settings", BaseSettings=object, SettingsConfigDict=dict)
    checkout.package("ebm", "src/ebm")
    checkout.package("ebm.model", "src/ebm/model")
    module = checkout.load("ebm.model.jepa", "src")
    sizes = module.ArchitectureConfig(
        d_model=16, n_layers=2, n_heads=2, d_ffn=32, d_latent=8, predictor_hidden=16, decoder_layers=1, decoder_heads=2,
        decoder_d_cell=8,
    )  # fmt: skip
    net = module.SudokuJEPA(sizes).eval()
    digits = torch.randint(0, 10, (2, 9, 9))
    inputs = {
        "puzzle": functional.one_hot(digits, 10).permute(0, 3, 1, 2).float().contiguous(),
        "mask": (digits > 0).float(),
    }
    return Example(_Consistency(net, module.constraint_penalty, module.energy_fn), torch.randn(2, 8), inputs)


class _FixedPoint(nn.Module):
    """How far a recursive network is from leaving its latent where it is, half the squared distance."""

    def __init__(self, net: nn.Module, width: int, rotary: nn.Module | None = None) -> None:
        super().__init__()
        self.net, self.embedding, self.rotary = net, nn.Embedding(11, width), rotary

    def forward(self, state: Tensor, tokens: Tensor) -> Tensor:
        given = self.embedding(tokens)
        cos_sin = self.rotary() if self.rotary is not None else None
        moved: Tensor = self.net(state, given, cos_sin=cos_sin)
        return 0.5 * (moved - state).square().sum((1, 2))


def _recursive(checkout: Checkout, module: str, prefix: str, **more: Any) -> Example:
    code = checkout.load(module)
    rotary = checkout.load("models.layers").RotaryEmbedding(8, 9, 10000.0)
    config = getattr(code, prefix + "Config")(
        batch_size=2, seq_len=9, num_puzzle_identifiers=1, vocab_size=11, H_cycles=1, L_cycles=1, H_layers=1, L_layers=2,
        hidden_size=16, expansion=2.0, num_heads=2, pos_encodings="rope", halt_max_steps=1, halt_exploration_prob=0.0,
        forward_dtype="float32", **more,
    )  # fmt: skip
    blocks = [getattr(code, prefix + "Block")(config) for _ in range(2)]
    net = awaken(getattr(code, prefix + "ReasoningModule")(layers=blocks))
    tokens = torch.randint(0, 11, (2, 9), dtype=torch.int32)
    return Example(_FixedPoint(net, 16, rotary), torch.randn(2, 9, 16), {"tokens": tokens})


@entry(32, "TRM's reasoning module, its residual as an energy", "SamsungSAILMontreal/TinyRecursiveModels", "e7b6871")
def trm(checkout: Checkout) -> Example:
    return _recursive(checkout, "models.recursive_reasoning.trm", "TinyRecursiveReasoningModel_ACTV1")


@entry(
    32,
    "HRM's reasoning module, its residual as an energy",
    "sapientinc/HRM",
    "42410da",
    note="flash attention absent: answered by PyTorch's",
)
def hrm(checkout: Checkout) -> Example:
    def flash(q: Tensor, k: Tensor, v: Tensor, causal: bool) -> Tensor:
        heads_first = (x.transpose(1, 2) for x in (q, k, v))
        return functional.scaled_dot_product_attention(*heads_first, is_causal=causal).transpose(1, 2).contiguous()

    checkout.provide("flash_attn_interface", flash_attn_func=flash)
    return _recursive(checkout, "models.hrm.hrm_act_v1", "HierarchicalReasoningModel_ACTV1")


class _Lattice(nn.Module):
    """The entropy of the candidates that a lattice deduction network keeps, and its distance to the state."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor) -> dict[str, Tensor]:
        found = self.net(state.sigmoid())
        return {
            "kept": functional.binary_cross_entropy_with_logits(found["bce"], state.sigmoid(), reduction="none").sum(
                (1, 2)
            ),
            "conflict": found["conflict"].squeeze(1),
        }


@entry(
    32,
    "LDT's PowersetModel, four loops, rotary embedding in two dimensions",
    "santolucito/lattice-deduction-transformers",
    "e31585c",
)
def ldt(checkout: Checkout) -> Example:
    module = checkout.load("lattice_diffusion.models.looped_transformer", "src")
    config = module.LoopedTransformerConfig(
        dim=16, seq_len=16, n_channels=4, grid_rows=4, grid_cols=4, num_layers=1, n_heads=2, n_loops=4, cls_token=True,
        use_rope=True,
    )  # fmt: skip
    return Example(_Lattice(awaken(module.PowersetModel(config))), torch.randn(2, 16, 4))
