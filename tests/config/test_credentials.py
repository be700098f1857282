"""What looks like a credential is refused wherever a configuration enters, in one line that never shows it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.make import write_tiny_recipe
from vision_zero.cli.app import cli
from vision_zero.credentials import names_credential, refuse_credentials
from vision_zero.errors import ConfigError
from vision_zero.recipes.check import ROOTS, check_file
from vision_zero.recipes.recipe_file import read_yaml
from vision_zero.training.state import IterationRecord

ROOT = Path(__file__).resolve().parents[2]
ADVICE = "put it into the environment"
LETTERS = "".join(map(chr, [*range(48, 58), *range(65, 91), *range(97, 123)]))


def shaped(prefix: str, letters: str, length: int, before: str = "", after: str = ""):
    """Strings of a form, with a body that nobody else uses."""
    body = st.text(letters, min_size=length, max_size=length)
    return body.map(lambda text: f"{before}{prefix}{text}{after}")


# Put together here, so that no scanner takes this file for a leak.
FORMS = st.one_of(
    shaped("AKI" + "A", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    shaped("h" + "f_", LETTERS, 34),
    shaped("s" + "k-", LETTERS, 47, after="7"),
    shaped("s" + "k-proj-", LETTERS + "_", 40, after="7"),
    shaped("gh" + "p_", LETTERS, 36),
    shaped(":", LETTERS, 12, before="https://ada", after="@example.org/pairs"),
    shaped("?X-Amz-Signature=", "0123456789abcdef", 64, before="https://bucket.example.org/a.png"),
    shaped("-----BEGIN RSA PRIVATE" + " KEY-----\n", LETTERS, 40),
)
NAMES = st.sampled_from(
    "password token secret api_key apiKey API_KEY access_key secret_key aws_secret_access_key aws_access_key_id "
    "session_token HF_TOKEN private_key client_secret db.password sas-token passphrase accountKey Authorization "
    "auth Cookie".split()
)
CREDENTIALS = st.text(LETTERS, min_size=8, max_size=30)
FIELDS = sorted(
    {name for root in ROOTS.values() for name in re.findall(r'"(\w+)"', str(root.model_json_schema()).replace("'", '"'))}
)
"""Every name of a setting that there is, and then some: whatever stands in the schemas."""
HARMLESS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(FIELDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=3),
    max_leaves=12,
)


@st.composite
def planted(draw, thing):
    """Harmless settings with a thing somewhere in them."""
    data = thing
    for _ in range(draw(st.integers(0, 3))):
        beside = draw(st.dictionaries(st.sampled_from(FIELDS), HARMLESS, max_size=2))
        name = draw(st.sampled_from(FIELDS))
        data = draw(st.sampled_from([{**beside, name: data}, [*beside.values(), data]]))
    return data


def refused(data) -> str:
    with pytest.raises(ConfigError) as caught:
        refuse_credentials(data)
    message = str(caught.value)
    assert ADVICE in message
    assert "\n" not in message
    return message


@pytest.mark.slow
@given(st.data())
def test_a_value_of_a_credentials_form_is_refused_and_not_shown(data):
    secret = data.draw(FORMS)
    whole = data.draw(st.sampled_from([secret, f"see {secret}"]))
    assert secret not in refused(data.draw(planted(whole)))
    assert secret not in refused(data.draw(planted({whole: 1})))


@pytest.mark.slow
@given(st.data())
def test_a_value_under_a_credentials_name_is_refused_and_not_shown(data):
    name, secret = data.draw(NAMES), data.draw(CREDENTIALS)
    message = refused(data.draw(planted({name: secret})))
    assert name in message
    assert secret not in message.replace(name, "")
    refused({name: 12345678})
    refused({name: [secret]})


@pytest.mark.slow
@given(HARMLESS)
def test_settings_are_no_credentials(data):
    refuse_credentials(data)


@given(NAMES, st.sampled_from([None, "", " ", True, "{{keys.secret}}", "${HF_TOKEN}", "$HF_TOKEN", {}, []]))
def test_nothing_and_names_of_where_it_is_are_no_credentials(name, value):
    refuse_credentials({name: value})


def test_no_setting_has_a_credentials_name():
    assert "max_clue_tokens" in FIELDS
    assert "key_variable" in FIELDS
    assert [name for name in FIELDS if names_credential(name)] == []


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_shipped_files_hold_none(path):
    read_yaml(path)


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:8000/v1", "s3://bucket/a@b", "hf://datasets/ada/pairs@main", "task-force-2024-large-model-v10",
        "/models/sk-small-2", "hf_transfer", "git@github.com:ada/spy.git", "s3://bucket/pairs?page=3",
        '{"a": "http://a:80","b": "c@d"}',
    ],
)  # fmt: skip
def test_addresses_and_names_are_no_credentials(value):
    refuse_credentials({"location": value})


PASSWORD = "correct-horse-battery"
KEY = "AKI" + "AQ3EGRIJ7XLNM2P5T"
WHERES = {
    "config": (
        {"parameters": {"config": {"pairs": {"imported": {"storage": {"options": {"secret": PASSWORD}}}}}}},
        "options.secret",
    ),
    "url": ({"parameters": {"config": {"pairs": {"imported": {"location": f"s3://ada:{PASSWORD}@b/c"}}}}}, "imported.location"),
    "unknown": ({"parameters": {"config": {"api_key": PASSWORD}}}, "config.api_key"),
    "settings": ({"parameters": {"config": {}}, "settings": {"docker": {"environment": {"HF_TOKEN": PASSWORD}}}}, "HF_TOKEN"),
    "step": ({"parameters": {"config": {}}, "steps": {"resume": {"environment": {"KEY": KEY}}}}, "steps.resume.environment.KEY"),
}


@pytest.mark.parametrize("where", WHERES)
def test_check_config_refuses_it_wherever_it_stands(tmp_path, where):
    data, place = WHERES[where]
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(data))
    with pytest.raises(ConfigError, match=f"^{file}: .*{re.escape(place)} looks like a credential") as caught:
        check_file(file)
    assert ADVICE in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert KEY not in str(caught.value)
    result = CliRunner().invoke(cli, ["schedule", str(file)])
    assert isinstance(result.exception, ConfigError)
    assert PASSWORD not in result.output


def test_a_comment_is_part_of_the_file(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(f"parameters: {{config: {{}}}}\n\n# my key is {KEY}\n")
    with pytest.raises(ConfigError, match="line 3 looks like a credential by its form") as caught:
        check_file(file)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", [f"password: '{PASSWORD}", f"password: {PASSWORD}: x", f"password: [{PASSWORD}", f"{KEY}: ["])
def test_a_file_that_is_no_yaml_is_not_quoted(tmp_path, text):
    file = tmp_path / "recipe.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"is not YAML: .* in line 1") as caught:
        check_file(file)
    assert PASSWORD not in str(caught.value)
    assert KEY not in str(caught.value)


def test_a_key_that_stands_twice_is_not_quoted_where_it_is_a_credential(tmp_path):
    file = tmp_path / "recipe.yaml"
    file.write_text(f"{KEY}: 1\n{KEY}: 2\n")
    with pytest.raises(ConfigError, match="line 1 looks like a credential by its form") as caught:
        check_file(file)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize(
    "data", [{"options": {"secret": PASSWORD}}, {"policy": {"endpoint": {"url": f"http://a:{PASSWORD}@b/v1"}}}]
)
def test_no_configuration_of_a_pipeline_holds_one(root, data):
    with pytest.raises(ConfigError, match="looks like a credential") as caught:
        ROOTS[root].model_validate(data)
    assert PASSWORD not in str(caught.value)


def test_what_runs_leave_behind_may_hold_anything():
    """A reply says what an image shows."""
    rates = dict.fromkeys(("accuracy", "abstention", "running_accuracy", "running_abstention"), 0.5)
    assert IterationRecord(iteration=0, stage="clue", run=KEY, metrics={"token": 1.0}, **rates).run == KEY


@pytest.mark.cli
@pytest.mark.zenml
def test_zenml_neither_prints_nor_keeps_it(tiny_base, tmp_path, preloaded):
    """As a user would who starts a pipeline without checking its recipe."""
    storage = {"options": {"secret": PASSWORD}}
    imported = {"location": "s3://pairs/mine", "storage": storage}
    recipe = write_tiny_recipe(tmp_path / "r.yaml", tiny_base, "vision_zero_leak", {"pairs__imported": imported})
    environment = os.environ | {"ZENML_CONFIG_PATH": str(tmp_path / "zenml"), "ZENML_REPOSITORY_PATH": str(tmp_path)}
    done = subprocess.run(
        [preloaded / "zenml", "pipeline", "run", "pipelines.self_play.self_play", "-c", recipe],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    printed = done.stdout + done.stderr
    assert done.returncode != 0
    assert re.search(r"Error: .*pairs.imported.storage.options.secret looks like a credential by its name", printed)
    kept = [path for path in (tmp_path / "zenml").rglob("*") if path.is_file()]
    assert kept
    assert PASSWORD not in printed
    assert [path for path in kept if PASSWORD.encode() in path.read_bytes()] == []
