"""Settings as files give them: each of the right kind, known by name, in range, or refused by its name."""

import difflib
import types
import typing
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}


def typed(cls: type, settings: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Check each value against its field's annotation; a whole number will do where a number is asked."""
    hints = typing.get_type_hints(cls)
    out = {}
    for name, value in settings.items():
        hint = hints[name]
        union = isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union
        kinds = typing.get_args(hint) if union else (hint,)
        value = value.item() if isinstance(value, np.number) else value
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ValueError(f"{prefix}{name}: a whole number of {value.bit_length()} bits is too large.")
        if float in kinds and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        fits = any(isinstance(value, kind) for kind in kinds) and (
            bool in kinds or not isinstance(value, bool)
        )
        if not fits:
            wanted = " or ".join(_KINDS.get(kind, "nothing") for kind in kinds if kind is not type(None))
            raise ValueError(f"{prefix}{name}: expected {wanted}, got {value!r}.")
        out[name] = value
    return out


def known(settings: Iterable[str], names: list[str], prefix: str = "") -> None:
    """Raise a ValueError for a name that is not among the settings, with the nearest that is."""
    for key in settings:
        if key not in names:
            said = key if key.isprintable() else repr(key)
            raise ValueError(
                f"{prefix}{said}: no such setting{_meant(key, names)}; known: {', '.join(names)}."
            )


def choice(name: str, value: str, allowed: Iterable[str]) -> None:
    """Raise a ValueError for a value that is not among those allowed, with the nearest that is."""
    options = list(allowed)
    if value not in options:
        raise ValueError(
            f"{name}: unknown {value!r}{_meant(value, options)}; choose one of {', '.join(options)}."
        )


def _meant(word: object, options: list[str]) -> str:
    near = difflib.get_close_matches(str(word), options, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


def at_least(name: str, value: int | None, low: int) -> None:
    """Raise a ValueError for a number below the lowest; None passes."""
    if value is not None and value < low:
        raise ValueError(f"{name}: expected a whole number at least {low}, got {value}.")
