# Run:   presam verify --init python > adapter.py
#        presam verify --exec 'python3 adapter.py'

import json
import math
import sys

# What is offered. Whatever stands here is asked for; all of it goes through step() below.
RULES = ["sam"]
BASES = ["sgd"]
SCALARS = ["f64"]


# ---------------------------------------------------------------------------------------------------------------------
# FILL IN: one whole step of your code. As printed it is SAM with SGD, and right.
#
# params, grads, perturbed_grads   one list of floats for each tensor; perturbed_grads is the gradient that your code
#                                  would get at the perturbed parameters
# rho, norm_guard                  radius, and the small constant that is added to the norm
# settings                         of the rule: settings["eta"] for asam, ...
# base                             base["learning_rate"], base["weight_decay"], ...
# more                             more.rule: its name; more.memory, more.inputs, more.state: the planes of each tensor;
#                                  more.rule_steps, more.base_steps: steps taken; more.mean_of_variance (to be set anew)
#
# Return perturbed, params; with memory or state also their new planes: perturbed, params, memory, state.
def step(params, grads, perturbed_grads, rho, norm_guard, settings, base, more):
    norm = math.sqrt(sum(g * g for tensor in grads for g in tensor))
    scale = rho / (norm + norm_guard)
    perturbed = [[w + scale * g for w, g in zip(*tensor)] for tensor in zip(params, grads)]

    learning_rate, weight_decay = base["learning_rate"], base["weight_decay"]
    update = lambda w, g: w - learning_rate * (g + weight_decay * w)
    return perturbed, [[update(w, g) for w, g in zip(*tensor)] for tensor in zip(params, perturbed_grads)]


# ---------------------------------------------------------------------------------------------------------------------
# The other side of the pipe: nothing to change from here on. One JSON object a line (docs/pipe.md).


class More:
    def __init__(self, request):
        self.rule = request["rule"]
        self.rule_steps, self.base_steps = request["rule_steps"], request["base_steps"]
        self.mean_of_variance = request.get("mean_of_variance", 0.0)
        self.memory, self.inputs, self.state = (tensors(request, key) for key in ("memory", "inputs", "state"))


def number(value):
    """Numbers that are not finite come by name."""
    return float(value) if isinstance(value, str) else value


def numbers(values):
    return [numbers(value) if isinstance(value, list) else number(value) for value in values]


def tensors(request, key):
    return [numbers(segment.get(key, [])) for segment in request["segments"]]


def written(value):
    if isinstance(value, (list, tuple)):
        return [written(x) for x in value]
    value = float(value)
    return value if math.isfinite(value) else str(value)


def answer(request):
    planes = [tensors(request, key) for key in ("params", "grads", "perturbed_grads")]
    more = More(request)
    settings = {key: number(value) for key, value in request["settings"].items()}
    guard = request["length"].get("norm_guard", 0.0)
    answers = step(*planes, request["rho"], guard, settings, request["base"], more)
    names = ["perturbed", "params", "memory", "state"]
    empty = [[] for _ in more.memory]
    answers = list(answers) + [empty, empty][len(answers) - 2 :]
    fields = {"segments": [dict(zip(names, map(written, segment))) for segment in zip(*answers)]}
    if request["rule"] in ("info-sam", "info-asam"):
        fields["mean_of_variance"] = written(more.mean_of_variance)
    return fields


def main():
    sys.stdin.readline()
    hello = {"protocol": "presam-verify/1", "name": "adapter.py", "operations": ["step"], "state": "given"}
    print(json.dumps({"hello": {**hello, "rules": RULES, "bases": BASES, "scalars": SCALARS}}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            fields = answer(request)
        except Exception as error:
            fields = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": request["id"], **fields}), flush=True)


if __name__ == "__main__":
    main()
