"""Run as a script, in a process that cannot import this package: what a user elsewhere does with a policy's folder.

    python -I -S stock.py OUT SITE-PACKAGES FOLDER [FOLDER ...]

Each folder is opened by the lines of its card or, where it has none, by transformers' Auto classes. Classes are written to
OUT/<number>.json, the inputs and logits of one chat with an image to OUT/<number>.safetensors. Nothing of this repository is
imported.

The stock processors of most families make a video part, whose class needs torchvision, which has no build for CPU torch. Where it
is missing, its names stand in for it: no video is read, and images are resized by Pillow.
"""

import json
import re
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType


def stand_in(*names: str) -> None:
    for name in names:
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, is_package=True)
        module.__path__ = []
        module.__version__ = "0"
        sys.modules[name] = module
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], own, module)


def without_torchvision() -> None:
    """Just enough for the classes of video processors to be imported and made."""
    from enum import Enum

    modes = Enum("InterpolationMode", "NEAREST NEAREST_EXACT BILINEAR BICUBIC BOX HAMMING LANCZOS")
    functional = ("torchvision.transforms.functional", "torchvision.transforms.v2.functional")
    stand_in("torchvision", "torchvision.io", "torchvision.transforms", "torchvision.transforms.v2", *functional)
    for name in ("torchvision.transforms", *functional):
        sys.modules[name].InterpolationMode = modes
    sys.modules[functional[0]].pil_to_tensor = None


def by_its_card(folder: str) -> tuple | None:
    card = Path(folder) / "README.md"
    lines = re.search(r"```python\n(.*?)```", card.read_text(), re.DOTALL) if card.is_file() else None
    if lines is None:
        return None
    names: dict = {}
    exec(lines[1].replace("path/of/this/folder", folder), names)
    return names["model"], names["processor"]


def main(out: Path, packages: str, folders: list[str]) -> None:
    sys.path.append(packages)
    assert find_spec("vision_zero") is None, "this package is here"
    if find_spec("torchvision") is None:
        without_torchvision()
    if find_spec("num2words") is None:  # it writes numbers of frames as words
        stand_in("num2words")
        sys.modules["num2words"].num2words = str
    import torch
    from PIL import Image
    from safetensors.torch import save_file
    from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoProcessor

    image = Image.radial_gradient("L").resize((120, 60)).convert("RGB")
    content = [{"type": "image", "image": image}, {"type": "text", "text": "Who is the spy?"}]
    how = {"add_generation_prompt": True, "tokenize": True, "return_dict": True, "return_tensors": "pt"}
    for number, folder in enumerate(folders):
        model, processor = by_its_card(folder) or (
            AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.float32),
            AutoProcessor.from_pretrained(folder),
        )
        parts = {name: type(getattr(processor, name)).__name__ for name in type(processor).get_attributes()}
        video = getattr(processor, "video_processor", None)
        told = {"class": type(processor).__name__, "parts": parts, "video": video and json.loads(video.to_json_string())}
        (out / f"{number}.json").write_text(json.dumps(told))
        processor.image_processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
        inputs = dict(processor.apply_chat_template([{"role": "user", "content": content}], **how))
        with torch.no_grad():
            logits = model.eval()(**inputs).logits
        save_file({**inputs, "logits": logits}, out / f"{number}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
