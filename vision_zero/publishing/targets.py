"""Publishes to a folder, a bucket, or the Hugging Face hub.

Each target gets ``contents.json``, which lists the published files. Only files on such a list are replaced or removed, and only
if ``replace`` is set; a target that has content but no such list is refused.

- A folder: all files are written under temporary names and then renamed one by one. ``config.json`` or ``adapter_config.json``,
  without which the folder does not load, is removed first and written last, so that nobody loads a mixture.
- A bucket writes single objects atomically. So each policy gets a folder of its own, named by its content; then ``contents.json``
  above it, which names the current folder, is replaced. The previous folder is removed last.
- A repository of the hub gets one commit.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fsspec.core import url_to_fs
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from vision_zero.config.publish import PublishConfig
from vision_zero.data.remote_storage import address_failures, local_path
from vision_zero.errors import PublishError, first_line
from vision_zero.policy.folder import ADAPTER_FILES, CONFIG, BaseFolder
from vision_zero.publishing.manifest import CONTENTS, Manifest

_OPENERS = (CONFIG, ADAPTER_FILES[1])
_NEW = ".new"
_MARK = re.compile(r"[0-9a-f]{16}")
_OF_EVERY_REPOSITORY = {".gitattributes"}


def named(names: Iterable[str]) -> str:
    """A few of the names, and the number of the others."""
    listed = sorted(names)
    more = f" and {len(listed) - 3} more" if len(listed) > 3 else ""
    return ", ".join(listed[:3]) + more


@dataclass(frozen=True)
class Delivery:
    """The result of publishing.

    Attributes:
        address: where the policy is now: a path, a URL.
        replaced: previously published files that were replaced or removed.
        kept: other files there, which were not touched.
    """

    address: str
    replaced: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def deliver(folder: BaseFolder, config: PublishConfig) -> Delivery:
    """Publish the folder to ``config.target``.

    Raises:
        PublishError: the target has content that must not be replaced, or cannot be written.
    """
    if config.target.startswith("hub:"):
        return _to_hub(folder, config)
    if "://" in config.target and not config.target.startswith("file://"):
        return _to_bucket(folder, config)
    return _to_folder(folder, config)


def _check_free(config: PublishConfig, old: Manifest | None, others: set[str], new: set[str], changed: set[str]) -> None:
    """Check that publishing would not overwrite other files.

    Args:
        old: the list of the previous publication, if there is one.
        others: names of other files there.
        new: names of the files to write.
        changed: names of published files that were changed since.

    Raises:
        PublishError: files would be lost.
    """
    if old is None and others:
        raise PublishError(
            f"{config.target} holds something already that was not published there ({named(others)}): nothing is touched; name a "
            "target of its own"
        )
    if old is not None and old.files and not config.replace:
        raise PublishError(
            f"{config.target} holds something already, a policy of {len(old.files)} files ({named(old.files)}): name another "
            "target, or set replace: true, which replaces these and nothing else"
        )
    if changed:
        raise PublishError(
            f"{config.target} holds {named(changed)}, which changed since it was published there: nothing is touched; move it "
            "away, or name another target"
        )
    clash = others & new
    if clash:
        raise PublishError(
            f"{config.target} holds {named(clash)}, which was not published there and would be overwritten: move it away, or "
            "name another target"
        )


def _to_folder(folder: BaseFolder, config: PublishConfig) -> Delivery:
    target = local_path(config.target)
    new = Manifest.of(folder)
    staged = {name + _NEW for name in (*new.files, CONTENTS)}
    try:
        listed = target / CONTENTS
        old = Manifest.parse(listed.read_bytes(), str(listed)) if listed.is_file() else None
        there = {path.name for path in target.iterdir()} if target.exists() else set()
        before = old or Manifest()
        kept = there - (before.own if old else set())
        _check_free(config, old, kept, {CONTENTS, *new.files, *staged}, before.changed(target))
        target.mkdir(parents=True, exist_ok=True)
        # From here on every file that may be there is listed, even after an interruption.
        _write_list(target, before.model_copy(update={"unfinished": tuple(sorted({*before.unfinished, *new.files, *staged}))}))
        try:
            for name in new.files:
                shutil.copyfile(folder.path / name, target / (name + _NEW))
        except OSError:
            for name in new.files:
                (target / (name + _NEW)).unlink(missing_ok=True)
            if old is None:
                (target / CONTENTS).unlink(missing_ok=True)
            else:
                _write_list(target, before)
            raise
        _swap(target, before, new)
    except OSError as error:
        raise PublishError(f"{target} {_because(error)}: give a folder that can") from error
    return Delivery(str(target), tuple(sorted(before.files)), tuple(sorted(kept)))


def _swap(target: Path, before: Manifest, new: Manifest) -> None:
    for name in _OPENERS:
        if name in before.own:
            (target / name).unlink(missing_ok=True)
    for name in sorted(new.files, key=lambda name: name in _OPENERS):
        (target / (name + _NEW)).replace(target / name)
    for name in before.own - {CONTENTS, *new.files}:
        (target / name).unlink(missing_ok=True)
    _write_list(target, new)


def _write_list(target: Path, contents: Manifest) -> None:
    fresh = target / (CONTENTS + _NEW)
    fresh.write_text(contents.text(), encoding="utf-8")
    fresh.replace(target / CONTENTS)


def _to_bucket(folder: BaseFolder, config: PublishConfig) -> Delivery:
    new = Manifest.of(folder)
    own = new.fingerprint()
    address = f"{config.target.rstrip('/')}/{own}"
    try:
        files, root = url_to_fs(config.target, **config.options)
        files.invalidate_cache()
        root = root.rstrip("/")
        there = _names(files, root)
        old = _list_at(files, root) if CONTENTS in there else None
        # Folders of policies that no list names: left by an interrupted run, or because removing them failed.
        apart = {name: listed for name in there if _MARK.fullmatch(name) and (listed := _list_at(files, f"{root}/{name}"))}
        kept = there - apart.keys() - ({CONTENTS, old.folder} if old else set())
        changed = _changed_at(files, f"{root}/{old.folder}" if old.folder else root, old) if old else set[str]()
        _check_free(config, old, kept, {CONTENTS}, changed)
        if old and old.folder:
            apart[old.folder] = old
            _put_list(files, f"{root}/{old.folder}", Manifest(files=old.files))
        _put_list(files, f"{root}/{own}", new)
        for name in new.files:
            files.put_file(str(folder.path / name), f"{root}/{own}/{name}")
        _put_list(files, root, new.model_copy(update={"folder": own}))
    except address_failures() as error:
        raise PublishError(
            f"{config.target} {_because(error)}: what was published there before stands; check the address, the credentials and "
            "their rights, and run again"
        ) from error
    try:
        for name, listed in apart.items():
            if name != own:
                _remove(files, f"{root}/{name}", listed)
    except address_failures() as error:
        raise PublishError(
            f"{address} is published, but what was there before {_because(error, 'removed')}: run again"
        ) from error
    return Delivery(address, tuple(f"{old.folder}/{name}" for name in sorted(old.files)) if old else (), tuple(sorted(kept)))


def _names(files: Any, root: str) -> set[str]:
    """Names directly below an address; object stores also list the empty marker of the folder itself."""
    if not files.exists(root):
        return set()
    paths = (str(path).rstrip("/") for path in files.ls(root, detail=False))
    return {path.rsplit("/", 1)[-1] for path in paths if path != root.rstrip("/")}


def _list_at(files: Any, folder: str) -> Manifest | None:
    path = f"{folder}/{CONTENTS}"
    return Manifest.parse(files.cat_file(path), path) if files.exists(path) else None


def _changed_at(files: Any, folder: str, listed: Manifest) -> set[str]:
    """Of the listed files, those that have another size there."""
    paths = {name: f"{folder}/{name}" for name in listed.files}
    return {name for name, path in paths.items() if files.exists(path) and files.info(path)["size"] != listed.files[name].bytes}


def _put_list(files: Any, folder: str, contents: Manifest) -> None:
    files.pipe_file(f"{folder}/{CONTENTS}", contents.text().encode())


def _remove(files: Any, folder: str, listed: Manifest) -> None:
    """The list is removed last, so that the rest of an interrupted removal is still listed."""
    for path in (*(f"{folder}/{name}" for name in sorted(listed.files)), f"{folder}/{CONTENTS}"):
        if files.exists(path):
            files.rm_file(path)


def _to_hub(folder: BaseFolder, config: PublishConfig) -> Delivery:
    name = config.target.removeprefix("hub:")
    api, new = HfApi(), Manifest.of(folder)
    try:
        there = set(api.list_repo_files(name)) - _OF_EVERY_REPOSITORY if api.repo_exists(name) else set()
        old = None
        if CONTENTS in there:
            old = Manifest.parse(Path(api.hf_hub_download(name, CONTENTS)).read_bytes(), f"{name}/{CONTENTS}")
        kept = there - (old.own if old else set())
        _check_free(config, old, kept, {CONTENTS, *new.files}, set())  # the hub keeps every earlier state
        api.create_repo(name, private=config.private, exist_ok=True)
        before = old.files.keys() & there if old else set()
        done = api.create_commit(
            name,
            [
                CommitOperationAdd(CONTENTS, new.text().encode()),
                *(CommitOperationAdd(file, str(folder.path / file)) for file in new.files),
                *(CommitOperationDelete(file) for file in sorted(before - new.files.keys())),
            ],
            commit_message="Publish a policy trained by self-play",
        )
    except address_failures() as error:
        raise PublishError(f"{config.target} {_because(error)}: set HF_TOKEN to a token that may write there") from error
    return Delivery(str(done.commit_url), tuple(sorted(before)), tuple(sorted(kept)))


def _because(error: Exception, aim: str = "written") -> str:
    """The error in one line, without HTML pages that some servers return."""
    return f"cannot be {aim}: {first_line(error)}"
