"""Every command of README.md and docs/ is run, in order, as a reader would; a few are only taken apart, for the reasons below.

What is between backticks in the text is taken apart, too.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from PIL import Image

from tests.make import write_tiny_recipe
from tests.security.test_no_network import watched
from tests.test_docs import PAGES, ROOT, blocks
from vision_zero.recipes.check import check_file

NOT_RUN = {
    r"make test": "is this suite itself",
    r"make run CONFIG=.*": "make run with its own default",
    r"make (stop-)?dashboard": "tests/browser/test_dashboard.py runs it, where there is a browser",
    r"docker .*": "needs a container engine; tests/test_container.py reads the Dockerfile",
    r"pip install .*": "fetches packages",
    r"vision-zero join-pairs /shared/.*": "needs the parts of separate runs; tests/pair_sets/test_parts.py joins some",
    r"vision-zero train-node .*": "waits for the jobs of a run on another machine; tests/training/test_machines.py has two",
    r".* vllm serve .*": "needs vLLM and a GPU; tests/policy/test_vllm.py asks a stand-in",
    r".* configs/stacks/s3\.sh": "tests/stacks/test_s3.py runs it, on a bucket of its own",
    r".* configs/stacks/kubernetes\.sh": "needs a cluster; tests/stacks/test_kubernetes.py runs it on a stand-in",
    r".* configs/stacks/kubeflow\.sh": "needs a cluster; tests/stacks/test_kubeflow.py runs it on a stand-in",
    r".* configs/stacks/vertex\.sh": "needs Google; tests/stacks/test_scripts.py asks what it asks for",
    r"vision-zero render .*/data/imgedit/.*": "needs ImgEdit; tests/domains/imported/test_imported_documents.py reads its layout",
    r"vision-zero render .*--from edits\.csv.*": "needs a table of edits; test_imported_documents.py reads some",
    r"zenml pipeline run .*nano_kubeflow\.yaml": "needs a cluster; tests/stacks/test_kubeflow.py submits it to a stand-in",
    r"zenml pipeline schedule delete .*": "needs a schedule; tests/stacks/test_kubernetes.py deletes one",
    r"zenml pipeline run pipelines\.build_pairs.*": "takes a minute; tests/pipelines/test_build_pairs.py runs it smaller",
    r"zenml pipeline run pipelines\.evaluate.*": "takes minutes; tests/pipelines/test_evaluate.py runs it smaller",
    r"zenml pipeline run pipelines\.ablation.*": "takes hours; tests/pipelines/test_ablation.py runs it smaller",
    r"zenml pipeline run pipelines\.publish.*": "needs the nano model; tests/pipelines/test_publish.py runs it smaller",
    r"make bench-gpu.*": "needs a GPU; tests/performance/test_gpu.py measures in small without one",
    r"vision-zero bench .*": "measures for minutes; tests/performance/test_performance.py measures less",
    r"zenml pipeline run pipelines\.warm_start.*": "takes hours; tests/warm_start/test_warm_start.py teaches a smaller policy",
}
"""Commands that are only taken apart, and why: the config file is there and valid, the target, the options exist."""
INLINE = re.compile(r"`((?:vision-zero|zenml|make) [^`\n]+)`")


def commands(page: Path) -> list[str]:
    """The commands of a page's fences."""
    lines = [line.split("  #")[0].strip() for block in blocks(page, "sh") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def why_not(command: str) -> str | None:
    """The reason why a command is not run here, if there is one."""
    return next((reason for pattern, reason in NOT_RUN.items() if re.fullmatch(pattern, command)), None)


@dataclass(frozen=True)
class Place:
    """Where a reader works: a checkout's files, with recipes that may be written beside, and a recipe of seconds."""

    folder: Path
    recipe: Path
    environment: dict[str, str]
    given: dict[str, str]
    """What stands for the reader's own things."""
    watched: dict[str, str]
    """The environment of the main job: nothing but the Makefile keeps it from the network, which is closed and watched."""

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        for name, own in self.given.items():
            command = command.replace(name, own)
        place, environment = self.folder, self.environment
        if command == "make run":
            environment = self.watched
        if command.startswith("make "):
            place, command = ROOT, f"{command} BIN={self.environment['BIN']} --old-file=.venv/installed"
        elif command.startswith("zenml "):
            place, command = ROOT, re.sub(r"\S+/nano\.yaml", str(self.recipe), command)
        with subprocess.Popen(
            ["sh", "-c", command],
            cwd=place, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        ) as process:  # fmt: skip
            try:
                printed, complained = process.communicate(timeout=300)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # what the shell started, too
                raise
        return subprocess.CompletedProcess(command, process.returncode, printed, complained)


@pytest.fixture(scope="module")
def place(tiny_base, tmp_path_factory, preloaded):
    folder = tmp_path_factory.mktemp("reader") / "vision-zero"
    for path in (ROOT / "configs").rglob("*.yaml"):
        copy = folder / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    for name in ("pipelines", "steps", "materializers", "vision_zero"):
        (folder / name).symlink_to(ROOT / name)
    photos = folder / "photos"
    photos.mkdir()
    for name in ("astronaut", "coffee", "chelsea"):
        Image.fromarray(photo(name)).save(photos / f"{name}.png")
    bin_folder = Path(sys.executable).parent
    recipe = write_tiny_recipe(folder / "quick.yaml", tiny_base, "vision_zero_readme", {})
    environment = os.environ | {
        "PATH": f"{preloaded}:{bin_folder}:{os.environ['PATH']}",
        "BIN": str(bin_folder),
        "CONFIG": str(recipe),
    }
    given = {
        "/data/photos": str(photos),
        "/data/pictures": str(photos),
        "/data/pairs": str(folder / "pairs"),
        "/models/my-vlm": str(tiny_base),
        "vision_zero_nano": "vision_zero_readme",
    }
    return Place(folder, recipe, environment, given, watched(folder, environment))


def photo(name):
    import skimage.data

    return getattr(skimage.data, name)()


@pytest.fixture(scope="module")
def ran(place):
    """What came of each command that is run: all pages in order, what stands there twice once."""
    done = {}
    for page in PAGES:
        for command in commands(page):
            if command not in done and why_not(command) is None:
                done[command] = place.run(command)
    return done


@pytest.mark.cli
@pytest.mark.zenml
@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_runs(page, ran):
    for command in commands(page):
        if why_not(command) is None:
            done = ran[command]
            assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


@pytest.mark.cli
@pytest.mark.zenml
def test_they_leave_what_they_say(ran, place):
    assert "zenml pipeline run pipelines.self_play.self_play -c configs/self_play/nano.yaml" in ran
    assert len(list((place.folder / "runs").iterdir())) == 2
    for name in ("replay.html", "game.png", "look/gallery.html", "configs/self_play/nano_kubernetes.yaml"):
        assert (place.folder / name).is_file(), name
    assert check_file(place.folder / "configs" / "self_play" / "nano_kubeflow.yaml") == "a valid configuration of SelfPlay"


@pytest.mark.cli
@pytest.mark.zenml
def test_the_main_job_asks_nobody(ran, place):
    assert "make run" in ran
    asked = Path(place.watched["ASKED"])
    assert not asked.exists(), asked.read_text()


def test_each_reason_is_needed_and_names_tests_that_are_there():
    everything = [command for page in PAGES for command in commands(page)]
    for pattern, reason in NOT_RUN.items():
        assert any(re.fullmatch(pattern, command) for command in everything), pattern
        for path in re.findall(r"tests/[\w/]+(?:\.py)?", reason):
            assert (ROOT / path).exists(), path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_can_be_taken_apart(page):
    made: set[str] = set()
    for command in commands(page):
        assert subprocess.run(["sh", "-n", "-c", command], capture_output=True, check=False).returncode == 0, command
        made.update(re.findall(r"> (\S+)", command))
        for part in re.split(r"\s*(?:\||&&|>>?\s*\S+)\s*", command):
            if part:
                take_apart(part, made)
    for command in INLINE.findall(page.read_text(encoding="utf-8")):
        take_apart(command.replace("<", "").replace(">", "").replace("…", "x"), made)


def take_apart(command: str, made: set[str]) -> None:
    """Check what a command names, as far as its program is known.

    Args:
        command: a program with its words.
        made: files that earlier commands have written.
    """
    words = shlex.split(command)
    while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
        words.pop(0)
    program, *rest = words
    variables = re.findall(r"^([A-Z_]+)=|\s([A-Z_]+)=", command)
    if program == "make":
        makefile = (ROOT / "Makefile").read_text()
        for word in rest:
            name, _, value = word.partition("=")
            assert re.search(rf"^{name} \?=" if value else rf"^{name}:", makefile, re.MULTILINE), command
    elif program.startswith("configs/stacks/"):
        script = (ROOT / program).read_text() + (ROOT / "configs" / "stacks" / "common.sh").read_text()
        assert os.access(ROOT / program, os.X_OK)
        assert all(name in script for pair in variables for name in pair if name), command
    elif program == "vision-zero":
        from vision_zero.cli.app import cli

        parse(cli, rest, command)
    elif program == "zenml":
        from zenml.cli.cli import cli

        parse(cli, rest, command)
        if rest[:2] == ["pipeline", "run"] and rest[2:]:
            _, _, source, flag, file = rest
            module, _, name = source.rpartition(".")
            assert f"def {name}(" in (ROOT / f"{module.replace('.', '/')}.py").read_text()
            assert flag == "-c"
            assert file in made or check_file(ROOT / file), command
    elif program == "docker" and rest[0] == "build":
        dockerfile = (ROOT / "Dockerfile").read_text()
        assert re.search(rf"^FROM \w+ AS {rest[rest.index('--target') + 1]}$", dockerfile, re.MULTILINE)
        assert re.search(rf"^ARG {rest[rest.index('--build-arg') + 1].partition('=')[0]}=", dockerfile, re.MULTILINE)
    elif program == "pip":
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
        asked = re.findall(r"\[([\w,-]+)\]", command)
        assert all(extra in extras for group in asked for extra in group.split(",")), command
        assert (ROOT / rest[rest.index("-c") + 1]).is_file()
    else:
        assert program in ("cat", "grep", "export", "docker", "vllm"), command


def parse(group: click.Command, words: list[str], command: str) -> None:
    """Find a subcommand and its options; their values are not looked at."""
    context = click.Context(group)
    while isinstance(group, click.Group):
        name, *words = words
        found = group.get_command(context, name)
        assert found is not None, command
        group, context = found, click.Context(found, context)
    group.make_parser(context).parse_args(list(words))
