"""The stack of configs/stacks/s3.sh on a real S3 API: registered twice, run, resumed, with its artifacts in the bucket."""

import os
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from tests.data.s3_server import options
from tests.make import write_tiny_recipe

pytestmark = [pytest.mark.bucket, pytest.mark.cli, pytest.mark.zenml]

ROOT = Path(__file__).resolve().parents[2]
SECRET = "not-for-the-command-line"


@pytest.fixture(scope="module")
def environment(s3, tmp_path_factory):
    """Of a user whose ZenML has never been used, with the keys where AWS's tools look for them."""
    bin_folder = Path(sys.executable).parent
    return os.environ | {
        "PATH": f"{bin_folder}:{os.environ['PATH']}",
        "ZENML_CONFIG_PATH": str(tmp_path_factory.mktemp("zenml-s3")),
        "BUCKET": "s3://pairs/local",
        "ENDPOINT": s3,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }


def called(words, environment):
    done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert SECRET not in done.stdout + done.stderr
    return done


def test_a_key_that_is_missing_is_one_line(environment):
    done = called(["configs/stacks/s3.sh"], environment | {"AWS_SECRET_ACCESS_KEY": ""})
    assert (done.returncode, done.stderr.strip()) == (2, "set AWS_SECRET_ACCESS_KEY: its secret")


def test_runs_keep_everything_in_the_bucket_and_resume_from_it(environment, s3, tiny_base, tmp_path):
    for _ in range(2):
        done = called(["configs/stacks/s3.sh"], environment)
        assert done.returncode == 0, done.stdout + done.stderr
    recipe = write_tiny_recipe(tmp_path / "tiny.yaml", tiny_base, "vision_zero_s3", {})
    printed = []
    for _ in range(2):
        run = ["zenml", "pipeline", "run", "pipelines.self_play.self_play", "-c", str(recipe)]
        done = called(run, environment)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        printed.append(done.stdout + done.stderr)
    assert "iterations 0 → 2" in printed[0]
    assert "iterations 2 → 4" in printed[1]
    listed = fsspec.filesystem("s3", **options(s3)).find("pairs/local")
    for name in ("adapter_model.safetensors", "pairs.parquet", "replay.html", "card.md"):
        assert any(path.endswith(name) for path in listed), name
    assert not any(path.endswith((".pkl", ".pickle", ".bin")) for path in listed)
