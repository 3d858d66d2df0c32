"""Which models the zoo holds, and where each architecture is from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torchvision
from skipnet import SkipNetM
from torch import nn

TORCHVISION = f"torchvision {torchvision.__version__.split('+')[0]}"


@dataclass(frozen=True)
class Architecture:
    """How to build a model, with random weights."""

    build: Callable[[], nn.Module]
    source: str = TORCHVISION
    licence: str = "BSD-3-Clause"
    """SPDX identifier of the source's code."""
    side_px: int = 224
    """Height and width of the image it takes."""

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (1, 3, self.side_px, self.side_px)


def from_torchvision(name: str, side_px: int = 224, **options: bool) -> Architecture:
    return Architecture(lambda: getattr(torchvision.models, name)(weights=None, **options), side_px=side_px)


def vit_tiny_16() -> nn.Module:
    return torchvision.models.VisionTransformer(
        image_size=224, patch_size=16, num_layers=12, num_heads=3, hidden_dim=192, mlp_dim=768
    )


# In the catalogue's order. Auxiliary classifiers exist for training only.
ARCHITECTURES = {
    "squeezenet1_1": from_torchvision("squeezenet1_1"),
    "shufflenet_v2_x1_0": from_torchvision("shufflenet_v2_x1_0"),
    "mobilenet_v3_small": from_torchvision("mobilenet_v3_small"),
    "mobilenet_v3_large": from_torchvision("mobilenet_v3_large"),
    "mobilenet_v2": from_torchvision("mobilenet_v2"),
    "mnasnet1_0": from_torchvision("mnasnet1_0"),
    "efficientnet_b0": from_torchvision("efficientnet_b0"),
    "resnet18": from_torchvision("resnet18"),
    "resnet50": from_torchvision("resnet50"),
    "densenet121": from_torchvision("densenet121"),
    "regnet_x_400mf": from_torchvision("regnet_x_400mf"),
    "googlenet": from_torchvision("googlenet", aux_logits=False, init_weights=True),
    "inception_v3": from_torchvision("inception_v3", side_px=299, aux_logits=False, init_weights=True),
    "skipnet_m": Architecture(SkipNetM, "Bias Loss for Mobile Neural Networks, ICCV 2021", "MIT"),
    "vit_tiny_16": Architecture(vit_tiny_16),
}
INT8 = ("squeezenet1_1", "shufflenet_v2_x1_0", "mobilenet_v3_large", "mobilenet_v2", "resnet50")
