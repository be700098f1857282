"""What is kept is keyed by content: of files, of remote files, of a base, of the images of a recipe, and of our own code."""

import inspect
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import fsspec
import pytest

from steps.cache_policy import code_of
from steps.pairs import make_pairs, validate_pairs
from steps.stages import measure_base
from vision_zero.config.policy import PolicyConfig
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.config.sources import SourcesConfig
from vision_zero.data.remote_storage import Storage
from vision_zero.data.storage_config import StorageConfig
from vision_zero.domains.charts.config import ChartsConfig
from vision_zero.domains.imported.config import ImportedConfig
from vision_zero.domains.photos.config import PhotosConfig
from vision_zero.domains.registry import DOMAINS
from vision_zero.fingerprints import digest, of_files, of_folder
from vision_zero.recipes.input_fingerprints import of_base, of_pairs, of_recipe
from vision_zero.source_closure import ROOT, closure_fingerprint


def replaced(path, data=None):
    """The file with other content of the same size and the same time, as a copy that keeps times makes it."""
    times = path.stat()
    path.write_bytes(data or bytes(byte ^ 1 for byte in path.read_bytes()))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def test_a_file_is_told_by_its_content_alone(tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a").write_bytes(b"same")
    os.utime(tmp_path / "two" / "a", (1, 1))
    assert of_folder(tmp_path / "one") == of_folder(tmp_path / "two")
    replaced(tmp_path / "two" / "a")
    assert of_folder(tmp_path / "one") != of_folder(tmp_path / "two")


def test_names_and_numbers_of_files_count(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(b"same")
    found = [{"a": "a"}, {"b": "a"}, {"a": "a", "b": "b"}, {}]
    prints = [of_files({name: tmp_path / path for name, path in files.items()}) for files in found]
    assert len(set(prints)) == 4
    assert digest("ab", "c") != digest("a", "bc")


def test_of_files_that_are_too_large_to_read_size_time_and_both_ends_count(tmp_path):
    large, small = tmp_path / "large", tmp_path / "small"
    large.write_bytes(bytes(300_000))
    small.write_bytes(bytes(10))

    def found():
        return of_files({"large": large, "small": small}, read_whole=1000)

    prints = [found()]
    replaced(small, b"1" * 10)
    prints.append(found())
    for place in (0, 299_999):
        replaced(large, bytes(place) + b"1" + bytes(299_999 - place))
        prints.append(found())
    os.utime(large, (1, 1))
    prints.append(found())
    assert len(set(prints)) == 5
    assert of_files({"large": large, "small": small}) != found(), "what fits is read whole"


def test_a_file_that_cannot_be_read_is_no_error_here(tmp_path):
    """A link to nowhere among the photos is skipped and counted where photos are read."""
    (tmp_path / "a.png").write_bytes(b"a")
    before = Storage(str(tmp_path), StorageConfig()).fingerprint()
    (tmp_path / "b.png").symlink_to(tmp_path / "nowhere")
    assert Storage(str(tmp_path), StorageConfig()).fingerprint() != before


def test_remote_files_are_told_by_what_their_store_says(tmp_path):
    files = fsspec.filesystem("memory")
    for name, data in (("a.csv", b"1,2"), ("b.csv", b"3,4")):
        files.pipe(f"/prints/{name}", data)

    def found():
        return Storage("memory://prints", StorageConfig(cache=str(tmp_path))).fingerprint()

    before = found()
    assert found() == before
    files.pipe("/prints/b.csv", b"5,6")
    assert found() != before


def test_a_file_of_which_nothing_tells_the_version_is_not_taken_from_the_cache(tmp_path, monkeypatch):
    files = fsspec.filesystem("memory")
    plain = type(files).info
    monkeypatch.setattr(type(files), "info", lambda self, path, **options: {**plain(self, path), "created": None})
    files.pipe("/unknown/a.csv", b"1,2")

    def read():
        storage = Storage("memory://unknown", StorageConfig(cache=str(tmp_path)))
        storage.entries = {path: type(entry)(path, entry.address, entry.size, "") for path, entry in storage.entries.items()}
        return storage.read("a.csv")

    assert read() == b"1,2"
    files.pipe("/unknown/a.csv", b"5,6")
    assert read() == b"5,6"


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["chat_template.jinja", "tokenizer.json", "tokenizer_config.json", "processor_config.json", "model.safetensors"]
)
def test_every_file_that_a_base_is_loaded_from_counts(tmp_path, name):
    from vision_zero.policy.base_models import nano_folder

    shutil.copytree(nano_folder(), tmp_path / "base")
    config = PolicyConfig(base=str(tmp_path / "base"))
    before = of_base(config)
    (tmp_path / "base" / "README.md").write_text("another card")
    (tmp_path / "base" / ".cache").mkdir()
    (tmp_path / "base" / ".cache" / "lock").write_text("")
    assert of_base(config) == before == of_base(PolicyConfig(base="nano"))
    replaced(tmp_path / "base" / name)
    assert of_base(config) != before


def test_of_a_hub_id_the_commit_counts(tmp_path, monkeypatch):
    """As the hub's own cache on this machine has it, since the hub is not asked here."""
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--ada--spy"
    prints = [of_base(PolicyConfig(base="ada/spy"))]
    for commit in ("a" * 40, "b" * 40):
        (repository / "snapshots" / commit).mkdir(parents=True)
        (repository / "snapshots" / commit / "config.json").write_text("{}")
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / "main").write_text(commit)
        prints.append(of_base(PolicyConfig(base="ada/spy")))
    assert len(set(prints)) == 3
    assert of_base(PolicyConfig(base="ada/spy", revision="b" * 40)) != prints[2], "the revision is a setting of its own"


def with_files(folder):
    """Sources of all domains, each with a folder."""
    for name in ("photos/a.png", "chartqa/train/tables/t.csv", "chartqa/train/annotations/t.json", "pairs/0_original.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return SourcesConfig(
        photos=PhotosConfig(location=str(folder / "photos")),
        charts=ChartsConfig(chartqa_root=str(folder / "chartqa")),
        imported=ImportedConfig(location=str(folder / "pairs")),
    )


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        ("photos", "photos/a.png"),
        ("charts", "chartqa/train/tables/t.csv"),
        ("charts", "chartqa/train/annotations/t.json"),
        ("imported", "pairs/0_original.png"),
    ],
)
def test_the_files_of_a_domain_count_for_it_alone(tmp_path, domain, name):
    config = with_files(tmp_path)
    domains = ("scenes", "charts", "photos", "imported")
    before = {name: of_pairs(name, config) for name in domains}
    replaced(tmp_path / name)
    after = {name: of_pairs(name, config) for name in domains}
    assert [name for name in domains if before[name] != after[name]] == [domain]


def test_a_recipe_looks_only_at_domains_that_it_plays_with(tmp_path):
    sources = {"photos": {"location": str(tmp_path / "not there")}}
    plain = SelfPlayConfig.model_validate({"pairs": {"mix": {"scenes": 1.0, "photos": 0.0}, **sources}})
    assert of_recipe(plain) == of_recipe(SelfPlayConfig())


STEPS = {
    ("draw_charts", "charts"): ("domains/charts/source.py", "domains/charts/chartqa_tables.py", "data/remote_storage.py"),
    ("edit_photos", "photos"): ("domains/photos/source.py", "domains/photos/instruction_editor.py", "domains/photos/config.py"),
    ("validate_pairs", "charts"): ("validation/expectations.py", "pair_sets/build.py", "domains/charts/checks.py"),
    ("measure_base", "scenes"): (
        *(
            "policy/openai_client.py",
            "jinja.py",
            "game/templates/paper/vote.j2",
            "policy/processor.py",
            "evaluation/head_to_head.py",
        ),
        *("policy/nano/weights/chat_template.jinja", "policy/nano/weights/model.safetensors"),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("step", "domain"), STEPS)
def test_the_files_that_a_step_runs_are_found(step, domain):
    files, others = code_of(step, [DOMAINS[domain]])
    wanted = {"vision_zero/randomness.py", "vision_zero/errors.py", "vision_zero/__init__.py", "vision_zero/domains/registry.py"}
    assert wanted | {f"vision_zero/{name}" for name in STEPS[step, domain]} <= set(files)
    assert not [name for name in files if name.startswith(("vision_zero/publishing", "vision_zero/report"))]
    assert "numpy" in others


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "step"), [("draw_charts", make_pairs), ("validate_pairs", validate_pairs), ("measure_base", measure_base)]
)
def test_the_modules_that_a_step_names_count(name, step):
    named = re.findall(r"from (vision_zero[\w.]+) import", inspect.getsource(step.entrypoint))
    assert named
    assert {f"{module.replace('.', '/')}.py" for module in named} <= set(code_of(name, [])[0])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("step", "domain"), [("draw_charts", "charts"), ("validate_pairs", "scenes"), ("measure_base", "scenes")]
)
def test_the_code_of_domains_that_a_step_is_not_asked_for_does_not_count(step, domain):
    files, _ = code_of(step, [DOMAINS[domain]])
    assert not [
        name for name in files if name.startswith(("vision_zero/domains/imported/source", "vision_zero/domains/photos/regions"))
    ]


@pytest.mark.slow
def test_touching_any_module_that_a_step_runs_changes_its_fingerprint(tmp_path):
    """Each of them in turn, in a copy of the checkout."""
    shutil.copytree(ROOT / "vision_zero", tmp_path / "vision_zero", ignore=shutil.ignore_patterns("__pycache__"))

    def known(root):
        found = [code_of(step, [DOMAINS["photos"]], root) for step in ("edit_photos", "measure_base")]
        return {name: path for files, _ in found for name, path in files.items()}, set().union(*(others for _, others in found))

    files, others = known(tmp_path)
    before = closure_fingerprint(files, others)
    assert before == closure_fingerprint(*known(ROOT)), "the same code elsewhere"
    for name, path in files.items():
        source = path.read_bytes()
        path.write_bytes(source + b"\n")
        assert closure_fingerprint(files, others) != before, name
        path.write_bytes(source)
    (tmp_path / "vision_zero/publishing/card.py").write_text("")
    assert closure_fingerprint(*known(tmp_path)) == before, "what it does not run does not count"
    with (tmp_path / "vision_zero/randomness.py").open("a") as file:
        file.write("from vision_zero.publishing import card\n")
    assert "vision_zero/publishing/card.py" in known(tmp_path)[0], "what it comes to import does"


@pytest.mark.cli
def test_nothing_that_a_run_loads_is_missing():
    """Pairs are made and judged in a fresh process, which says what it has loaded and opened of this package."""
    script = """
import json, sys
opened = set()
sys.addaudithook(lambda event, given: opened.add(str(given[0])) if event == "open" else None)
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.pair_sets.build import build_pairs
from vision_zero.validation.expectations import judge
config = SelfPlayConfig.model_validate({
    "learning": {"games_per_iteration": 1}, "evaluation": {"pairs": 4}, "pairs": {"quality": {"probe_pairs": 0}}})
judge(build_pairs("scenes", config, 0, 1), config.pairs)
modules = [getattr(module, "__file__", None) for name, module in sys.modules.items() if name.startswith("vision_zero")]
print(json.dumps([*modules, *opened]))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(name).resolve() for name in json.loads(done.stdout.splitlines()[-1]) if name}
    ours = {path.relative_to(ROOT).as_posix() for path in loaded if path.is_relative_to(ROOT / "vision_zero")}
    known = {name for step in ("render_scenes", "validate_pairs") for name in code_of(step, [DOMAINS["scenes"]])[0]}
    known |= {f"vision_zero/domains/{domain}/domain.py" for domain in DOMAINS}  # which the registry loads, whoever is asked
    assert {name for name in ours if not name.endswith(".pyc")} - known == set()
    assert len(ours) > 20
