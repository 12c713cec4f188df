"""Whose line a warning is told of."""

import sys


def outside() -> int:
    """The `stacklevel` of the nearest caller outside of presam and torch, however many of their frames lie between."""
    frame, level = sys._getframe(1), 1
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("presam", "torch"):
        frame, level = frame.f_back, level + 1
    return level
