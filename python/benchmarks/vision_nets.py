"""The networks of vision.py: a U-Net with group norm, and residual networks with batch norm for pictures of 32x32."""

import torch
from torch import nn
from torch.nn import functional as F


def twice(given, width):
    """Two convolutions, each with its norm."""
    one = lambda given: [nn.Conv2d(given, width, 3, padding=1, bias=False), nn.GroupNorm(4, width), nn.ReLU()]
    return nn.Sequential(*one(given), *one(width))


class UNet(nn.Module):
    """Three scales, 12, 24 and 44 wide: 62 thousand parameters."""

    def __init__(self, channels, classes, widths=(12, 24, 44)):
        super().__init__()
        self.down = nn.ModuleList(twice(a, b) for a, b in zip((channels, *widths), widths))
        self.up = nn.ModuleList(twice(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1]))
        self.out = nn.Conv2d(widths[0], classes, 1)

    def forward(self, x):
        kept = []
        for k, block in enumerate(self.down):
            x = block(F.max_pool2d(x, 2) if k else x)
            kept.append(x)
        for block, beside in zip(self.up, kept[-2::-1]):
            x = block(torch.cat([F.interpolate(x, scale_factor=2), beside], 1))
        return self.out(x)


class Block(nn.Module):
    """Two convolutions and what goes by; `early` has norm and rectifier before each (wide networks)."""

    def __init__(self, given, width, stride, early):
        super().__init__()
        self.early = early
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in ((given, width) if early else (width, width)))
        self.first = nn.Conv2d(given, width, 3, stride, 1, bias=False)
        self.second = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.by = nn.Conv2d(given, width, 1, stride, bias=False) if given != width or stride > 1 else nn.Identity()

    def forward(self, x):
        first, second = self.norms
        if self.early:
            return self.by(x) + self.second(F.relu(second(self.first(F.relu(first(x))))))
        return F.relu(self.by(x) + second(self.second(F.relu(first(self.first(x))))))


def residual(widths, blocks, early=False):
    def made(channels, classes):
        start = 16 if early else widths[0]
        layers, given = [nn.Conv2d(channels, start, 3, padding=1, bias=False)], start
        layers += [] if early else [nn.BatchNorm2d(start), nn.ReLU()]
        for stage, width in enumerate(widths):
            for k in range(blocks):
                layers.append(Block(given, width, 2 if stage and not k else 1, early))
                given = width
        layers += [nn.BatchNorm2d(given), nn.ReLU()] if early else []
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(given, classes))

    return made


NETS = {
    "unet": UNet,
    "resnet8": residual((16, 32, 64), 1),
    "resnet20": residual((16, 32, 64), 3),
    "resnet18": residual((64, 128, 256, 512), 2),
    "wrn16-4": residual((64, 128, 256), 2, early=True),
}
