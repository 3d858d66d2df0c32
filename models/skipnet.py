"""SkipNet-M, an image classifier for phones that torchvision does not have.

Architecture after Abrahamyan, Ziatchin, Chen, Deligiannis: Bias Loss for Mobile Neural Networks, ICCV 2021. It is
MobileNetV3's chain of inverted residuals, plus two skip blocks that carry an early feature map past whole stages.
"""

from __future__ import annotations

import torch
from torch import nn

# Each block: kernel, expansion, output channels, squeeze-excite, activation, stride.
STAGE_1 = (
    (3, 4, 24, False, nn.ReLU, 2),
    (3, 3, 24, False, nn.ReLU, 1),
    (5, 3, 40, True, nn.ReLU, 2),
    (5, 3, 40, True, nn.ReLU, 1),
    (5, 6, 40, True, nn.Hardswish, 1),
)
STAGE_2 = (
    (3, 6, 80, False, nn.Hardswish, 2),
    (3, 2.5, 80, False, nn.Hardswish, 1),
    (3, 2.3, 80, False, nn.Hardswish, 1),
    (3, 2.3, 80, False, nn.Hardswish, 1),
)
STAGES_3_AND_4 = (
    (3, 6, 112, True, nn.Hardswish, 1),
    (3, 6, 112, True, nn.Hardswish, 1),
    (5, 6, 160, True, nn.Hardswish, 2),
    (5, 6, 160, True, nn.Hardswish, 1),
    (5, 6, 160, True, nn.Hardswish, 1),
)
BASE_CHANNELS = 16


class SkipNetM(nn.Module):
    """For images of 224 × 224; 1000 classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = convolution(3, BASE_CHANNELS, 3, stride=2, activation=nn.Hardswish)
        self.base = InvertedResidual(BASE_CHANNELS, 3, 1, BASE_CHANNELS, False, nn.Hardswish, 1)
        self.stage_1, channels_1 = stage(BASE_CHANNELS, STAGE_1)
        self.skip_1 = skip_block(channels_1, expansion=6, kernel=5, shrink=4)
        self.stage_2, channels_2 = stage(channels_1, STAGE_2)
        self.skip_2 = skip_block(channels_2, expansion=2.3, kernel=3, shrink=8)
        self.stages_3_and_4, channels_4 = stage(channels_2, STAGES_3_AND_4)
        self.features = convolution(channels_4, 6 * channels_4, 1, activation=nn.Hardswish)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * channels_4, 1280), nn.Hardswish(), nn.Dropout(0.2), nn.Linear(1280, 1000)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        base = self.base(self.stem(image))
        signal = self.stage_1(base) + self.skip_1(base)
        signal = self.stage_2(signal) + self.skip_2(base)
        signal = self.features(self.stages_3_and_4(signal))
        return self.classifier(self.pool(signal).flatten(1))


class InvertedResidual(nn.Module):
    """Widen, filter each channel by itself, weigh the channels, narrow; with a shortcut where the shapes allow one."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        expansion: float,
        out: int,
        squeeze_excite: bool,
        activation: type[nn.Module],
        stride: int,
    ) -> None:
        super().__init__()
        wide = multiple_of_8(channels * expansion)
        layers = [] if wide == channels else [convolution(channels, wide, 1, activation=activation)]
        layers.append(convolution(wide, wide, kernel, stride, groups=wide, activation=activation))
        if squeeze_excite:
            layers.append(SqueezeExcite(wide))
        layers.append(convolution(wide, out, 1))
        self.layers = nn.Sequential(*layers)
        self.shortcut = stride == 1 and channels == out

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        result = self.layers(signal)
        return signal + result if self.shortcut else result


class SqueezeExcite(nn.Module):
    """Weigh each channel by a gate computed from the means of all."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow = multiple_of_8(channels / 4)
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, narrow, 1),
            nn.ReLU(),
            nn.Conv2d(narrow, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, signal: torch.Tensor) -> torch.Tensor:
        return signal * self.gate(signal)


def stage(channels: int, blocks: tuple[tuple, ...]) -> tuple[nn.Sequential, int]:
    """Return the blocks in a row, and how many channels leave the last."""
    layers = []
    for kernel, expansion, out, squeeze_excite, activation, stride in blocks:
        layers.append(InvertedResidual(channels, kernel, expansion, out, squeeze_excite, activation, stride))
        channels = out
    return nn.Sequential(*layers), channels


def skip_block(out: int, expansion: float, kernel: int, shrink: int) -> nn.Sequential:
    """Carry the base features, 1/shrink as high and wide, to a stage's output.

    The paper pools adaptively to the stage's size; for 224 × 224 images that is a plain pooling.
    """
    wide = multiple_of_8(BASE_CHANNELS * expansion)
    return nn.Sequential(
        nn.AvgPool2d(shrink),
        convolution(BASE_CHANNELS, wide, 1, activation=nn.ReLU),
        convolution(wide, wide, kernel, groups=wide, activation=nn.ReLU),
        convolution(wide, out, 1),
    )


def convolution(
    channels: int,
    out: int,
    kernel: int,
    stride: int = 1,
    groups: int = 1,
    activation: type[nn.Module] | None = None,
) -> nn.Sequential:
    """A convolution that keeps the size (before its stride), with batch norm and activation."""
    layers = [nn.Conv2d(channels, out, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([activation()] if activation else []))


def multiple_of_8(width: float) -> int:
    """The nearest multiple of 8, but no more than a tenth below: the rule of the MobileNets."""
    near = max(8, int(width + 4) // 8 * 8)
    return near if near >= 0.9 * width else near + 8
