"""Energies of images: EBT, EqM, Energy Matching, compose-visual-relations, COMET, IGEBM and JEM."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import torch
from benchmarks.energies.catalogue import Example, entry
from benchmarks.energies.checkout import Checkout
from torch import Tensor, nn

EBT = ("alexiglad/EBT", "0ad3628")
ABSENT = ("pytorch_lightning", "torchmetrics", "diffusers", "transformers", "wandb", "imageio")
TORCHVISION = (
    "torchvision", "torchvision.transforms", "torchvision.transforms.functional", "torchvision.transforms.v2",
    "torchvision.models", "torchvision.utils", "torchvision.datasets", "torchvision.ops", "torchvision.ops.misc",
    "torchvision.models.feature_extraction", "timm.data",
)  # fmt: skip


def awaken(net: nn.Module) -> nn.Module:
    """Random weights where an initialisation is all zeros: a network of zeros would prove nothing."""
    with torch.no_grad():
        for parameter in net.parameters():
            if parameter.requires_grad and not parameter.any():
                parameter.normal_(0, 0.1)
    return net.eval()


class _Summed(nn.Module):
    """A network of the state, and of an input in second place, whose outputs of a row are summed."""

    def __init__(self, net: Callable[..., Tensor]) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, c: Tensor) -> Tensor:
        return self.net(state, c).flatten(1).sum(1)


@entry(12, "the bidirectional EBT of EBT_IMG_Denoise", *EBT)
def ebt_image(checkout: Checkout) -> Example:
    checkout.unused(*ABSENT, *TORCHVISION)
    net = checkout.load("model.bi_ebt_adaln").EBT(8, 2, 3, 32, 2, 4)
    return Example(_Summed(awaken(net)), torch.randn(2, 3, 8, 8), {"c": torch.randn(2, 32)})


class _Labelled(nn.Module):
    """EqM returns its field and its energy."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, t: Tensor, label: Tensor) -> Tensor:
        _, energy = self.net(state, t, label, get_energy=True, train=True)
        found: Tensor = energy
        return found


def _eqm(checkout: Checkout, kind: str) -> Example:
    checkout.unused(*TORCHVISION)
    net = checkout.load("models").EqM(8, 2, 4, 32, 2, 4, num_classes=5, learn_sigma=False, ebm=kind)
    inputs = {"t": torch.rand(2), "label": torch.randint(0, 5, (2,))}
    for block in net.blocks:
        block.attn.fused_attn = False  # PyTorch cannot differentiate the fused kernel twice
    return Example(_Labelled(awaken(net)), torch.randn(2, 4, 8, 8), inputs)


@entry(13, "EqM, explicit energy `l2`", "raywang4/EqM", "fe3b689")
def eqm_l2(checkout: Checkout) -> Example:
    return _eqm(checkout, "l2")


@entry(13, "EqM, explicit energy `dot`", "raywang4/EqM", "fe3b689")
def eqm_dot(checkout: Checkout) -> Example:
    return _eqm(checkout, "dot")


class _Field(nn.Module):
    """Half the squared length of EqM's field, which is itself a gradient."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, t: Tensor, label: Tensor) -> Tensor:
        field: Tensor = self.net(state, t, label, train=True)
        return 0.5 * field.square().sum((1, 2, 3))


@entry(13, "EqM, the squared norm of the field of `dot`", "raywang4/EqM", "fe3b689")
def eqm_field(checkout: Checkout) -> Example:
    example = _eqm(checkout, "dot")
    return Example(_Field(example.energy.net), example.state, example.inputs)  # type: ignore[attr-defined]


class _Potential(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor) -> Tensor:
        energy: Tensor = self.net.potential(state, None)  # type: ignore[operator]
        return energy


@entry(14, "EBViTModelWrapper", "m1balcerak/EnergyMatching", "18176e4", note="its U-Net from torchcfm 1.0.7")
def energy_matching(checkout: Checkout) -> Example:
    checkout.unused("torchdiffeq", "ot", "torchsde", "torchdyn", "torchdyn.core")
    module = checkout.load("experiments.cifar10.network_transformer_vit")
    net = module.EBViTModelWrapper(
        (3, 16, 16), 32, 1, [1, 2], "8", 2, 16, 0.0, embed_dim=32, transformer_nheads=2, transformer_nlayers=1,
        energy_clamp=500.0,
    )  # fmt: skip
    return Example(_Potential(awaken(net)), torch.randn(2, 3, 16, 16), batches=(1, 3))


class _Related(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, relation: Tensor) -> Tensor:
        energy: Tensor = self.net(state, relation)
        return energy.sum(1)


@entry(
    20,
    "ResNetModel, three scales, self-attention, spectral and group normalisation",
    "nanlliu/compose-visual-relations",
    "85b236e",
)
def visual_relations(checkout: Checkout) -> Example:
    checkout.unused("cv2", *TORCHVISION)
    options = SimpleNamespace(
        dataset="blocks", spec_norm=True, norm=True, cond=True, batch_size=2, multiscale=True, filter_dim=16, im_size=16,
        self_attn=True, square_energy=True, sigmoid=False, alias=False,
    )  # fmt: skip
    net = checkout.load("models").ResNetModel(options)
    labels = torch.stack([torch.randint(0, 4, (2,)), torch.randint(0, 2, (2,)), torch.randint(0, 4, (2,))], dim=1)
    return Example(_Related(awaken(net)), torch.rand(2, 3, 16, 16), {"relation": labels})


@entry(21, "LatentEBM", "yilundu/comet", "a6cf544")
def comet(checkout: Checkout) -> Example:
    checkout.unused("easydict", "IPython")
    options = SimpleNamespace(
        filter_dim=16, components=2, latent_dim=16, pos_embed=True, recurrent_model=False, dataset="tetris"
    )
    net = checkout.load("models").LatentEBM(options, [0])
    return Example(_Summed(awaken(net)), torch.rand(2, 3, 35, 35), {"c": torch.randn(2, 16)}, batches=(1, 3))


@entry(
    22, "IGEBM, conditional, its spectral normalisation a hook that sets buffers", "rosinality/igebm-pytorch", "3c4f104"
)
def igebm(checkout: Checkout) -> Example:
    net = awaken(checkout.load("model").IGEBM(4))
    return Example(_Summed(net), torch.rand(2, 3, 16, 16), {"c": torch.randint(0, 4, (2,))}, batches=(1, 3))


@entry(
    22, "IGEBM, its weights normalised once", "rosinality/igebm-pytorch", "3c4f104", note="hooks removed after one call"
)
def igebm_frozen(checkout: Checkout) -> Example:
    example = igebm(checkout)
    energy: Any = example.energy
    energy(example.state, **example.inputs)
    for module in energy.modules():
        vars(module)["_forward_pre_hooks"].clear()
        for name, value in list(module.named_buffers(recurse=False)):
            setattr(module, name, value.detach())
    return example


class _Joint(nn.Module):
    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, state: Tensor, label: Tensor) -> Tensor:
        energy: Tensor = -self.net(state, label)
        return energy.squeeze(1)


@contextlib.contextmanager
def _old_names() -> Iterator[None]:
    """Names of ``torch.nn.init`` that PyTorch has dropped."""
    before = dict(vars(nn.init))
    nn.init.__dict__.setdefault("xavier_uniform", nn.init.xavier_uniform_)
    nn.init.__dict__.setdefault("constant", nn.init.constant_)
    try:
        yield
    finally:
        for name in set(vars(nn.init)) - set(before):
            delattr(nn.init, name)


@entry(23, "Wide_ResNet, batch normalisation in evaluation mode, with JEM's class energy", "wgrathwohl/JEM", "3d01161")
def jem(checkout: Checkout) -> Example:
    with _old_names():
        net = checkout.load("wideresnet").Wide_ResNet(10, 1, norm="batch")
    return Example(
        _Joint(_Classifier(awaken(net), 5)),
        torch.rand(2, 3, 32, 32),
        {"label": torch.randint(0, 5, (2,))},
        batches=(1, 3),
    )


class _Classifier(nn.Module):
    """`CCF` of the training script, which cannot be imported without a GPU's set-up: the class's logit is minus the energy."""

    def __init__(self, net: Any, classes: int) -> None:
        super().__init__()
        self.net, self.read_out = net, nn.Linear(net.last_dim, classes)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return torch.gather(self.read_out(self.net(x)), 1, label[:, None])
