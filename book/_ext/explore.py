"""The directive `explorable`: a figure to operate in the page, and a picture of it everywhere else.

```{explorable} regression
:name: fig-09-explore
:alt: What the picture shows.

The caption.
```

It is the figure of `_static/explore/regression.png`, numbered like the others. On a page that has one, the
script `_static/explore/regression.js` puts the live figure in the picture's place. Without scripts, in print,
in PDF and in the notebooks the picture stays.
"""

from pathlib import Path

from docutils import nodes
from sphinx.directives.patches import Figure
from sphinx.util.docutils import SphinxDirective

FOLDER = "_static/explore"
SHARED = ("core", "draw")


class Explorable(Figure, SphinxDirective):
    """A figure with a class that the script finds; its argument is a name."""

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        folder = Path(self.env.doc2path(self.env.docname)).parent / FOLDER
        known = sorted(path.stem for path in folder.glob("*.png") if path.with_suffix(".js").is_file())
        if name not in known:
            raise self.error(f"explorable: there is no {name!r} in {FOLDER}; it has {', '.join(known)}")
        if not self.options.get("alt"):
            raise self.error(f"explorable: {name} needs the option :alt:")
        self.arguments[0] = f"{FOLDER}/{name}.png"
        found = super().run()
        for figure in found:
            if isinstance(figure, nodes.figure):
                figure["classes"] += ["explorable", f"explorable-{name}"]
                figure["explorable"] = name
        return found


def load_scripts(app, pagename, templatename, context, doctree) -> None:
    """Load the shared scripts, those of the page's explorables and the style, on pages that have some."""
    found = [] if doctree is None else list(doctree.findall(nodes.figure))
    wanted = sorted({figure["explorable"] for figure in found if "explorable" in figure})
    if wanted:
        app.add_css_file("explore/explore.css")
        for name in (*SHARED, *wanted):
            app.add_js_file(f"explore/{name}.js", loading_method="defer")


def setup(app) -> dict:
    """Register the extension."""
    app.add_directive("explorable", Explorable)
    app.connect("html-page-context", load_scripts)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
