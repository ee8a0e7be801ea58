"""Files of queries and labels: tables (CSV) and Label Studio's JSON, for people who label elsewhere."""

import csv
import io
import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from ntkal.experiments.results import write_whole
from ntkal.inputs import check_choice, check_int
from ntkal.textbook.oracle import Oracle

SKIP, UNSURE = "skip", "don't know"
"""Answers that are no class: the input is not to be labelled; the person cannot tell."""
_WORDS = {SKIP: SKIP, "skipped": SKIP} | dict.fromkeys(
    (UNSURE, "dont know", "unknown", "unsure", "?"), UNSURE
)
_ENDINGS = (".csv", ".json")


@dataclass(frozen=True)
class Answers:
    """What a file says.

    Attributes:
        given: The answer for each position that has one: the name of a class, ``"skip"`` or ``"don't know"``.
        problems: A sentence for each line that cannot be used, with the file's name and the line.

    Example:
        >>> Answers({4: "cat", 7: SKIP}, ()).labels(["cat", "dog"])
        {4: 0}
    """

    given: dict[int, str]
    problems: tuple[str, ...]

    def labels(self, classes: Sequence[str]) -> dict[int, int]:
        """The number of the class of each position that was given one."""
        return {at: list(classes).index(said) for at, said in self.given.items() if said in classes}


def write_queries(
    path: str | os.PathLike,
    positions: Sequence[int],
    classes: Sequence[str],
    *,
    images: Mapping[int, str] | Sequence[str] | None = None,
    given: Mapping[int, str] | None = None,
) -> Path:
    """Write a file in which a person labels, or labels that there are, whole or not at all.

    Args:
        path: A name ending in ``.csv``: a table with columns position, image, label. In ``.json``: tasks for
            Label Studio, where :func:`label_config` is the project's labelling interface.
        positions: What is asked for, in order, best first.
        classes: Names of the classes.
        images: Where to see each position, a path or an address; empty if None.
        given: Answers that there are already: names of classes, ``"skip"``, ``"don't know"``.

    Raises:
        ValueError: For another ending, or an answer that is none.

    Example:
        >>> import tempfile
        >>> path = write_queries(tempfile.mkdtemp() + "/a.csv", [7, 4], ["cat", "dog"], given={4: "dog"})
        >>> print(path.read_text().strip())
        position,image,label
        7,,
        4,,dog
    """
    suffix, given = check_choice("path: its ending", Path(path).suffix, _ENDINGS), given or {}
    for said in given.values():
        check_choice("given", said, (*classes, SKIP, UNSURE))
    rows = [(int(at), "" if images is None else str(images[at]), given.get(at, "")) for at in positions]
    if suffix == ".csv":
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows([("position", "image", "label"), *rows])
        return write_whole(path, lambda file: file.write(text.getvalue().encode()))
    tasks = []
    for at, image, said in rows:
        task: dict[str, Any] = {"data": {"position": at, "image": image}}
        if said:
            value = {
                "from_name": "label",
                "to_name": "image",
                "type": "choices",
                "value": {"choices": [said]},
            }
            skipped = said == SKIP
            task["annotations"] = [{"result": [] if skipped else [value], "was_cancelled": skipped}]
        tasks.append(task)
    return write_whole(path, lambda file: file.write(json.dumps(tasks, indent=1).encode()))


def label_config(classes: Sequence[str]) -> str:
    """The labelling interface of a Label Studio project for these classes, with "don't know" as the last.

    Example:
        >>> print(label_config(["cat"]))
        <View>
          <Image name="image" value="$image"/>
          <Choices name="label" toName="image" choice="single">
            <Choice value="cat"/>
            <Choice value="don't know"/>
          </Choices>
        </View>
    """
    choices = "\n".join(f"    <Choice value={quoteattr(name)}/>" for name in (*classes, UNSURE))
    image = '<Image name="image" value="$image"/>'
    asked = '<Choices name="label" toName="image" choice="single">'
    return f"<View>\n  {image}\n  {asked}\n{choices}\n  </Choices>\n</View>"


def read_answers(path: str | os.PathLike, asked: Collection[int], classes: Sequence[str]) -> Answers:
    r"""Read what a person has answered; lines without an answer yet are passed over.

    A label is a class's name, or its number where no name is one. The last answer for a position counts, so
    that a line further down, or a later annotation, corrects an earlier one.

    Args:
        path: A table (``.csv``; commas, semicolons or tabs; further columns do not matter), or an export of
            Label Studio (``.json``, JSON or JSON-MIN), where a skipped task is a ``"skip"``.
        asked: Positions that may stand there.
        classes: Names of the classes.

    Returns:
        The answers that can be used, and a sentence for each line that cannot.

    Raises:
        ValueError: When nothing of the file can be used: it is missing, not in UTF-8, no table with these
            columns, no JSON.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp(), "a.csv")
        >>> _ = path.write_text("position,label\n7,cat\n4,dgo\n5,\n8,skip\n")
        >>> answers = read_answers(path, [4, 5, 7, 8], ["cat", "dog"])
        >>> answers.given
        {7: 'cat', 8: 'skip'}
        >>> print(*answers.problems)
        a.csv, line 3: label: unknown 'dgo' (did you mean 'dog'?); choose one of cat, dog, don't know, skip.
    """
    path, given, problems = Path(path), {}, []
    read = _lines if check_choice("path: its ending", path.suffix, _ENDINGS) == ".csv" else _tasks
    try:
        for where, at, said in read(path.read_text(encoding="utf-8-sig")):
            try:
                position = _whole(at)
                if position is None:
                    raise ValueError(f"position: expected a whole number, got {at!r}.")
                if position not in asked:
                    raise ValueError(f"position: {position} was not asked for.")
                if said is not None and str(said).strip():
                    given[position] = _meant(said, classes)
            except ValueError as error:
                problems.append(f"{path.name}, {where}: {error}")
    except OSError as error:
        raise ValueError(f"path: {path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"path: {path} is not in UTF-8 ({error}); save it as UTF-8.") from error
    except (csv.Error, json.JSONDecodeError, TypeError) as error:
        raise ValueError(f"path: {path} is no file of answers: {error}.") from error
    return Answers(given, tuple(problems))


def tell(oracle: Oracle, answers: Answers, classes: Sequence[str]) -> int:
    """Give an oracle all labels of a file, corrections of earlier ones too; return how many were new to it.

    Positions are those of the oracle's pool; its ``queries(k)`` says which to write into the file.

    Raises:
        ValueError: For a position that is no candidate.

    Example:
        >>> import jax.numpy as jnp, numpy as np, ntkal
        >>> oracle = Oracle(ntkal.Lookahead(jnp.zeros((3, 2)), jnp.eye(3), ridge=0.1), np.array([0, 1, 1]), 2)
        >>> tell(oracle, Answers({1: "dog", 0: UNSURE}, ()), ["cat", "dog"]), oracle.query
        (1, 0)
    """
    labels = answers.labels(classes)
    for position in labels:
        check_int("answers: a position", position, low=0, high=oracle.candidates - 1)
    before = {reply.query: reply.label for reply in oracle.replies}
    changed = new = {at: label for at, label in labels.items() if before.get(at) != label}
    wrong = [i for i, reply in enumerate(oracle.replies) if reply.query in new]
    if wrong:  # what was said from the first of them on is taken back and said again
        new = {reply.query: reply.label for reply in oracle.replies[wrong[0] :]} | new
        while len(oracle.replies) > wrong[0]:
            oracle.undo()
    for position, label in new.items():
        oracle.query = position
        oracle.tell(label)
    return len(changed)


def _lines(text: str) -> Iterator[tuple[str, Any, Any]]:
    """Line, position and label of a table."""
    header = text.partition("\n")[0]
    table = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    names = [name.strip().lower() for name in next(table, [])]
    if not {"position", "label"} <= set(names):
        raise TypeError(f"expected columns position and label, got {', '.join(names) or 'nothing'}")
    for row in table:
        if any(row):
            cells = dict(zip(names, row, strict=False))
            yield f"line {table.line_num}", cells.get("position"), cells.get("label")


def _tasks(text: str) -> Iterator[tuple[str, Any, Any]]:
    """Task, position and label of an export; what is no task has no position."""
    tasks = json.loads(text)
    if not isinstance(tasks, list):
        raise TypeError("expected a list of tasks")
    for number, task in enumerate(tasks, 1):
        task = task if isinstance(task, dict) else {}
        inside = task["data"] if isinstance(task.get("data"), dict) else task
        done = [one for one in task.get("annotations") or [] if isinstance(one, dict)]
        said = _choice(task.get("label"))
        if done:
            last = max(done, key=lambda one: str(one.get("updated_at") or one.get("created_at") or ""))
            said = SKIP if last.get("was_cancelled") else _choice(last.get("result"))
        yield f"task {number}", inside.get("position"), said


def _choice(said: Any) -> Any:
    """The one choice in any of the forms that an export has; whatever else there is, to be named as wrong."""
    if isinstance(said, list):
        found = [_choice(one) for one in said]
        return found[0] if len(found) == 1 else (found or "no choice")
    if isinstance(said, dict):
        return _choice(said["choices"] if "choices" in said else said.get("value", "no choice"))
    return said


def _whole(value: Any) -> int | None:
    try:
        number = float(value)
        return int(number) if number.is_integer() and not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        return None


def _meant(said: Any, classes: Sequence[str]) -> str:
    text, number = str(said).strip(), _whole(said)
    if text in classes:
        return text
    word = _WORDS.get(text.lower().replace("\u2019", "'"))
    if word is not None:
        return word
    if number is not None and str(number) in classes:
        return str(number)
    if number in range(len(classes)) and all(_whole(name) is None for name in classes):
        return classes[number]
    return check_choice("label", text, (*classes, SKIP, UNSURE))
