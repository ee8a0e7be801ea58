"""GitHub's workflows and forms: as published, pinned, with few rights, each command there, for any fork.

Actionlint itself runs in `ci.yml`.
"""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import retarget
import yaml
from project import ROOT, Project

GITHUB = ROOT / ".github"
PROJECT = Project()
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
ACTIONS = sorted((GITHUB / "actions").glob("*/action.yml"))
# What may be written, by workflow and job; all else only reads.
WRITES = {("pages", "publish"): {"pages", "id-token"}, ("canary", "report"): {"issues"}}
FORMS = {
    "github-workflows": WORKFLOWS,
    "github-actions": ACTIONS,
    "dependabot": [GITHUB / "dependabot.yml"],
    "github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "github-issue-forms": sorted((GITHUB / "ISSUE_TEMPLATE").glob("[!c]*.yml")),
}


def read(path):
    return yaml.load(path.read_text(), yaml.BaseLoader)  # without YAML 1.1's `on` for true


def jobs():
    return {(path.stem, name): job for path in WORKFLOWS for name, job in read(path)["jobs"].items()}


def steps():
    parts = [*jobs().values(), *(read(path)["runs"] for path in ACTIONS)]
    return [step for part in parts for step in part["steps"]]


@pytest.mark.parametrize("form", FORMS)
def test_each_file_has_the_form_that_is_published(form):
    package = importlib.util.find_spec("check_jsonschema") or pytest.skip("no package check-jsonschema")
    folder = Path(package.origin).parent / "builtin_schemas" / "vendor"
    schema = json.loads((folder / f"{form}.json").read_text())
    assert FORMS[form]
    for path in FORMS[form]:
        content = yaml.safe_load(path.read_text())
        if True in content:
            content["on"] = content.pop(True)  # YAML 1.1 takes the key for a truth value
        jsonschema.validate(content, schema, cls=jsonschema.validators.validator_for(schema))


def test_other_peoples_actions_are_pinned_to_one_commit_each_with_its_version():
    pins = {}
    for path in [*WORKFLOWS, *ACTIONS]:
        for action in re.findall(r"uses: ([^.\s].*)", path.read_text()):
            name, pin = action.split("@", 1)
            assert re.fullmatch(r"[0-9a-f]{40} # v\d+\.\d+\.\d+", pin), f"{path.name}: {action}"
            assert pins.setdefault(name, pin) == pin, f"{path.name}: {action}"
    assert pins


def test_jobs_end_and_only_those_named_here_may_write():
    for path in WORKFLOWS:
        assert read(path)["permissions"] == {"contents": "read"}, path.name
        assert "group" in read(path)["concurrency"], path.name
    for name, job in jobs().items():
        assert 0 < int(job["timeout-minutes"]) <= 120, name
        writes = {right for right, level in job.get("permissions", {}).items() if level == "write"}
        assert writes == WRITES.get(name, set()), name
    for step in steps():
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"] == {"persist-credentials": "false"}


def test_every_command_of_a_workflow_is_there():
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    tools = re.findall(r"\$\(TOOLS\)/([\w.]+)", makefile)
    assert not [tool for tool in tools if not (ROOT / "book" / "_tools" / tool).is_file()]
    commands = "\n".join(step["run"] for step in steps() if "run" in step)
    called = re.findall(r"\bmake ([\w-]+)", commands)
    assert {"env", "unit", "test", "nbval", "book", "links"} <= set(called) <= targets
    scripts = re.findall(r"^(\.?[\w-]+/\S+)", commands, re.MULTILINE)
    assert scripts == [".ci/run"]
    assert all(os.access(ROOT / script, os.X_OK) for script in scripts)
    own = [step["uses"] for step in steps() if step.get("uses", "").startswith("./")]
    assert own
    assert {ROOT / name / "action.yml" for name in own} <= set(ACTIONS)


def test_the_unit_tests_run_on_every_python_that_the_package_names():
    classifiers = PROJECT.pyproject["project"]["classifiers"]
    named = [name.split()[-1] for name in classifiers if re.search(r"Python :: 3\.\d", name)]
    assert jobs()["ci", "unit"]["strategy"]["matrix"]["python"] == named


def test_a_fork_has_the_same_workflows_and_forms_with_its_own_addresses(tmp_path):
    shutil.copytree(GITHUB, tmp_path / ".github")
    shutil.copy(ROOT / "_config.yml", tmp_path)
    retarget.retarget(Project(tmp_path), "someone-else/their.fork")
    fork = Project(tmp_path)
    for path in [*WORKFLOWS, *ACTIONS]:
        assert (tmp_path / path.relative_to(ROOT)).read_text() == path.read_text()
        assert PROJECT.slug.split("/")[0] not in path.read_text()
        for branch in read(path).get("on", {}).get("push", {}).get("branches", []):
            assert branch == fork.branch
    links = read(tmp_path / ".github" / "ISSUE_TEMPLATE" / "config.yml")["contact_links"]
    assert all(link["url"].startswith((fork.pages, fork.url)) for link in links)


def test_the_book_is_published_without_solutions_when_the_variable_says_so():
    made = [step for step in jobs()["pages", "build"]["steps"] if step.get("run") == "make book"]
    assert [step["env"] for step in made] == [{"SOLUTIONS": "${{ vars.SOLUTIONS }}"}]


@pytest.mark.parametrize(("there", "asked"), [("", "issue create --title T"), ("7", "issue comment 7")])
def test_a_failure_of_the_weekly_check_opens_one_issue_and_then_writes_to_it(tmp_path, there, asked):
    job = jobs()["canary", "report"]
    assert set(job["needs"]) == {name for flow, name in jobs() if flow == "canary"} - {"report"}
    (tmp_path / "gh").write_text(f'#!/bin/sh\n[ "$2" = list ] && echo "{there}" || echo "$@" > said\n')
    (tmp_path / "gh").chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TITLE": "T", "BODY": "two\nlines"}
    subprocess.run(["bash", "-e", "-c", job["steps"][0]["run"]], cwd=tmp_path, env=environment, check=True)
    assert (tmp_path / "said").read_text() == f"{asked} --body two\nlines\n"
