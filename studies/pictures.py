"""CIFAR-10's binary version as IDX files of 16x16 pixels, each the mean of four: for studies/pictures.toml.

    python studies/pictures.py CIFAR OUT
"""

import pathlib
import struct
import sys

import numpy as np

cifar, out = map(pathlib.Path, sys.argv[1:])
out.mkdir(parents=True, exist_ok=True)
for files, name in (("data_batch_*.bin", "train"), ("test_batch.bin", "t10k")):
    rows = np.concatenate([np.fromfile(file, np.uint8).reshape(-1, 3073) for file in sorted(cifar.glob(files))])
    # Three planes of 16 rows below each other.
    small = rows[:, 1:].reshape(-1, 3, 16, 2, 16, 2).mean((3, 5)).round().astype(np.uint8)
    (out / f"{name}-images-idx3-ubyte").write_bytes(struct.pack(">4I", 0x803, len(rows), 48, 16) + small.tobytes())
    (out / f"{name}-labels-idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, len(rows)) + rows[:, 0].tobytes())
