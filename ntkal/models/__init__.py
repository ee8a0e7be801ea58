"""Networks behind one face: a :class:`Model` is a handful of pure functions of parameters and inputs."""

from collections.abc import Callable, Sequence

from ntkal.inputs import check_choice
from ntkal.models.cnn import cnn
from ntkal.models.mlp import mlp
from ntkal.models.model import Model
from ntkal.models.residual import resnet18, wide_resnet

__all__ = ["Model", "cnn", "get", "mlp", "names", "resnet18", "wide_resnet"]

_FAMILIES: dict[str, Callable[..., Model]] = {
    "cnn": cnn,
    "mlp": mlp,
    "resnet18": resnet18,
    "wide_resnet": wide_resnet,
}


def names() -> tuple[str, ...]:
    """The families that :func:`get` knows, in alphabetical order.

    Example:
        >>> names()
        ('cnn', 'mlp', 'resnet18', 'wide_resnet')
    """
    return tuple(sorted(_FAMILIES))


def get(name: str, *, input_shape: Sequence[int], classes: int, width: int | None = None, **options) -> Model:
    """Build a model by name: :func:`mlp`, :func:`cnn`, :func:`wide_resnet` or :func:`resnet18`.

    Args:
        name: One of :func:`names`.
        input_shape: Shape of one input, e.g. ``(28, 28, 1)``.
        classes: Number of outputs C, at least 1.
        width: Width of the family's layers; ``None`` takes the family's default.
        **options: Any further option of the family, e.g. ``parameterization="ntk"``.

    Returns:
        The model. Equal arguments give the same object, so that functions compiled for it are found again.

    Raises:
        ValueError: For an unknown name or option, or a value out of range.

    Example:
        >>> import jax
        >>> model = get("mlp", input_shape=(2,), classes=3, width=16)
        >>> params = model.init(jax.random.key(0))
        >>> model.apply(params, jax.numpy.zeros((5, 2))).shape
        (5, 3)
    """
    family = _FAMILIES[check_choice("name", name, _FAMILIES)]
    if width is not None:
        options["width"] = width
    unknown = sorted(set(options) - set(family.options))
    if unknown:
        raise ValueError(f"{name}: unknown option {unknown[0]!r}; choose among {', '.join(family.options)}.")
    return family(input_shape, classes, **options)
