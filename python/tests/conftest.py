"""What needs torch is left out where there is none: the package works without it."""

import importlib.util

collect_ignore_glob = [] if importlib.util.find_spec("torch") else ["torch_*"]
