"""Whole runs with their artifacts in a bucket behind a line that fails: a few faults are survived; one that stays ends the run in
one line, and what was promoted stands, loads, and is gone on from."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import click
import pytest
import yaml

from tests.crashes import MODEL, ROOT, Workplace
from tests.faults import Fault, faulty_line

pytestmark = [pytest.mark.bucket, pytest.mark.cli, pytest.mark.zenml, pytest.mark.s3]

ENDED = (
    r"ArtifactError: s3://\S+/trained_policy/\S+/optimizer.safetensors cannot be stored: .*; "
    "what earlier runs promoted stands: check the artifact store and its credentials, and run again"
)
FEW = (
    Fault("500", "PUT", "/trained_policy/.*adapter_model", 2),
    Fault("503", "PUT", "pairs.parquet", 2),
    Fault("cut upload", "PUT", "/clue_policy/.*optimizer.safetensors", 1),
    Fault("lost answer", "PUT", "/trained_policy/.*optimizer.safetensors", 2),
    Fault("reset", "GET", "adapter_model", 2),
    Fault("cut answer", "GET", "pairs.parquet", 2),
    Fault("500", "HEAD", times=2),
    Fault("503", "GET", "list-type", 2),
    Fault("slow", times=5),
)


@pytest.fixture(scope="module")
def line(s3):
    with faulty_line(s3) as made:
        yield made


@pytest.fixture(scope="module")
def place(line, tmp_path_factory):
    """A ZenML of its own, with its artifacts behind the line."""
    made = Workplace.at(tmp_path_factory.mktemp("s3-faults") / "place")
    environment = made.environment | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "BUCKET": "s3://pairs/faults",
        "ENDPOINT": line.url,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }
    called(["configs/stacks/s3.sh"], environment)
    return replace(made, environment=environment)


def called(words, environment):
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def promoted(place, line):
    """What a run promotes that meets each of a few faults."""
    line.faults = FEW
    place.run()
    line.faults = ()
    assert {fault: line.met[fault] for fault in FEW} == {fault: fault.times for fault in FEW}
    return place.promoted()


def test_a_few_faults_are_survived(promoted):
    assert (promoted["version"], promoted["iterations"]) == (1, [0, 1])


def test_a_policy_is_published_past_a_few_faults(promoted, place, line, s3, tmp_path):
    storage = {"client_kwargs": {"endpoint_url": line.url, "region_name": "us-east-1"}}
    config = {"model": MODEL, "form": "adapter", "target": "s3://pairs/published", "options": storage}
    recipe = tmp_path / "publish.yaml"
    recipe.write_text(yaml.safe_dump({"execution_mode": "fail_fast", "parameters": {"config": config}}))
    faults = Fault("500", "PUT", "/published/.*adapter_model", 2), Fault("503", "PUT", "/published/contents.json", 2)
    line.faults = faults
    printed = called([place.command[0], "pipeline", "run", "pipelines.publish.publish", "-c", str(recipe)], place.environment)
    line.faults = ()
    assert [line.met[fault] for fault in faults] == [2, 2]
    assert re.search(r"published: s3://pairs/published/\w{16}\b", printed)


def test_an_upload_that_stays_lost_ends_the_run_and_the_same_command_goes_on(promoted, place, line):
    line.faults = (Fault("cut upload", "PUT", "/trained_policy/.*optimizer.safetensors"),)
    with pytest.raises(click.ClickException, match=ENDED):
        place.run()
    line.faults = ()
    assert place.promoted() == promoted
    place.run()
    after = place.promoted()
    assert (after["iterations"], after["rates"][:2]) == ([0, 1, 2, 3], promoted["rates"])
