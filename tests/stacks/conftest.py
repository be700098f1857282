"""What the tests of stacks with a cluster share: one ZenML server, one S3 server, and a recipe of seconds."""

import importlib.util
import os
import subprocess
from pathlib import Path

import pytest

from tests.data.s3_server import s3_server
from tests.make import write_tiny_recipe
from tests.stacks.zenml_server import client_environment, zenml_server

ROOT = Path(__file__).resolve().parents[2]


def pytest_runtest_setup(item):
    """Without the extra these tests are skipped; where CI asks for them by name (make test-kubeflow), that is a failure."""
    if item.get_closest_marker("kubeflow") is None:
        return
    missing = [name for name in ("kfp", "kfp.kubernetes", "kubernetes") if not is_installed(name)]
    if missing:
        message = f"{', '.join(missing)} not installed: pip install -c constraints.txt -e '.[dev,kubeflow]'"
        (pytest.fail if os.environ.get("REQUIRE_KUBEFLOW") else pytest.skip)(message)


def is_installed(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@pytest.fixture(scope="package")
def s3():
    with s3_server() as url:
        yield url


@pytest.fixture(scope="package")
def user(s3, tmp_path_factory):
    """The environment of somebody with a ZenML server and a bucket, who has never used ZenML before."""
    folder = tmp_path_factory.mktemp("stacks")
    with zenml_server(folder) as url:
        yield client_environment(url, folder) | {
            "BUCKET": "s3://pairs/zenml",
            "ENDPOINT": s3,
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "REGISTRY": "registry.example.org/team",
        }


@pytest.fixture(scope="package")
def run(user):
    """Runs a command as that user, in the repository, and returns what it printed; another status than 0 is an error."""

    def call(*words, **extra):
        done = subprocess.run(words, cwd=ROOT, env=user | extra, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
        return done.stdout + done.stderr

    return call


@pytest.fixture
def write_recipe(tiny_base, tmp_path):
    """Writes a recipe of seconds with the settings of a file of configs/stacks, put together as that file's header says."""

    def write(stack, model, more=""):
        file = write_tiny_recipe(tmp_path / f"{model}.yaml", tiny_base, model, {"runs_folder": "runs"})
        settings = (ROOT / "configs" / "stacks" / f"{stack}.yaml").read_text()
        recipe = file.read_text()
        if "\nexecution_mode:" in settings:
            recipe = recipe.replace("execution_mode: fail_fast\n", "")
        file.write_text(f"{recipe}{settings}{more}")
        return str(file)

    return write
