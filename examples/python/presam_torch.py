"""Sharpness-aware minimisation for PyTorch in one file: SAM, ASAM, info-sam and info-asam. Copy it.

    perturbation = rho D^2 C g / || D C g ||        one norm over all counted parameters
    w <- base optimizer(w, gradient taken at w + perturbation)

    sam         C = 1                         D = 1
    asam        C = 1                         D = |w| + eta
    info-sam    C = 1 / (v_hat + damping)     D = 1
    info-asam   C = 1 / (v_hat + damping)     D = |w| + eta

info-sam and info-asam perturb less where the gradient is noisy. They keep two floats per parameter, m and v:

    step 1         m <- g,  v <- 0                                                         C = 1
    step k >= 2    v <- variance_decay v + (1 - variance_decay) (m - g)^2
                   m <- mean_decay m + (1 - mean_decay) g
                   v_hat = v / bias,  bias = 1 - variance_decay^(k - 1)                    C = 1 at k = 2
    step k >= 3    damping = absolute_damping + relative_damping * (mean of v_hat at step k - 1)
                   C = bias / (v + bias damping), 1 where the damping is 0

With a closure, which takes both gradients:

    optimizer = PreSAM(model.parameters(), torch.optim.SGD, rule="info-asam", lr=0.1, momentum=0.9, weight_decay=5e-4)

    def closure():
        optimizer.zero_grad()
        loss = loss_of(model(inputs), targets)
        loss.backward()
        return loss

    loss = optimizer.step(closure)

or by hand: backward, `first_step(zero_grad=True)`, backward at the perturbed parameters, `second_step(zero_grad=True)`.
With a GradScaler, unscale before each of the two. Where batch normalisation must see each batch once, freeze its
statistics between the two. Parameters are f32 or f64: in 16 bits most perturbations are rounded away.

verify_torch.py holds this file to an independent oracle: `presam verify --exec 'python3 verify_torch.py'`.
"""

import math
from collections import namedtuple

import torch

# The radius and the relative damping that a rule has where none is given: tuned on real data (docs of presam).
DEFAULTS = {"sam": (0.48, 0.0), "asam": (2.5, 0.0), "info-sam": (0.42, 10.0), "info-asam": (2.8, 1.0)}

# What one parameter adds to the step: D C g for the norm, D^2 C g to be scaled, its new memory, and v_hat.
Terms = namedtuple("Terms", "norm_term direction memory statistic", defaults=({}, None))


class PreSAM(torch.optim.Optimizer):
    """A base optimizer, stepping with the gradient taken at perturbed parameters.

    params           parameters or groups, as every optimizer of torch takes them. A group may set for itself:
                     rho; operator_applies (False: D = 1, usual for biases and norm layers); counts_in_norm;
                     is_perturbed
    base_optimizer   a class: torch.optim.SGD, torch.optim.AdamW, ...
    rule             "sam", "asam", "info-sam" or "info-asam"
    rho              radius; None: the rule's own default
    norm_guard       added to the norm. 0 needs none: a norm of 0 perturbs nothing
    base_settings    arguments of the base optimizer: lr, weight_decay, ...

    After a step `outcome` says what became of it: "perturbed"; "zero-norm", nothing to follow, so that the base
    optimizer stepped alone; or "non-finite": the norm or a second gradient was not finite and the base optimizer did
    not step (by the norm nothing at all has changed, counters and memory included).
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
        **base_settings,
    ):
        if rule not in DEFAULTS:
            raise ValueError(f"rule should be one of {', '.join(DEFAULTS)}, found {rule!r}")
        default_rho, default_damping = DEFAULTS[rule]
        self.rule, self.eta, self.norm_guard = rule, eta, norm_guard
        self.mean_decay, self.variance_decay = mean_decay, variance_decay
        self.absolute_damping = absolute_damping
        self.relative_damping = default_damping if relative_damping is None else relative_damping
        for name in ("eta", "norm_guard", "absolute_damping", "relative_damping"):
            check(name, getattr(self, name), "a finite number from 0 up", lambda x: 0 <= x < math.inf)
        for name in ("mean_decay", "variance_decay"):
            check(name, getattr(self, name), "a number from 0 to below 1", lambda x: 0 <= x < 1)

        self.steps, self.mean_of_variance = 0, 0.0
        self.outcome, self._backups = None, None
        rho = default_rho if rho is None else rho
        super().__init__(params, dict(rho=rho, operator_applies=True, counts_in_norm=True, is_perturbed=True))
        self.base_optimizer = base_optimizer(self.param_groups, **base_settings)
        # One list of groups for both, so that a scheduler or a later group reaches both.
        self.defaults.update(self.base_optimizer.defaults)
        self.param_groups = self.base_optimizer.param_groups

    def add_param_group(self, param_group):
        super().add_param_group(param_group)
        group = self.param_groups[-1]
        check("rho", group["rho"], "a finite number from 0 up", lambda x: 0 <= x < math.inf)
        for p in group["params"]:
            check("dtype of a parameter", p.dtype, "f32 or f64", lambda x: x in (torch.float32, torch.float64))

    # The step.

    def step(self, closure):
        """A whole step. `closure` clears the gradients, takes them anew and returns the loss; it is called at the
        parameters and again at the perturbed ones. Returns the first loss."""
        with torch.enable_grad():
            loss = closure()
        if self.first_step() != "non-finite":
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
        """Perturbs the parameters along the gradients at hand. Returns the outcome."""
        if self._backups is not None:
            raise RuntimeError("first_step: the parameters are perturbed already, second_step or restore comes next")
        entries = [(group, p) for group in self.param_groups for p in group["params"] if p.grad is not None]
        terms = [self.terms(group, p) for group, p in entries]
        norm, statistic = self.sums([t for (group, _), t in zip(entries, terms) if group["counts_in_norm"]])
        self._backups = []
        if not (math.isfinite(norm) and math.isfinite(statistic)):
            self.outcome = "non-finite"
        else:
            self.outcome = "perturbed" if norm > 0 else "zero-norm"
            for (group, p), t in zip(entries, terms):
                self.perturb(group, p, t.direction, norm)
                self.state[p].update(t.memory)
            self.steps, self.mean_of_variance = self.steps + 1, statistic
        if zero_grad:
            self.zero_grad()
        return self.outcome

    @torch.no_grad()
    def second_step(self, zero_grad=False):
        """Restores the parameters and lets the base optimizer step with the gradients at hand. Returns the outcome."""
        self.restore()
        if self.outcome != "non-finite":
            grads = [p.grad for group in self.param_groups for p in group["params"] if p.grad is not None]
            if all(finite.item() for finite in [torch.isfinite(g).all() for g in grads]):
                self.base_optimizer.step()
            else:
                self.outcome = "non-finite"
        if zero_grad:
            self.zero_grad()
        return self.outcome

    @torch.no_grad()
    def restore(self):
        """Takes the perturbation back, exactly: the parameters are copied from before it."""
        if self._backups is None:
            raise RuntimeError("the parameters are not perturbed: first_step comes first")
        for p, backup in self._backups:
            p.copy_(backup)
        self._backups = None

    # The rules.

    def terms(self, group, p):
        if p.grad.is_sparse:
            raise RuntimeError("sparse gradients are not supported")
        return getattr(self, self.rule.replace("-", "_"))(group, p)

    def sam(self, group, p):
        return Terms(p.grad, p.grad)

    def asam(self, group, p):
        return Terms(*self.constrained(self.operator(group, p), p.grad))

    def info_sam(self, group, p):
        c, memory, variance = self.noise(p)
        return Terms(c * p.grad, c * p.grad, memory, variance)

    def info_asam(self, group, p):
        c, memory, variance = self.noise(p)
        return Terms(*self.constrained(self.operator(group, p), c * p.grad), memory, variance)

    def average(self, old, new, decay):
        """decay is the weight of the old value."""
        return decay * old + (1 - decay) * new

    def operator(self, group, p):
        """ASAM's D = |w| + eta; 1 where it does not apply."""
        return p.abs() + self.eta if group["operator_applies"] else 1.0

    def constrained(self, d, slope):
        """D s for the norm and D^2 s for the direction."""
        return d * slope, d * d * slope

    def noise(self, p):
        """C, the new m and v, and v_hat."""
        g, steps = p.grad, self.steps
        zeros = torch.zeros_like(p)
        if steps == 0:
            return 1.0, {"m": stored(g), "v": zeros}, zeros
        # A parameter without a gradient so far starts from zero memory.
        m_old, v_old = (self.state[p].get(name, zeros) for name in ("m", "v"))
        v = self.average(v_old, (m_old - g).square(), self.variance_decay)
        m = self.average(m_old, g, self.mean_decay)
        bias = 1 - self.variance_decay**steps
        damping = self.absolute_damping + self.relative_damping * self.mean_of_variance
        c = 1.0 if steps < 2 or damping == 0 else bias / (v + bias * damping)
        return c, {"m": stored(m), "v": stored(v)}, v / bias

    # What the rules share.

    def sums(self, counted):
        """The norm, and the mean of v_hat. One read of the device for both."""
        if not counted:
            return 0.0, 0.0
        # In f64 no square of an f32 overflows; Apple's GPUs have none.
        device = counted[0].norm_term.device
        wide = torch.float32 if device.type == "mps" else torch.float64
        norms = [torch.linalg.vector_norm(t.norm_term, dtype=wide).to(device) for t in counted]
        sums = [t.statistic.sum(dtype=wide).to(device) for t in counted if t.statistic is not None]
        total = torch.stack(sums).sum() if sums else torch.zeros((), dtype=wide, device=device)
        norm, total = torch.stack([torch.linalg.vector_norm(torch.stack(norms)), total]).tolist()
        return norm, total / max(1, sum(t.norm_term.numel() for t in counted))

    def perturb(self, group, p, direction, norm):
        """A radius of 0 changes no bit, whatever the direction."""
        if norm > 0 and group["is_perturbed"] and group["rho"] != 0:
            self._backups.append((p, p.clone()))
            p.add_(direction / (norm + self.norm_guard), alpha=group["rho"])

    # Saving.

    def state_dict(self):
        """Everything that the next step depends on: memory, counters, the base optimizer's state."""
        if self._backups is not None:
            raise RuntimeError("state_dict: the parameters are perturbed, save after second_step")
        own = {"rule": self.rule, "steps": self.steps, "mean_of_variance": self.mean_of_variance}
        return {**super().state_dict(), "presam": own, "base_optimizer": self.base_optimizer.state_dict()}

    def load_state_dict(self, state_dict):
        own = state_dict["presam"]
        if own["rule"] != self.rule:
            raise ValueError(f"the saved rule should be {self.rule}, found {own['rule']}")
        super().load_state_dict({key: state_dict[key] for key in ("state", "param_groups")})
        self.base_optimizer.load_state_dict(state_dict["base_optimizer"])
        self.param_groups = self.base_optimizer.param_groups
        self.steps, self.mean_of_variance = own["steps"], own["mean_of_variance"]


def check(name, value, expected, holds):
    if not holds(value):
        raise ValueError(f"{name} should be {expected}, found {value}")


def stored(plane):
    """Below the smallest normal number an average never reaches zero, and slows every later step."""
    return torch.where(plane.abs() < torch.finfo(plane.dtype).tiny, torch.zeros_like(plane), plane)
