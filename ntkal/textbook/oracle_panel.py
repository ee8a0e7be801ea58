"""The buttons, the field and the pictures with which a person in a notebook answers an :class:`Oracle`."""

import base64
import io
import sys
from collections.abc import Callable

import matplotlib.image
import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from ntkal.inputs import ArrayLike
from ntkal.textbook.oracle import Oracle

__all__ = ["Panel", "someone_is_there"]


def someone_is_there() -> bool:
    """Whether a person runs this cell, in Jupyter or Colab, rather than a test or the build of a page.

    Notebooks that a person has open let a cell ask for input; programs that run notebooks do not.

    Example:
        >>> someone_is_there()
        False
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    request = shell.get_parent() if hasattr(shell, "get_parent") else None
    return bool(request and request.get("content", {}).get("allow_stdin", False))


class Panel:
    """The present query, a button for each class, a field to type in, and what the last answer did.

    Everything can be reached with Tab. In the field, a digit answers and ``u`` takes the last answer back.
    Needs ipywidgets (the extra ``teaching``; Colab has it).

    Args:
        oracle: What the answers go to.
        images: The pool's images, shape (m, h, w), dark ink as large values; a fourth axis of length 1 may
            follow.

    Attributes:
        widget: What a notebook shows.
        buttons: One for each class, in order.
        field: The field to type in.
        back: The button that undoes.

    Raises:
        ImportError: When ipywidgets is not installed.
        ValueError: When there is not one image for each input of the pool.

    Example:
        >>> import jax.numpy as jnp
        >>> from ntkal import Lookahead
        >>> post = Lookahead(jnp.array([[0.5, 0.5]] * 3), jnp.eye(3) + 1.0, ridge=0.1)
        >>> panel = Panel(Oracle(post, np.array([0, 1, 1]), 2), np.zeros((3, 8, 8)))
        >>> panel.buttons[1].click()
        >>> [reply.label for reply in panel.oracle.replies]
        [1]
    """

    def __init__(self, oracle: Oracle, images: Float[ArrayLike, "m h w *one"]):
        try:
            import ipywidgets
        except ImportError as error:
            wanted = "The panel needs ipywidgets: run  pip install ipywidgets, or answer with Oracle.tell."
            raise ImportError(wanted) from error
        m, classes = oracle.post.mean.shape
        self.oracle, self.images = oracle, np.asarray(images)
        if self.images.shape[3:] == (1,):
            self.images = self.images[..., 0]
        if self.images.ndim != 3 or len(self.images) != m:
            raise ValueError(f"images: expected shape ({m}, height, width), got {np.shape(images)}.")
        self.help = f"Type a digit from 0 to {classes - 1}, or u to undo."
        narrow = ipywidgets.Layout(width="3.2em")
        self.buttons = [
            ipywidgets.Button(description=str(k), tooltip=f"This is a {k}", layout=narrow)
            for k in range(classes)
        ]
        for k, button in enumerate(self.buttons):
            button.on_click(lambda _, k=k: self._tell(k))
        self.back = ipywidgets.Button(description="Undo", tooltip="Take the last answer back")
        self.back.on_click(lambda _: self._undo())
        self.field = ipywidgets.Text(description="Digit:", placeholder=f"0 to {classes - 1}")
        self.field.observe(self._typed, names="value")
        self.query, self.status, self.curve = (ipywidgets.HTML() for _ in range(3))
        answer = [ipywidgets.HBox(self.buttons), ipywidgets.HBox([self.field, self.back]), self.status]
        left = ipywidgets.VBox([self.query, *answer])
        self.widget = ipywidgets.HBox([left, self.curve], layout=ipywidgets.Layout(flex_flow="row wrap"))
        self._show(self.help)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        display(self.widget)
        if hasattr(self.field, "focus"):  # ipywidgets 8; Colab has 7
            self.field.focus()

    def _typed(self, change) -> None:
        text = change["new"].strip().lower()
        if not text:
            return
        self.field.value = ""
        if text == "u":
            self._undo()
        elif text in [button.description for button in self.buttons]:
            self._tell(int(text))
        else:
            self._show(self.help)

    def _tell(self, label: int) -> None:
        if self.oracle.query is None:
            return
        reply = self.oracle.tell(label)
        self._show(
            f"{reply} {reply.changed} held-out predictions changed; accuracy {reply.accuracy:.1%}. "
            f"This took {1e3 * reply.seconds:.0f} ms and no training."
        )

    def _undo(self) -> None:
        self.oracle.undo()
        self._show(f"Taken back. Accuracy {self.oracle.accuracy:.1%}.")

    def _show(self, said: str) -> None:
        """Draw all that changes; a screen reader hears the status."""
        c, count = self.oracle.query, len(self.oracle.replies)
        if c is None:
            self.query.value = "<p>Every candidate has a label: thank you.</p>"
        else:
            digit = _image("the digit to label", 160, matplotlib.image.imsave, self.images[c], cmap="Greys")
            self.query.value = f"<p>Question {count + 1}: which digit is this?</p>{digit}"
        self.status.value = f'<p role="status">{said}</p>'
        self.curve.value = _curve([self.oracle.at_first, *(reply.accuracy for reply in self.oracle.replies)])
        self.back.disabled = count == 0
        for button in self.buttons:
            button.disabled = c is None


def _image(alt: str, width: int, write: Callable, *content, **options) -> str:
    """Return an HTML image of what ``write`` writes as PNG, in squares rather than blurred."""
    png = io.BytesIO()
    write(png, *content, format="png", **options)
    source = "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
    return f'<img alt="{alt}" width="{width}" style="image-rendering: pixelated" src="{source}">'


def _curve(accuracy: list[float]) -> str:
    figure = Figure(figsize=(3.6, 2.6), layout="constrained")
    ax = figure.subplots()
    ax.plot(np.arange(len(accuracy)), 100 * np.array(accuracy), "o-", markersize=4)
    ax.set(xlabel="answers", ylabel="held out, right (%)", xlim=(-0.5, max(20, len(accuracy)) + 0.5))
    alt = f"Accuracy on held-out inputs: {accuracy[0]:.1%} at first, {accuracy[-1]:.1%} now."
    return _image(alt, 360, figure.savefig)
