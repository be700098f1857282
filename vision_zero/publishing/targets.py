"""Where a published folder goes: a folder, a bucket, or the Hugging Face hub.

A folder appears whole or not at all, a hub repository gets one commit. A bucket knows neither: its ``contents.json``, with the
size and hash of every file, is written last and taken away first, so that a copy that was cut off has none.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from fsspec.core import url_to_fs
from huggingface_hub import HfApi

from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PublishError
from vision_zero.pairs.imported.storage import address_failures
from vision_zero.policy.folder import BaseFolder
from vision_zero.whole import whole_folder

CONTENTS = "contents.json"


def deliver(folder: BaseFolder, config: PublishConfig) -> str:
    """Bring the folder to ``config.target``.

    Returns:
        Where it is now: a path, a URL.

    Raises:
        PublishError: something is there already, or the target cannot be written.
    """
    if config.target.startswith("hub:"):
        return _to_hub(folder, config)
    if "://" in config.target:
        return _to_bucket(folder, config)
    return _to_folder(folder, config)


def _to_folder(folder: BaseFolder, config: PublishConfig) -> str:
    target = Path(config.target).expanduser()
    if target.exists() and not config.replace:
        raise _taken(config.target)
    try:
        with whole_folder(target) as fresh:
            for name in folder.files():
                shutil.copyfile(folder.path / name, fresh / name)
    except OSError as error:
        raise PublishError(f"{target} {_because(error)}: give a folder that can") from error
    return str(target)


def _to_bucket(folder: BaseFolder, config: PublishConfig) -> str:
    try:
        files, root = url_to_fs(config.target, **config.options)
        there = files.find(root) if files.exists(root) else []
        if there and not config.replace:
            raise _taken(config.target)
        # First what says that the copy is whole, so that no reader takes a mixture of two for one.
        if files.exists(f"{root}/{CONTENTS}"):
            files.rm_file(f"{root}/{CONTENTS}")
        for path in there:
            if not path.endswith(f"/{CONTENTS}"):
                files.rm_file(path)
        for name in folder.files():
            files.put_file(str(folder.path / name), f"{root}/{name}")
        files.pipe_file(f"{root}/{CONTENTS}", json.dumps(_contents(folder), indent=1).encode())
    except address_failures() as error:
        raise PublishError(f"{config.target} {_because(error)}: check the address, the credentials and their rights") from error
    return config.target


def _to_hub(folder: BaseFolder, config: PublishConfig) -> str:
    name = config.target.removeprefix("hub:")
    api = HfApi()
    try:
        if api.repo_exists(name) and not config.replace:
            raise _taken(config.target)
        api.create_repo(name, private=config.private, exist_ok=True)
        done = api.upload_folder(repo_id=name, folder_path=folder.path, commit_message="Publish a policy trained by self-play")
    except address_failures() as error:
        raise PublishError(f"{config.target} {_because(error)}: set HF_TOKEN to a token that may write there") from error
    return str(done)


def _contents(folder: BaseFolder) -> dict[str, dict[str, int | str]]:
    found: dict[str, dict[str, int | str]] = {}
    for name in folder.files():
        data = (folder.path / name).read_bytes()
        found[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    return found


def _because(error: Exception) -> str:
    """One line, without the pages that some servers answer with."""
    lines = str(error).strip().splitlines()
    return f"cannot be written: {lines[0].strip() if lines else type(error).__name__}"


def _taken(target: str) -> PublishError:
    return PublishError(f"{target} holds something already: name another target, or set replace: true")
