"""Two processes over gloo, started by torch_processes.py: prints one line a case."""

import gc
import pathlib
import sys

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from presam.torch import SAM

from nets import INPUTS, TARGETS, flat, loss_of, network


def replicas_equal(model, world):
    everyone = [torch.zeros_like(flat(model)) for _ in range(world)]
    dist.all_gather(everyone, flat(model))
    return all(torch.equal(everyone[0], other) for other in everyone)


def run(rank, world, variant, local, overflow_at, together):
    """Four steps; the first backward is synchronised, or each process perturbs along its own gradient."""
    model = network()
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    options = {} if together else {"process_group": None}
    optimizer = SAM(model.parameters(), variant, rho=0.3, lr=0.1, momentum=0.9, **options)
    x, y, outcomes = INPUTS.double()[rank::world], TARGETS[rank::world], []
    for k in range(4):
        bad = k == overflow_at and rank == 1
        with parallel.no_sync() if local else torch.enable_grad():
            (loss_of(parallel(x), y) * (float("inf") if bad else 1)).backward()
        optimizer.first_step(zero_grad=True)
        loss_of(parallel(x), y).backward()
        outcomes.append(optimizer.second_step(zero_grad=True))
    return replicas_equal(model, world), outcomes, flat(model)


def parallel_main(rank, world):
    for variant in ("sam", "info-asam"):
        for local in (False, True):
            for overflow_at in (None, 1):
                equal, outcomes, end = run(rank, world, variant, local, overflow_at, True)
                if rank == 0:
                    print(variant, "local" if local else "synchronised", overflow_at, equal, ",".join(outcomes), flush=True)
                    if not local and overflow_at is None:
                        print("end", variant, *end.tolist(), flush=True)
    equal, outcomes, _ = run(rank, world, "sam", True, 1, False)
    if rank == 0:
        print("alone", equal, flush=True)


def sharded_main(rank, world):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    model = torch.nn.Linear(4, 4)
    fully_shard(model, mesh=init_device_mesh("cpu", (world,)))
    try:
        SAM(model.parameters(), "sam", rho=0.3)
    except TypeError as error:
        if rank == 0:
            print(error, flush=True)


def main(rank, world, meet, what):
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=pathlib.Path(meet).as_uri(), rank=rank, world_size=world)
    {"parallel": parallel_main, "sharded": sharded_main}[what](rank, world)
    # The models' cycles hold the group: one that outlives its end, or a peer that leaves first, aborts the process.
    gc.collect()
    dist.barrier()
    dist.destroy_process_group()


if __name__ == "__main__":
    mp.spawn(main, args=(2, *sys.argv[1:]), nprocs=2)
