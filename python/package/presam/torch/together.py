"""One decision for every process: a step that one of them must skip is skipped by all, else their replicas part."""

from typing import Callable, Optional

import torch
import torch.distributed as dist

# Its WORLD is torch's default group, None before there is one: asked in every step, so without a function between.
MEMBER = dist.GroupMember if dist.is_available() else None


def decision(group) -> Optional[Callable[[bool], bool]]:
    """What turns "finite here" into "finite everywhere"; None where this process is alone."""
    if group is None or MEMBER is None or MEMBER.WORLD is None:
        return None
    group = None if group == "default" else group
    if dist.get_world_size(group) == 1:
        return None

    def everywhere(here: bool) -> bool:
        flag = torch.tensor([int(here)])
        dist.all_reduce(flag, op=dist.ReduceOp.MIN, group=group)
        return bool(flag.item())

    return everywhere
