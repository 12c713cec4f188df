"""Real networks: classification and segmentation, every method with the same budget of tuning.

    python python/benchmarks/vision.py nuclei --methods sgd sam info-asam --seeds 5 --out vision-out
    python python/benchmarks/vision.py nuclei --noise-kind foreign --noise 0.25 --radii 0.003 --seeds 3
    python python/benchmarks/vision.py cifar10:DIR --net resnet8 --noise 0.6 --tune --threads 2

Tasks: nuclei (carried along), camvid:DIR, cifar10:DIR. Networks: unet for the first two; resnet8, resnet20, resnet18 and
wrn16-4 for the last. The measure is the mean IoU of a segmentation and the accuracy of a classification. Called again, it
goes on where it was stopped: every run is kept in OUT/runs.jsonl, the one under way in OUT/running.pt, epoch by epoch.
OUT/results.json has the keys of docs/results.md of the repository; `presam report OUT` shows it with intervals and pictures.
The protocol is in docs/vision.md.
"""

import argparse
import gzip
import hashlib
import json
import pathlib
import platform
import statistics
import sys
import time

import numpy as np
import torch
from torch.nn import functional as F

import presam
from presam.torch import SAM, batch_norm_once, groups
from vision_nets import NETS

HERE = pathlib.Path(__file__).resolve().parent
METHODS = {name: {"variant": name} for name in ("sam", "asam", "fisher-sam", "vasso", "friendly-sam", "info-sam", "info-asam")}
METHODS["gsam"] = {"variant": "sam", "descent": "gsam"}
# Values that are tried and the factor between two of them.
STEPS, FACTOR = 5, 10**0.5
T95 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262]


# Data.


def idx(path):
    """An array of bytes from a gzipped IDX file."""
    whole = gzip.open(path).read()
    shape = np.frombuffer(whole, ">u4", whole[3], 4)
    return torch.from_numpy(np.frombuffer(whole, np.uint8, offset=4 + 4 * whole[3]).reshape(shape).copy())


def segmentation(folder, part):
    """Pictures n x channels x height x width, masks; class 11 of CamVid, not labelled, is -1."""
    images = next(folder.glob(f"{part}-images-idx*-ubyte.gz"))
    masks = next(p for p in sorted(folder.glob(f"{part}-*-ubyte.gz")) if p != images)
    x, y = idx(images).float() / 255, idx(masks).long()
    return (x[:, None] if x.ndim == 3 else x.movedim(-1, 1)).contiguous(), torch.where(y == 11, -1, y)


def cifar10(folder, part):
    """The binary files of CIFAR-10."""
    files = sorted(folder.glob("data_batch_*.bin" if part == "train" else "test_batch.bin"))
    rows = torch.from_numpy(np.concatenate([np.fromfile(f, np.uint8).reshape(-1, 3073) for f in files]))
    return rows[:, 1:].reshape(-1, 3, 32, 32).float() / 255, rows[:, 0].long()


class Task:
    """Pictures and targets, normalised by the training part; targets of training with their noise."""

    def __init__(self, name, limit, device="cpu"):
        kind, _, folder = name.partition(":")
        folder = pathlib.Path(folder).expanduser() if folder else HERE / "nuclei"
        read, self.classes = {"nuclei": (segmentation, 3), "camvid": (segmentation, 11), "cifar10": (cifar10, 10)}[kind]
        (self.x, self.y), (self.test_x, self.test_y) = read(folder, "train"), read(folder, "test")
        if limit:
            self.x, self.y, self.test_x, self.test_y = (t[:limit] for t in (self.x, self.y, self.test_x, self.test_y))
        mean, deviation = self.x.mean((0, 2, 3), keepdim=True), self.x.std((0, 2, 3), keepdim=True)
        self.x, self.test_x = (self.x - mean) / deviation, (self.test_x - mean) / deviation
        self.x, self.test_x = self.x.to(device), self.test_x.to(device)
        self.y, self.test_y = self.y.to(device), self.test_y.to(device)
        self.dense = self.y.ndim == 3

    def noisy(self, kind, level, seed):
        """Targets of which a share is wrong: labels drawn anew; masks of another picture, or moved by a pixel or two."""
        random, y = torch.Generator().manual_seed(1000 + seed), self.y.clone()
        chosen = torch.randperm(len(y), generator=random)[: round(level * len(y))].to(y.device)
        if not self.dense:
            y[chosen] = torch.randint(self.classes, (len(chosen),), generator=random).to(y.device)
        elif kind == "foreign":
            y[chosen] = y[chosen.roll(1)]
        else:
            for k in chosen:
                by = torch.randint(1, 3, (2,), generator=random) * (2 * torch.randint(2, (2,), generator=random) - 1)
                y[k] = y[k].roll(tuple(by.tolist()), (0, 1))
        return y


def turned(x, y, random):
    """Flips, of both axes for masks; and for a classification crops out of a rim of 4."""
    dense = y.ndim == 3
    for axis in (-1, -2) if dense else (-1,):
        flip = (torch.rand(len(x), generator=random) < 0.5).to(x.device)
        x = torch.where(flip[:, None, None, None], x.flip(axis), x)
        y = torch.where(flip[:, None, None], y.flip(axis), y) if dense else y
    if not dense:
        i, j = torch.randint(9, (2,), generator=random).tolist()
        x = F.pad(x, (4, 4, 4, 4))[..., i : i + 32, j : j + 32]
    return x, y


@torch.no_grad()
def measured(model, x, y, classes):
    """The measure, the share of right pixels (or pictures), the mean loss."""
    model.eval()
    table, loss = torch.zeros(classes, classes, dtype=torch.int64, device=x.device), 0.0
    for part, targets in zip(x.split(64), y.split(64)):
        scores = model(part)
        loss += F.cross_entropy(scores, targets, ignore_index=-1).item() * len(part)
        known = targets >= 0
        table += (targets[known] * classes + scores.argmax(1)[known]).bincount(minlength=classes**2).reshape(classes, classes)
    model.train()
    right, whole = table.diag(), table.sum(0) + table.sum(1) - table.diag()
    share = (right.sum() / table.sum()).item()
    return ((right / whole)[whole > 0].mean().item() if y.ndim == 3 else share), share, loss / len(x)


def middle_radius(method, dense):
    """Of those that are tried: published ones for labels, a fifth of them for masks (a first look found SAM best there)."""
    return (0.01 if dense else 0.05) * (10 if method in ("asam", "info-asam") else 1)


# One run.


def optimizer_of(model, method, rho, flags, rate):
    options = dict(lr=rate, weight_decay=flags.weight_decay)
    options.update({"momentum": 0.9} if flags.base == "sgd" else {})
    parts = groups(model, lr=rate)
    for part, decay in zip(parts, (flags.weight_decay, 0.0)):
        part["weight_decay"] = decay
    if method == "sgd":
        plain = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW}[flags.base]
        return plain([{"params": p["params"], "weight_decay": p["weight_decay"]} for p in parts], **options)
    optimizer = SAM(parts, rho=rho, base=flags.base, **METHODS[method], **options)
    batch_norm_once(model, optimizer)
    return optimizer


def epoch_of(model, optimizer, x, y, flags, random):
    """One epoch: mean loss, seconds a step, length of the first perturbation."""
    losses, spent, length = [], [], 0.0
    plain = not isinstance(optimizer, SAM)
    params = list(model.parameters())
    flat = lambda: torch.cat([p.detach().reshape(-1) for p in params])
    for batch in torch.randperm(len(x), generator=random).to(x.device).split(flags.batch):
        inputs, targets = turned(x[batch], y[batch], random)

        def backward():
            optimizer.zero_grad()
            # On a GPU in bfloat16 where torch thinks it safe; the parameters stay float32.
            with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda):
                loss = F.cross_entropy(model(inputs), targets, ignore_index=-1)
            loss.backward()
            return loss.item()

        before = flat() if not losses and not plain else None
        begun = time.perf_counter()
        losses.append(backward())
        if plain:
            optimizer.step()
        else:
            optimizer.first_step()
            if before is not None:
                length = (flat() - before).norm().item()
            backward()
            optimizer.second_step()
        spent.append(time.perf_counter() - begun)
    return statistics.fmean(losses), statistics.fmean(spent), length


def run(task, key, flags, out):
    """Trains as `key` says and returns the record; goes on from OUT/running.pt where that is of the same run."""
    method, level, seed, rho, rate, tuning = (key[k] for k in ("method", "noise", "seed", "rho", "rate", "tuning"))
    torch.manual_seed(seed)
    channels = task.x.shape[1]
    model = NETS[flags.net](channels, task.classes).to(task.x.device)
    if task.x.is_cuda:
        # The order in which NVIDIA's convolutions are fastest.
        model = model.to(memory_format=torch.channels_last)
    random = torch.Generator().manual_seed(seed)
    x, given, true = task.x, task.noisy(flags.noise_kind, level, seed), task.y
    held_x, held_y = task.test_x, task.test_y
    if tuning:
        # Held-out training pictures, with the targets as given.
        cut = len(x) * 4 // 5
        held_x, held_y, x, given, true = x[cut:], given[cut:], x[:cut], given[:cut], true[:cut]
    # As many gradients for every method, where that is asked for.
    epochs = flags.epochs * (2 if method == "sgd" and flags.budget == "gradients" else 1)
    optimizer = optimizer_of(model, method, rho, flags, rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)
    history, times, lengths, seconds, saved = [], [], [], 0.0, out / "running.pt"
    if saved.exists():
        kept = torch.load(saved, weights_only=False)
        if kept["key"] == key:
            for thing, state in zip((model, optimizer, scheduler), kept["states"]):
                thing.load_state_dict(state)
            random.set_state(kept["random"])
            history, times, lengths, seconds = kept["so far"]
    for epoch in range(len(history) + 1, epochs + 1):
        begun, rate_now = time.perf_counter(), optimizer.param_groups[0]["lr"]
        loss, step, length = epoch_of(model, optimizer, x, given, flags, random)
        scheduler.step()
        score, share, _ = measured(model, held_x, held_y, task.classes)
        history.append(dict(epoch=epoch, learning_rate=rate_now, train_loss=number(loss), test_accuracy=score, right=share))
        times.append(step)
        lengths.append(length)
        seconds += time.perf_counter() - begun
        left = seconds / epoch * (epochs - epoch)
        print(f"\r{method} noise {level:g} seed {seed} rho {rho} epoch {epoch}/{epochs} {score:.4f}, {left:.0f} s left ",
              end="", file=sys.stderr, flush=True)
        states = [thing.state_dict() for thing in (model, optimizer, scheduler)]
        kept = {"key": key, "states": states, "random": random.get_state(), "so far": (history, times, lengths, seconds)}
        torch.save(kept, out / "running.new")
        (out / "running.new").replace(saved)
    report = optimizer.report() if method != "sgd" else None
    clean, noisy = (measured(model, x, targets, task.classes) for targets in (true, given))
    skipped = skipped_of(optimizer, epochs * -(-len(x) // flags.batch)) if method != "sgd" else 0.0
    bits = b"".join(p.detach().cpu().numpy().astype("<f4").tobytes() for p in model.parameters())
    scores = [h["test_accuracy"] for h in history]
    step = statistics.median(times)
    return dict(
        method=method, label_noise=level, seed=seed, wrong_labels=(given != true).double().mean().item(), rho=rho,
        final_test_accuracy=scores[-1], best_test_accuracy=max(scores), final_train_loss=number(noisy[2]),
        perturbed_share=share_of(report, lengths) if report else 0.0, skipped_share=skipped,
        mean_perturbation_length=number(statistics.fmean(lengths)), seconds=seconds, seconds_per_step=step,
        samples_per_second=flags.batch / step, forward_share=None, backward_share=None, ascent_share=None, descent_share=None,
        params_sha256=hashlib.sha256(bits).hexdigest(), train_accuracy_clean=clean[0], train_accuracy_noisy=noisy[0],
        hessian_eigenvalue=None, sam_sharpness=None, right=history[-1]["right"], history=history)


def skipped_of(optimizer, steps):
    """The share of steps without a descent: something was not finite. The base optimizer's counters tell of a GPU too."""
    taken = max(counters[0] for counters in optimizer.state_dict()["presam"]["counters"])
    return 1 - taken / steps


def share_of(report, lengths):
    """The share of perturbed steps; of a GPU's, which tells none, of the first ones of the epochs."""
    return statistics.fmean(length > 0 for length in lengths) if np.isnan(report.perturbed) else report.perturbed


def number(value):
    return value if np.isfinite(value) else None


# All runs.


class Ledger:
    """Every run that was done, by its key; a line each."""

    def __init__(self, task, flags, out):
        self.task, self.flags, self.out, self.path = task, flags, out, out / "runs.jsonl"
        lines = self.path.read_text().splitlines() if self.path.exists() else []
        self.done = {json.dumps(line["key"]): line["record"] for line in map(json.loads, lines)}

    def run(self, method, level, seed, rho, rate, tuning=False):
        same = {name: value for name, value in vars(self.flags).items()
                if (name, value) != ("device", "cpu") and name not in ("methods", "noise", "seeds", "tune", "radii", "rate", "out", "threads")}
        key = dict(method=method, noise=level, seed=seed, rho=rho, rate=rate, tuning=tuning, **same)
        name = json.dumps(key)
        if name not in self.done:
            record = self.done[name] = run(self.task, key, self.flags, self.out)
            with self.path.open("a") as file:
                file.write(json.dumps({"key": key, "record": record}) + "\n")
            (self.out / "running.pt").unlink(missing_ok=True)
            print(f"\r{method} noise {level:g} seed {seed} rho {rho} rate {rate:g}: final {record['final_test_accuracy']:.4f}, "
                  f"best {record['best_test_accuracy']:.4f}, {record['seconds']:.0f} s" + " " * 20, flush=True)
        return self.done[name]

    def tuned(self, method, level, rate):
        """The best value on held-out pictures: radius, or for sgd the rate. STEPS values, then two beside the best."""
        middle = rate if method == "sgd" else middle_radius(method, self.task.dense)

        def row(value):
            return dict(learning_rate=value, rho=None, damping=None) if method == "sgd" else dict(learning_rate=rate, rho=value, damping=None)

        def tried(value):
            at = row(value)
            return self.run(method, level, 0, at["rho"], at["learning_rate"], True)["final_test_accuracy"]

        trials = {middle * FACTOR**k: None for k in range(-(STEPS // 2), STEPS // 2 + 1)}
        trials = {value: tried(value) for value in trials}
        best = max(trials, key=trials.get)
        trials.update({value: tried(value) for value in (best / FACTOR**0.5, best * FACTOR**0.5)})
        best = max(trials, key=trials.get)
        lost = [value for value in sorted(trials) if value > best and trials[value] < trials[best] - 0.1]
        rows = [dict(row(value), validation_accuracy=found) for value, found in trials.items()]
        return best, dict(row(best), method=method, label_noise=level, collapse_rho=lost[0] if lost else None, trials=rows)


def summary_of(runs):
    """A row a method and level: means, and differences to sam paired by seed with their 95 % intervals."""
    def of(level, method):
        return {r["seed"]: r for r in runs if r["label_noise"] == level and r["method"] == method}

    rows = []
    for level, method in dict.fromkeys((r["label_noise"], r["method"]) for r in runs):
        own, sam, sgd = of(level, method), of(level, "sam"), of(level, "sgd")
        mean = lambda key, of=own: statistics.fmean(r[key] for r in of.values())
        error = lambda values: statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else None
        score = lambda r: r["final_test_accuracy"]
        apart = [score(own[s]) - score(sam[s]) for s in own if s in sam] if method != "sam" else []
        middle, wide = (statistics.fmean(apart) if apart else None), error(apart)
        reach = None if wide is None else wide * T95[min(len(apart) - 1, len(T95)) - 1]
        step = lambda of: statistics.median(r["seconds_per_step"] for r in of.values())
        rows.append(dict(
            method=method, label_noise=level, rho=next(iter(own.values()))["rho"], seeds=len(own),
            paired_seeds=sum(s in sam for s in own),
            mean_test_accuracy=mean("final_test_accuracy"), standard_error=error(list(map(score, own.values()))),
            best_test_accuracy=mean("best_test_accuracy"),
            difference_to_sam=middle, difference_to_sam_low=None if reach is None else middle - reach,
            difference_to_sam_high=None if reach is None else middle + reach, train_accuracy_clean=mean("train_accuracy_clean"),
            train_accuracy_noisy=mean("train_accuracy_noisy"), hessian_eigenvalue=None, sam_sharpness=None,
            time_per_step_over_sgd=step(own) / step(sgd) if sgd else None,
            moved=method == "sgd" or mean("perturbed_share") > 0,
            skipped_share=mean("skipped_share")))
    return rows


def results(task, flags, runs, tuning):
    lines = sorted(f"{r['method']} {r['seed']} {r['params_sha256']}\n" for r in runs)
    noise = [dict(label_noise=level, wrong_labels=statistics.fmean(r["wrong_labels"] for r in runs if r["label_noise"] == level))
             for level in flags.noise]
    host = dict(os=platform.system().lower(), arch=platform.machine(), cpu=platform.processor() or platform.machine(),
                cpu_level=f"torch {torch.__version__}", threads=flags.threads)
    data = dict(source=flags.task, features=task.x[0].numel(), classes=task.classes, train_samples=len(task.x),
                test_samples=len(task.test_x), measure="mean IoU" if task.dense else "accuracy", noise=noise)
    return dict(schema_version=1, version=presam.__version__, host=host, date=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                command=" ".join(["python", "python/benchmarks/vision.py", *sys.argv[1:]]), data=data, settings=vars(flags),
                tuning=tuning, runs=runs, summary=summary_of(runs), sentences=[],
                digest=hashlib.sha256("".join(lines).encode()).hexdigest())


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("task", help="nuclei, camvid:DIR or cifar10:DIR")
    add("--net", choices=NETS, default="unet")
    add("--methods", nargs="+", default=["sgd", "sam", "asam", "info-sam", "info-asam"], choices=["sgd", *METHODS])
    add("--noise", nargs="+", type=float, default=[0.0], help="share of training targets that are made wrong")
    add("--noise-kind", choices=["foreign", "rims"], default="foreign", help="of masks; labels are drawn anew")
    add("--seeds", type=int, default=1, help="1, 2, ..; tuning has seed 0")
    add("--epochs", type=int, default=25)
    add("--batch", type=int, default=16)
    add("--budget", choices=["epochs", "gradients"], default="epochs", help="what is equal: sgd takes half the gradients an epoch")
    add("--base", choices=["sgd", "adamw"], default="sgd")
    add("--rate", type=float, default=0.1, help="learning rate; with --tune the middle of those tried for sgd")
    add("--weight-decay", type=float, default=5e-4)
    add("--radii", type=float, help="radius of every method; without it and --tune the middle of those that are tried")
    add("--tune", action="store_true", help=f"{STEPS + 2} runs a method and noise level on held-out training pictures")
    add("--limit", type=int, default=0, help="so many pictures alone, of either part")
    add("--threads", type=int, default=1)
    add("--device", default="cpu", help="cpu or cuda; on a GPU under autocast to bfloat16")
    add("--out", default="vision-out")
    flags = parser.parse_args(arguments)
    torch.set_num_threads(flags.threads)
    out = pathlib.Path(flags.out)
    out.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(Task(flags.task, flags.limit, flags.device), flags, out)
    runs, tuning = [], []
    for level in flags.noise:
        rate, radius = flags.rate, {m: flags.radii or middle_radius(m, ledger.task.dense) for m in flags.methods}
        if flags.tune:
            # The rate is tuned for sgd, and is everybody's.
            for method in sorted(flags.methods, key="sgd".__ne__):
                best, row = ledger.tuned(method, level, rate)
                rate, radius[method] = (best, None) if method == "sgd" else (rate, best)
                tuning.append(row)
        radius["sgd"] = None
        for seed in range(1, flags.seeds + 1):
            runs += [ledger.run(method, level, seed, radius[method], rate) for method in flags.methods]
            found = json.dumps(results(ledger.task, flags, runs, tuning), indent=1)
            (out / "results.new").write_text(found)
            (out / "results.new").replace(out / "results.json")
    for row in summary_of(runs):
        apart = row["difference_to_sam"]
        low, high = row["difference_to_sam_low"], row["difference_to_sam_high"]
        interval = "" if low is None else f" ({100 * low:+.2f} to {100 * high:+.2f})"
        print(f"{row['method']:12} noise {row['label_noise']:g}: {100 * row['mean_test_accuracy']:.2f} %"
              + ("" if apart is None else f", {100 * apart:+.2f} points against sam{interval}"))


if __name__ == "__main__":
    main()
