"""Where a published folder goes: a folder, a bucket, or the Hugging Face hub.

A folder appears whole or not at all, a hub repository gets one commit. A bucket knows neither, but it writes one object whole or
not at all. So each policy gets a folder of its own in it, named by its content, and then ``contents.json`` is replaced: it names
the folder that counts, with the size and hash of every file. What was published before is removed last.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from fsspec.core import url_to_fs
from huggingface_hub import HfApi

from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PublishError, first_line
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
    contents = _contents(folder)
    own = hashlib.sha256(json.dumps(contents).encode()).hexdigest()[:16]
    address = f"{config.target.rstrip('/')}/{own}"
    try:
        files, root = url_to_fs(config.target, **config.options)
        files.invalidate_cache()
        root = root.rstrip("/")
        there = set(files.find(root)) if files.exists(root) else set()
        # What lies in a folder with this name was left by a run of the same that was cut off.
        older = {path for path in there if not path.startswith(f"{root}/{own}/")}
        if older and not config.replace:
            raise _taken(config.target)
        for name in folder.files():
            files.put_file(str(folder.path / name), f"{root}/{own}/{name}")
        files.pipe_file(f"{root}/{CONTENTS}", json.dumps({"folder": own, "files": contents}, indent=1).encode())
    except address_failures() as error:
        raise PublishError(
            f"{config.target} {_because(error)}: what was published there before stands; check the address, the credentials and "
            "their rights, and run again"
        ) from error
    try:
        for path in sorted(older - {f"{root}/{CONTENTS}"}):
            files.rm_file(path)
    except address_failures() as error:
        raise PublishError(
            f"{address} is published, but what was there before {_because(error, 'removed')}: run again"
        ) from error
    return address


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


def _because(error: Exception, aim: str = "written") -> str:
    """One line, without the pages that some servers answer with."""
    return f"cannot be {aim}: {first_line(error)}"


def _taken(target: str) -> PublishError:
    return PublishError(f"{target} holds something already: name another target, or set replace: true")
