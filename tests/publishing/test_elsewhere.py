"""What is saved here opens elsewhere: with transformers alone, in a process without this package, to the same logits."""

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.make import write_tiny_adapter
from tests.policy.families import FAMILIES as IN_PLAY
from tests.policy.families import write_family
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.evaluation.estimates import Scores
from vision_zero.evaluation.scorecard import Scorecard
from vision_zero.policy.base_models import nano_folder
from vision_zero.policy.chats import user_message
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import load_policy
from vision_zero.publishing.build import build
from vision_zero.publishing.card import published_card
from vision_zero.training.state import StageState
from vision_zero.validation.verdict import Verdict

pytestmark = pytest.mark.slow

FAMILIES = ("qwen2_vl", *IN_PLAY)
CLASSES = {
    "qwen2_vl": ("Qwen2VLProcessor", "Qwen2VLVideoProcessor"),
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


def as_released(folder: Path) -> Path:
    """The same files as Qwen2.5-VL's repository has them: an older layout, which transformers still reads."""
    processor, template = folder / "processor_config.json", folder / "chat_template.jinja"
    told = json.loads(processor.read_text())
    images = told["image_processor"] | {"processor_class": told["processor_class"]}
    (folder / "preprocessor_config.json").write_text(json.dumps(images))
    (folder / "chat_template.json").write_text(json.dumps({"chat_template": template.read_text()}))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"torch_dtype": config.pop("dtype")}))
    for old in (processor, template, folder / "video_preprocessor_config.json"):
        old.unlink()
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Of each family a base, an adapter for it, and both as they are published."""
    folder = tmp_path_factory.mktemp("elsewhere")
    written = {"nano": nano_folder(), **{family: write_family(family, folder / family) for family in FAMILIES}}
    as_released(written["qwen2_5_vl"])
    for family in FAMILIES:
        written[f"{family} trained"] = write_tiny_adapter(written[family], folder / "trained" / family)
        for form in ("merged", "adapter"):
            config, target = PublishConfig(model="spy", form=form), folder / form / family
            trained, card = PolicyFolder(written[f"{family} trained"]), card_of(config, written[family])
            written[f"{family} {form}"] = build(config, trained, card, target).path
    return written


def card_of(config: PublishConfig, base: Path) -> str:
    verdict, scores = Verdict(checked=1, passed=1, expectations=()), Scores(iteration=1, scores=())
    suites = Scorecard(policy="spy", base=None, suites=(), blocked=None)
    return published_card(config, base=str(base), name="spy 1", state=StageState(), verdict=verdict, scores=scores, suites=suites)


@pytest.fixture(scope="module")
def elsewhere(folders, tmp_path_factory):
    published = {name: folder for name, folder in folders.items() if not name.endswith(" trained")}
    return opened(published, tmp_path_factory.mktemp("opened"))


@pytest.mark.parametrize("family", CLASSES)
def test_a_base_saved_here_opens_with_the_stock_classes(folders, elsewhere, family):
    told, tensors = elsewhere[family]
    assert (told["class"], told["parts"].get("video_processor")) == CLASSES[family]
    own = read_here(folders[family])
    assert own.keys() == tensors.keys()
    assert all(torch.equal(own[name], tensors[name]) for name in own)


@pytest.mark.parametrize("form", ["merged", "adapter"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_published_opens_as_its_base_does(folders, elsewhere, family, form):
    (base, plain), (told, tensors) = elsewhere[family], elsewhere[f"{family} {form}"]
    assert told == base, "other classes, or other settings of videos"
    inputs = plain.keys() - {"logits"}
    assert all(torch.equal(plain[name], tensors[name]) for name in inputs)
    own = read_here(folders[family], folders[f"{family} trained"])["logits"]
    assert (own - tensors["logits"]).abs().max() < 1e-4
    assert (own - plain["logits"]).abs().max() > 1e-2


@pytest.mark.parametrize("form", ["merged", "adapter"])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_files_of_a_processor_are_published_byte_for_byte(folders, family, form):
    base, target = folders[family], folders[f"{family} {form}"]
    ours = {"README.md", "model.safetensors", "adapter_model.safetensors", "adapter_config.json", "config.json"}
    names = {path.name for path in base.iterdir()} - ours
    assert {path.name for path in target.iterdir()} - ours == names - ({"generation_config.json"} if form == "adapter" else set())
    for path in target.iterdir():
        if path.name not in ours:
            assert path.read_bytes() == (base / path.name).read_bytes(), path.name
    if form == "merged":
        assert json.loads((target / "config.json").read_text()) == json.loads((base / "config.json").read_text())


def test_a_processor_that_an_earlier_version_saved_is_published_with_the_stock_class(folders, tmp_path):
    base = Path(shutil.copytree(folders["qwen3_vl"], tmp_path / "base"))
    (base / "video_preprocessor_config.json").unlink()
    for name in ("processor_config.json", "tokenizer_config.json"):
        told = json.loads((base / name).read_text())
        (base / name).write_text(json.dumps(told | {"processor_class": "Qwen3PictureProcessor"}))
    trained = PolicyFolder(write_tiny_adapter(base, tmp_path / "trained"))
    made = build(PublishConfig(model="spy"), trained, "# card\n", tmp_path / "merged").path
    for name in ("processor_config.json", "tokenizer_config.json"):
        assert json.loads((made / name).read_text())["processor_class"] == "Qwen3VLProcessor"
    assert json.loads((made / "video_preprocessor_config.json").read_text())["patch_size"] == 16


def test_the_embedded_policy_brings_settings_of_videos_that_fit_its_patches(elsewhere):
    video = elsewhere["nano"][0]["video"]
    assert (video["patch_size"], video["merge_size"], video["temporal_patch_size"]) == (14, 2, 1)
