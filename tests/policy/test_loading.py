"""Folders that are no policy: each is refused in one line that says what is wrong."""

import shutil

import pytest
import torch

from vision_zero.config.policy import PolicyConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.loading import load_policy


def spoil_nothing_there(folder):
    shutil.rmtree(folder)
    folder.mkdir()


def spoil_config(folder):
    (folder / "config.json").write_text("{ half")


def spoil_weights_away(folder):
    (folder / "model.safetensors").unlink()


def spoil_weights_cut(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])


def spoil_pickle(folder):
    (folder / "model.safetensors").unlink()
    torch.save({"weight": torch.zeros(1)}, folder / "pytorch_model.bin")


def spoil_tokenizer(folder):
    (folder / "tokenizer.json").write_text("not json")


def spoil_template(folder):
    (folder / "chat_template.jinja").unlink()


SPOILS = [
    spoil_nothing_there,
    spoil_config,
    spoil_weights_away,
    spoil_weights_cut,
    spoil_pickle,
    spoil_tokenizer,
    spoil_template,
]


@pytest.mark.parametrize("spoil", SPOILS, ids=lambda spoil: spoil.__name__.removeprefix("spoil_"))
def test_a_broken_base_is_refused_in_one_line(tiny_base, tmp_path, spoil):
    folder = tmp_path / "base"
    shutil.copytree(tiny_base, folder)
    spoil(folder)
    with pytest.raises(PolicyError) as caught:
        load_policy(PolicyConfig(base=str(folder)), None)
    assert "\n" not in str(caught.value)


def test_a_base_that_no_hub_can_give_says_what_to_give_instead():
    with pytest.raises(PolicyError, match="local folder"):
        load_policy(PolicyConfig(base="nobody/has-this-model"), None)


def test_a_folder_without_an_adapter_is_refused(tiny_base, tmp_path):
    with pytest.raises(PolicyError, match="holds no adapter"):
        load_policy(PolicyConfig(base=str(tiny_base)), tmp_path)
