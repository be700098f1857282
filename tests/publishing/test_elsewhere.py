"""What is saved here opens elsewhere: with transformers alone, in a process without this package, to the same logits."""

import json
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.policy.families import FAMILIES, write_family
from vision_zero.config.policy import PolicyConfig
from vision_zero.policy.bases import nano_folder
from vision_zero.policy.loading import load_policy
from vision_zero.policy.policy import user_message

CLASSES = {
    "nano": ("Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"),
    "qwen2_5_vl": ("Qwen2_5_VLProcessor", "Qwen2VLVideoProcessor"),
    "qwen3_vl": ("Qwen3VLProcessor", "Qwen3VLVideoProcessor"),
    "internvl": ("InternVLProcessor", "InternVLVideoProcessor"),
    "idefics3": ("Idefics3Processor", None),
    "smolvlm": ("SmolVLMProcessor", "SmolVLMVideoProcessor"),
}


def opened(folders: dict[str, Path], out: Path) -> dict[str, tuple[dict, dict]]:
    """Of each folder: the classes that stock transformers opens it with, and the tensors of one chat; see stock.py."""
    script = Path(__file__).with_name("stock.py")
    command = [sys.executable, "-I", "-S", script, out, sysconfig.get_path("purelib"), *folders.values()]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return {
        name: (json.loads((out / f"{number}.json").read_text()), load_file(out / f"{number}.safetensors"))
        for number, name in enumerate(folders)
    }


def read_here(base: Path, folder: Path | None = None) -> dict[str, torch.Tensor]:
    """The same chat's tensors, as they are in play."""
    policy = load_policy(PolicyConfig(base=str(base)), folder)
    inputs = policy.encode([user_message("Who is the spy?", Image.radial_gradient("L").resize((120, 60)).convert("RGB"))])
    with torch.no_grad():
        return {**inputs, "logits": policy.model.eval()(**inputs).logits}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    written = {family: write_family(family, tmp_path_factory.mktemp("elsewhere") / family) for family in FAMILIES}
    return {"nano": nano_folder(), **written}


@pytest.fixture(scope="module")
def elsewhere(folders, tmp_path_factory):
    return opened(folders, tmp_path_factory.mktemp("opened"))


@pytest.mark.parametrize("family", CLASSES)
def test_a_base_saved_here_opens_with_the_stock_classes(folders, elsewhere, family):
    told, tensors = elsewhere[family]
    assert (told["class"], told["parts"].get("video_processor")) == CLASSES[family]
    own = read_here(folders[family])
    assert own.keys() == tensors.keys()
    assert all(torch.equal(own[name], tensors[name]) for name in own)


def test_the_embedded_policy_brings_settings_of_videos_that_fit_its_patches(elsewhere):
    video = elsewhere["nano"][0]["video"]
    assert (video["patch_size"], video["merge_size"], video["temporal_patch_size"]) == (14, 2, 1)
