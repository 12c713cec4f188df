"""Sharpness-aware minimisation for PyTorch in one file: SAM, ASAM, info-sam and info-asam. Copy it.

    perturbation = rho D^2 C g / || D C g ||        one norm over all counted parameters
    w <- base optimizer(w, gradient taken at w + perturbation)

    sam         C = 1                         D = 1
    asam        C = 1                         D = |w| + eta
    info-sam    C = 1 / (v_hat + damping)     D = 1
    info-asam   C = 1 / (v_hat + damping)     D = |w| + eta

info-sam and info-asam perturb less where the gradient is noisy. They remember m and v:

    step 1         m <- g,  v <- 0                                                         C = 1
    step k >= 2    v <- variance_decay v + (1 - variance_decay) (m - g)^2
                   m <- mean_decay m + (1 - mean_decay) g
                   v_hat = v / bias,  bias = 1 - variance_decay^(k - 1)                    C = 1 at k = 2
    step k >= 3    damping = absolute_damping + relative_damping * (mean of v_hat at step k - 1)
                   C = bias / (v + bias damping), 1 where the damping is 0

With a closure, which takes both gradients (they are cleared before each call):

    optimizer = PreSAM(model.parameters(), torch.optim.SGD, rule="info-asam", rho=1.0, lr=0.1, momentum=0.9)

    def closure():
        loss = loss_of(model(inputs), targets)
        loss.backward()
        return loss

    loss = optimizer.step(closure)

or by hand: backward, `first_step(zero_grad=True)`, backward at the perturbed parameters, `second_step(zero_grad=True)`.
With a GradScaler: scale and backward, `scaler.unscale_(optimizer)`, `first_step(zero_grad=True)`, `scaler.update()` (else
torch refuses the second unscale), scale and backward again, `scaler.unscale_(optimizer)`, clip, `second_step(zero_grad=True)`,
`scaler.update()`; double its growth_interval, since it is updated twice a step. Under DistributedDataParallel either both
backwards are synchronised or the first one runs under no_sync(): all processes skip a step together. Where batch
normalisation must see each batch once, freeze its statistics between the two. Parameters are f32 or f64, on any device.

Floats kept for each parameter, beside the base optimizer's: 1 (sam, asam), 3 (info-sam, info-asam). A step waits for the
device once. On the CPU the package `presam` takes the same step fused, with every variant.

verify_torch.py holds this file to an independent oracle: `presam verify --exec 'python3 verify_torch.py'`.
"""

import inspect
import math

import torch

RULES = ("sam", "asam", "info-sam", "info-asam")
# The relative damping that a rule has where none is given: tuned on real data (docs of presam).
DAMPING = {"info-sam": 10.0, "info-asam": 1.0}
RHO = (
    "rho: expected a radius, found none; it depends on the network. Published starting points: 0.05 to 0.2 for sam and "
    "info-sam (Foret et al. 2021), 0.5 to 2 for asam and info-asam (Kwon et al. 2021)"
)
BY_HAND = "step: expected a closure, found none; by hand call first_step and second_step, each after a backward"


class PreSAM(torch.optim.Optimizer):
    """A base optimizer, stepping with the gradient taken at perturbed parameters.

    params           parameters or groups, as every optimizer of torch takes them. A group may set for itself:
                     rho; operator_applies (False: D = 1, usual for biases and norm layers); counts_in_norm;
                     is_perturbed; and what the base optimizer has: lr, maximize, ...
    base_optimizer   a class: torch.optim.SGD, torch.optim.AdamW, ...
    rule             "sam", "asam", "info-sam" or "info-asam"
    rho              radius; it has no default
    norm_guard       added to the norm. 0 needs none: a norm of 0 perturbs nothing
    base_options     arguments of the base optimizer that are arguments of this class too
    base_settings    its other arguments: lr, weight_decay, ...

    After a step `outcome` says what became of it: "perturbed"; "zero-norm", nothing to follow, so that the base
    optimizer stepped alone; or "non-finite": a first or a second gradient was not finite, here or in another process,
    and the base optimizer did not step (if it was the first, counters and memory have not changed either).
    """

    def __init__(
        self,
        params,
        base_optimizer,
        rule="info-asam",
        rho=None,
        eta=0.01,
        mean_decay=0.9,
        variance_decay=0.99,
        absolute_damping=0.0,
        relative_damping=None,
        norm_guard=0.0,
        base_options=None,
        **base_settings,
    ):
        if rule not in RULES:
            raise ValueError(f"rule should be one of {', '.join(RULES)}, found {rule!r}")
        if rho is None:
            raise TypeError(RHO)
        if issubclass(base_optimizer, (torch.optim.LBFGS, torch.optim.SparseAdam)):
            raise TypeError(f"{base_optimizer.__name__} cannot be the base: it needs a closure or sparse gradients")
        if "rho" in inspect.signature(base_optimizer).parameters:
            raise TypeError(f"{base_optimizer.__name__} cannot be the base: its rho would be the radius")
        self.rule, self.eta, self.norm_guard = rule, eta, norm_guard
        self.mean_decay, self.variance_decay = mean_decay, variance_decay
        self.absolute_damping = absolute_damping
        self.relative_damping = DAMPING.get(rule, 0.0) if relative_damping is None else relative_damping
        for name in ("eta", "norm_guard", "absolute_damping", "relative_damping"):
            check(name, getattr(self, name), "a finite number from 0 up", lambda x: 0 <= x < math.inf)
        for name in ("mean_decay", "variance_decay"):
            check(name, getattr(self, name), "a number from 0 to below 1", lambda x: 0 <= x < 1)

        self.steps, self.mean_of_variance = 0, 0.0
        self.outcome, self._backups, self._told = None, None, None
        super().__init__(params, dict(rho=rho, operator_applies=True, counts_in_norm=True, is_perturbed=True))
        self.base_optimizer = base_optimizer(self.param_groups, **base_settings, **(base_options or {}))
        # One list of groups for both, so that a scheduler or a later group reaches both.
        self.defaults.update(self.base_optimizer.defaults)
        self.param_groups = self.base_optimizer.param_groups

    def add_param_group(self, param_group):
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        check("rho", group["rho"], "a finite number from 0 up", lambda x: 0 <= x < math.inf)
        for p in group["params"]:
            refuse(p)

    # The step.

    def step(self, closure=None):
        """A whole step. `closure` takes the gradients anew and returns the loss; it is called at the parameters and again
        at the perturbed ones, gradients cleared before each call. Returns the first loss."""
        if closure is None:
            raise TypeError(BY_HAND)
        with torch.enable_grad():
            self.zero_grad()
            loss = closure()
        self.first_step(zero_grad=True)
        try:
            with torch.enable_grad():
                closure()
        except BaseException:
            self.restore()
            raise
        self.second_step()
        return loss

    @torch.no_grad()
    def first_step(self, zero_grad=False):
        """Perturbs the parameters along the gradients at hand, without waiting for the device."""
        if self._backups is not None:
            raise RuntimeError("first_step: the parameters are perturbed already, second_step or restore comes next")
        entries = [(group, p) for group in self.param_groups for p in group["params"] if p.grad is not None]
        for _, p in entries:
            refuse(p)
        norm, mean = self.sums(entries)
        finite = together(torch.isfinite(norm) & torch.isfinite(mean) & self.uncounted_finite(entries, norm))
        self._backups, self._told = [], (norm, mean, finite)
        try:
            for group, p in entries:
                self.perturb(group, p, norm, finite)
        except BaseException:
            self.restore()
            raise
        if zero_grad:
            self.zero_grad()

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Restores the parameters and lets the base optimizer step with the gradients at hand. Returns the outcome."""
        if self._backups is None:
            raise RuntimeError("second_step: the parameters are not perturbed: first_step comes first")
        norm, mean, finite = self._told
        self.restore()
        params = [p for group in self.param_groups for p in group["params"] if p.grad is not None]
        for p in params:
            refuse(p)
        grads = [p.grad for p in params]
        flags = [torch.isfinite(g).all().to(norm.device) for g in grads]
        second = together(torch.stack(flags).all()) if flags else finite
        # The one time that a step waits for the device.
        norm, mean, first, second = torch.stack([x.to(norm.dtype) for x in (norm, mean, finite, second)]).tolist()
        if first:
            self.steps, self.mean_of_variance = self.steps + 1, mean
        self.outcome = "non-finite" if not (first and second) else "perturbed" if norm > 0 else "zero-norm"
        if self.outcome != "non-finite":
            self.base_optimizer.step()
        # By hand this is the step that a scheduler of torch looks for.
        self._opt_called = True
        if zero_grad:
            self.zero_grad()
        return self.outcome

    @torch.no_grad()
    def restore(self):
        """Takes the perturbation back, exactly: the parameters are copied from before it. The step is given up."""
        # From the last to the first, since two parameters may be views of the same numbers.
        for p, backup in reversed(self._backups or ()):
            p.copy_(backup)
        self._backups, self._told = None, None

    # The rules.

    def slope(self, group, p):
        """g, as something to be minimised."""
        return -p.grad if group.get("maximize") else p.grad

    def operator(self, group, p):
        """ASAM's D = |w| + eta; 1 where there is none."""
        return p.abs() + self.eta if self.rule.endswith("asam") and group["operator_applies"] else 1.0

    def average(self, old, new, decay):
        """decay is the weight of the old value."""
        return decay * old + (1 - decay) * new

    def memory(self, p):
        """m and v. A parameter without a gradient so far starts from zeros."""
        state = self.state[p]
        for name in ("m", "v"):
            if name not in state:
                state[name] = torch.zeros_like(p)
        return state["m"], state["v"]

    def variance(self, p, g):
        """The new v: not yet v_hat."""
        m, v = self.memory(p)
        return self.average(v, (m - g).square(), self.variance_decay)

    def damped(self, g, v):
        """C g, from the new v."""
        damping = self.absolute_damping + self.relative_damping * self.mean_of_variance
        if self.steps < 2 or damping == 0:
            return g
        bias = 1 - self.variance_decay**self.steps
        return g * (bias / (v + bias * damping))

    def sums(self, entries):
        """The norm || D C g || and the mean of v_hat over the counted parameters, on the device."""
        counted = [(group, p) for group, p in entries if group["counts_in_norm"]]
        device = entries[0][1].device if entries else "cpu"
        # In f64 no square of an f32 overflows; Apple's GPUs have none.
        wide = torch.float32 if torch.device(device).type == "mps" else torch.float64
        norms, total = [torch.zeros((), dtype=wide, device=device)], torch.zeros((), dtype=wide, device=device)
        for group, p in counted:
            g = self.slope(group, p)
            if self.rule.startswith("info") and self.steps > 0:
                v = self.variance(p, g)
                total = total + v.sum(dtype=wide).to(device) / (1 - self.variance_decay**self.steps)
                g = self.damped(g, v)
            norms.append(torch.linalg.vector_norm(self.operator(group, p) * g, dtype=wide).to(device))
        return torch.linalg.vector_norm(torch.stack(norms)), total / max(1, sum(p.numel() for _, p in counted))

    def uncounted_finite(self, entries, norm):
        """Whether what is perturbed without being counted is finite: its memory is written too."""
        others = [p.grad for group, p in entries if group["is_perturbed"] and not group["counts_in_norm"]]
        flags = [torch.isfinite(g).all().to(norm.device) for g in others]
        return torch.stack(flags).all() if flags else torch.ones((), dtype=torch.bool, device=norm.device)

    def perturb(self, group, p, norm, finite):
        """p + rho D^2 C g / norm and the new memory; nothing where the step is not finite."""
        g, remembers = self.slope(group, p), group["counts_in_norm"] or group["is_perturbed"]
        v = None
        if self.rule.startswith("info"):
            v = self.variance(p, g) if self.steps > 0 else torch.zeros_like(p)
        direction = self.damped(g, v) if v is not None else g
        # A radius of 0 changes no bit, whatever the direction.
        if group["is_perturbed"] and group["rho"] != 0:
            finite_here, norm = finite.to(p.device), norm.to(p.device)
            self._backups.append((p, p.clone()))
            prescale, scale = reciprocal(norm, self.norm_guard)
            d = self.operator(group, p)
            moved = p + (direction * d * d * prescale.to(p.dtype)) * (group["rho"] * scale).to(p.dtype)
            p.copy_(torch.where(finite_here & (norm > 0), moved, p))
        if v is not None and remembers:
            m, v_old = self.memory(p)
            m_new = self.average(m, g, self.mean_decay) if self.steps > 0 else g
            for plane, new in ((m, m_new), (v_old, v)):
                plane.copy_(torch.where(finite.to(p.device), stored(new), plane))

    # Saving.

    def own(self):
        if self._backups is not None:
            raise RuntimeError("state_dict: the parameters are perturbed, save or load after second_step")
        return {"rule": self.rule, "steps": self.steps, "mean_of_variance": self.mean_of_variance}

    def state_dict(self):
        """Everything that the next step depends on: memory, counters, the base optimizer's state."""
        return {**super().state_dict(), "presam": self.own(), "base_optimizer": self.base_optimizer.state_dict()}

    def load_state_dict(self, state_dict):
        self.own()
        own = state_dict["presam"]
        if own["rule"] != self.rule:
            raise ValueError(f"the saved rule should be {self.rule}, found {own['rule']}")
        super().load_state_dict({key: state_dict[key] for key in ("state", "param_groups")})
        self.base_optimizer.load_state_dict(state_dict["base_optimizer"])
        self.param_groups = self.base_optimizer.param_groups
        self.steps, self.mean_of_variance = own["steps"], own["mean_of_variance"]

    def __getstate__(self):
        """For copies and pickles: torch keeps only what every optimizer has."""
        self.own()
        names = ("rule", "eta", "norm_guard", "mean_decay", "variance_decay", "absolute_damping", "relative_damping")
        names += ("steps", "mean_of_variance", "outcome", "base_optimizer", "_backups", "_told")
        return {**super().__getstate__(), **{name: getattr(self, name) for name in names}}


def check(name, value, expected, holds):
    if not holds(value):
        raise ValueError(f"{name} should be {expected}, found {value}")


def refuse(p):
    """What a step cannot take."""
    if hasattr(p, "device_mesh"):
        raise TypeError("a DTensor (FSDP2, tensor parallel) is not supported: the norm would be that of one shard")
    check("dtype of a parameter", p.dtype, "f32 or f64", lambda x: x in (torch.float32, torch.float64))
    if p.grad is not None and p.grad.layout != torch.strided:
        raise RuntimeError("sparse gradients are not supported")


def together(flag):
    """Whether it holds in every process: a step that one of them skips is skipped by all, else their models part."""
    parallel = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not parallel or torch.distributed.get_world_size() == 1:
        return flag
    number = flag.to(torch.int32)
    torch.distributed.all_reduce(number, op=torch.distributed.ReduceOp.MIN)
    return number.bool()


def reciprocal(norm, guard):
    """1 / (norm + guard) in two factors, the first a power of two: the norm of f32 numbers may be none itself."""
    exponent = torch.frexp(norm).exponent.clamp(-126, 126)
    prescale = torch.ldexp(torch.ones_like(norm), -exponent)
    return prescale, 1.0 / ((norm + guard) * prescale)


def stored(plane):
    """Below the smallest normal number an average never reaches zero, and slows every later step."""
    return torch.where(plane.abs() < torch.finfo(plane.dtype).tiny, torch.zeros_like(plane), plane)
