"""What [`SAM`] saves, and how it goes on from there."""

from typing import Any, Dict

from .._names import WATCHED
from .tensors import saved_names


class Saved:
    """Saving and loading, copies and pickles; its heir has the planes in `state` and the rest in attributes."""

    def _own(self) -> Dict[str, Any]:
        """Counters: with the planes in `state`, all that the next step depends on."""
        self._at_rest("saving")
        # The tensors stay: a captured step goes on in them.
        rule, base = self._counted()
        params = [p for group in self.param_groups for p in group["params"]]
        counters = [list(base.get(p, (0, 1.0, 1.0))) for p in params]
        watch = {key: getattr(self._watch, key) for key in WATCHED}
        method = self._method
        made = {"variant": method.variant.name, "descent": method.descent[0], "base": self._base and self._base.core}
        return {**made, "rule": list(rule), "counters": counters, "watch": watch}

    def _take(self, own: Dict[str, Any]) -> None:
        params = [p for group in self.param_groups for p in group["params"]]
        self._counters = (tuple(own["rule"]), {p: tuple(c) for p, c in zip(params, own["counters"])})
        for key, value in own["watch"].items():
            setattr(self._watch, key, value)
        self._tensors, self._scratch, self._half, self._kept = None, {}, None, None

    def state_dict(self) -> Dict[str, Any]:
        """Everything that the next step depends on: planes, counters, groups, a base optimizer's own. Refused between
        the halves of a step."""
        own = self._own()
        if self.base_optimizer is not None:
            own["base_optimizer"] = self.base_optimizer.state_dict()
        return {**super().state_dict(), "presam": own}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        """Goes on where `state_dict` was taken, to the same bits."""
        self._at_rest("load_state_dict")
        own = state_dict.get("presam")
        if own is None:
            raise ValueError("load_state_dict: expected what presam.torch.SAM saved, found no key 'presam'")
        mine = self._own()
        for key in ("variant", "descent", "base"):
            if own[key] != mine[key]:
                raise ValueError(f"load_state_dict: expected a {key} of {mine[key]}, found {own[key]}")
        params = [p for group in self.param_groups for p in group["params"]]
        names = saved_names(self._method, self._base)
        for index, p in enumerate(params):
            planes = state_dict["state"].get(index, {})
            for name, plane in ((name, planes[name]) for name in names if name in planes):
                if plane.shape != p.shape:
                    raise ValueError(f"load_state_dict: expected {name} of parameter {index} as {tuple(p.shape)}, found "
                                     f"{tuple(plane.shape)}; are these the parameters in the order in which they were saved?")
        self._retire()
        super().load_state_dict({key: state_dict[key] for key in ("state", "param_groups")})
        if self.base_optimizer is not None:
            self.base_optimizer.load_state_dict(own["base_optimizer"])
            self.param_groups = self.base_optimizer.param_groups
        self._take(own)

    def __getstate__(self) -> Dict[str, Any]:
        own = self._own()
        names = ("_method", "_watch", "_process_group", "_threads", "max_norm", "loss_scale", "base_optimizer", "_base")
        kept = {name: getattr(self, name) for name in names}
        return {**super().__getstate__(), "presam": (own, kept)}

    def __setstate__(self, state: Dict[str, Any]) -> None:
        state = dict(state)
        saved = state.pop("presam", None)
        super().__setstate__(state)
        if saved is not None:
            own, kept = saved
            self.__dict__.update(kept, _kept=None, _firsts=None, _warned_of_equal=False, _listeners=[])
            self._take(own)
