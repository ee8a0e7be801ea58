"""Files of queries and labels: what was written is read again, and every line that is no use is named."""

import json
import xml.etree.ElementTree as xml

import jax.numpy as jnp
import numpy as np
import pytest

import ntkal
from ntkal.adapters import Answers, label_config, read_answers, tell, write_queries
from ntkal.adapters.label_files import SKIP, UNSURE
from ntkal.textbook.oracle import Oracle

CLASSES = ("cat", "dog", "don't", 'a, b;\t"c"\n<&\'')  # names as people have them
ASKED = (7, 4, 12, 0, 31)


def read(folder, text, name="a.csv", classes=("cat", "dog"), asked=ASKED):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_answers(path, asked, classes)


@pytest.mark.parametrize("suffix", [".csv", ".json"])
def test_what_is_written_is_read_again(tmp_path, suffix):
    given = {7: CLASSES[3], 4: "dog", 12: SKIP, 0: UNSURE}
    path = write_queries(tmp_path / f"q{suffix}", ASKED, CLASSES, given=given)
    assert read_answers(path, ASKED, CLASSES) == Answers(given, ())


def test_queries_say_where_the_images_are_and_have_no_label(tmp_path):
    images = [f"i{at}.png" for at in range(32)]
    text = write_queries(tmp_path / "q.csv", ASKED, CLASSES, images=images).read_text()
    assert text.splitlines() == ["position,image,label", *(f"{at},i{at}.png," for at in ASKED)]
    tasks = json.loads(write_queries(tmp_path / "q.json", ASKED, CLASSES, images=images).read_text())
    assert tasks == [{"data": {"position": at, "image": f"i{at}.png"}} for at in ASKED]


def test_the_labelling_interface_offers_each_class_and_not_to_know():
    root = xml.fromstring(label_config(CLASSES))
    assert [choice.get("value") for choice in root.iter("Choice")] == [*CLASSES[:3], CLASSES[3], UNSURE]
    names = {
        root.find("Choices").get("name"),
        root.find("Choices").get("toName"),
        root.find("Image").get("name"),
    }
    assert names == {"label", "image"}


TABLES = {
    "as it was written": "position,image,label\n7,,cat\n4,x.png,\n12,,skip\n",
    "semicolons, a byte order mark, other columns": "\ufeffid;Label;Position\n1;cat;7\n2;;4\n3;skip;12\n",
    "tabs and other line ends": "position\tlabel\r\n7\tcat\r\n\r\n12\tSKIP\r\n",
    "numbers as a spreadsheet keeps them": "position,label\n7.0,0.0\n4.0,\n12.0, skip \n",
    "a corrected label": "position,label\n7,dog\n12,dog\n7,cat\n12,skip\n7,\n",
    "an export of Label Studio": "annotation_id,annotator,id,image,label,lead_time,position,updated_at\n"
    "1,1,1,,cat,2.1,7,2026-01-01\n2,1,2,,skip,2.1,12,2026-01-01\n",
}


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_is_read_in_every_form(tmp_path, kind):
    assert read(tmp_path, TABLES[kind]) == Answers({7: "cat", 12: SKIP}, ())


@pytest.mark.parametrize("word", ["don't know", "Don\u2019t know", "unknown", "?", "UNSURE"])
def test_not_to_know_is_an_answer(tmp_path, word):
    found = read(tmp_path, f"position,label\n7,{word}\n")
    assert found == Answers({7: UNSURE}, ())
    assert found.labels(("cat", "dog")) == {}


def test_a_number_is_a_name_where_names_are_numbers(tmp_path):
    text = "position,label\n7,1\n4,2.0\n12,0\n"
    assert read(tmp_path, text, classes=("1", "2")).labels(("1", "2")) == {7: 0, 4: 1}
    assert "line 4: label: unknown '0'" in read(tmp_path, text, classes=("1", "2")).problems[0]
    assert read(tmp_path, text, classes=("x", "y", "z")).given == {7: "y", 4: "z", 12: "x"}


def test_a_class_may_be_called_skip(tmp_path):
    assert read(tmp_path, "position,label\n7,skip\n", classes=("skip", "dog")).labels(("skip", "dog")) == {
        7: 0
    }


def test_each_line_that_cannot_be_used_is_named_and_the_others_count(tmp_path):
    text = "position,label\n7,cat\nseven,cat\n99,dog\n4,dgo\n12,9\n31\n-1,cat\n,dog\n0,dog\n"
    found = read(tmp_path, text)
    assert found.given == {7: "cat", 0: "dog"}
    assert [problem.split(":")[0] for problem in found.problems] == [
        f"a.csv, line {n}" for n in (3, 4, 5, 6, 8, 9)
    ]
    assert "'seven'" in found.problems[0]
    assert "99 was not asked for" in found.problems[1]
    assert "did you mean 'dog'?" in found.problems[2]


def task(position, *annotations, **more):
    made = [
        {
            "id": i,
            "result": [
                {"from_name": "label", "to_name": "image", "type": "choices", "value": {"choices": choices}}
            ]
            if choices
            else [],
            "was_cancelled": choices is None,
            "updated_at": at,
        }
        for i, (choices, at) in enumerate(annotations)
    ]
    return {"id": 100 + position, "data": {"position": position, "image": ""}, "annotations": made} | more


def test_an_export_of_label_studio_is_read(tmp_path):
    tasks = [
        task(7, (["cat"], "2026-01-02"), (["dog"], "2026-01-01")),  # the later annotation corrects
        task(4, (None, "2026-01-01")),
        task(12, ([UNSURE], "2026-01-01")),
        task(0),
        {"id": 5, "position": 31, "image": "", "label": "dog", "annotator": 1},  # JSON-MIN
    ]
    assert read(tmp_path, json.dumps(tasks), "a.json") == Answers(
        {7: "cat", 4: SKIP, 12: UNSURE, 31: "dog"}, ()
    )


def test_each_task_that_cannot_be_used_is_named_and_the_others_count(tmp_path):
    tasks = [
        task(7, (["cat", "dog"], "2026")),
        task(4, ([], "2026")),
        "no task",
        {"data": {"image": "a.png"}, "annotations": []},
        task(12, (["bird"], "2026")),
        task(99, (["cat"], "2026")),
        {"data": [7], "annotations": {"a": 1}},
        task(0, (["dog"], "2026")),
    ]
    found = read(tmp_path, json.dumps(tasks), "a.json")
    assert found.given == {0: "dog"}
    assert [problem.split(":")[0] for problem in found.problems] == [f"a.json, task {n}" for n in range(1, 8)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "expected columns position and label, got nothing"),
        ("a.csv", "a,b\n1,2\n", "expected columns position and label, got a, b"),
        ("a.csv", "position,label\n7,\xe9t\xe9".encode("latin-1"), "save it as UTF-8"),
        ("a.json", '[{"data": {"position": 7}', "line 1 column"),
        ("a.json", '{"data": 7}', "expected a list of tasks"),
        ("a.xlsx", "", "unknown '.xlsx'"),
    ],
)
def test_a_file_of_which_nothing_can_be_used_is_refused_by_name(tmp_path, as_user, name, text, message):
    with pytest.raises(ValueError, match=f"^path.*{message}"):
        read(tmp_path, text, name)


def test_a_file_that_is_not_there_is_named(tmp_path, as_user):
    with pytest.raises(ValueError, match="^path: .*b.csv cannot be read"):
        read_answers(tmp_path / "b.csv", ASKED, CLASSES)


def test_an_answer_that_is_none_is_not_written(tmp_path, as_user):
    with pytest.raises(ValueError, match="^given: unknown 'bird'"):
        write_queries(tmp_path / "a.csv", [7], ["cat", "dog"], given={7: "bird"})


# The oracle


def oracle():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(12, 20))
    post = ntkal.Lookahead(jnp.asarray(rng.random((12, 2))), jnp.asarray(features @ features.T), ridge=0.1)
    return Oracle(post, rng.integers(2, size=12), 8)


def test_the_queries_of_an_oracle_are_its_best_candidates_without_a_label():
    one = oracle()
    assert one.queries(1) == [one.query]
    assert sorted(one.queries(99)) == list(range(8))
    first = one.query
    one.tell(0)
    assert first not in one.queries(8)
    assert one.queries(3)[0] == one.query


def test_an_oracle_goes_on_from_a_file_as_if_it_had_been_told(tmp_path):
    one, two = oracle(), oracle()
    asked = one.queries(4)
    path = write_queries(tmp_path / "q.csv", asked, ["cat", "dog"], given={asked[2]: "dog", asked[0]: SKIP})
    assert tell(one, read_answers(path, asked, ["cat", "dog"]), ["cat", "dog"]) == 1
    two.query = asked[2]
    two.tell(1)
    np.testing.assert_array_equal(one.post.mean, two.post.mean)
    assert one.query == two.query


def test_a_corrected_label_replaces_the_one_before():
    one, two = oracle(), oracle()
    classes = ["cat", "dog"]
    assert tell(one, Answers({1: "cat", 2: "dog", 3: "dog"}, ()), classes) == 3
    assert tell(one, Answers({1: "cat", 2: "cat", 3: "dog", 5: "dog"}, ()), classes) == 2
    assert tell(one, Answers({2: "cat"}, ()), classes) == 0
    tell(two, Answers({1: "cat", 2: "cat", 3: "dog", 5: "dog"}, ()), classes)
    np.testing.assert_allclose(one.post.mean, two.post.mean, rtol=1e-9)
    assert {reply.query: reply.label for reply in one.replies} == {1: 0, 2: 0, 3: 1, 5: 1}


def test_held_out_inputs_take_no_label(as_user):
    with pytest.raises(ValueError, match="^answers: a position"):
        tell(oracle(), Answers({9: "cat"}, ()), ["cat", "dog"])
