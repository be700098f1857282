"""The command line: every command helps, does its work, and fails in one line with exit status 2."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from vision_zero.cli.app import cli
from vision_zero.data.table import PairTable
from vision_zero.errors import ConfigError

NANO = Path(__file__).resolve().parents[2] / "configs" / "self_play" / "nano.yaml"


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn") / "pairs"
    result = CliRunner().invoke(cli, ["render", "--count", "3", "--size", "112x112", "--seed", "5", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder


@pytest.fixture(scope="session")
def fails(preloaded):
    """Runs the command, and returns its one line."""
    return lambda *arguments: fails_by([preloaded / "vision-zero"], *arguments)


def fails_by(command, *arguments):
    done = subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 2, done.stdout + done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("vision-zero: ")
    return lines[0]


@pytest.mark.parametrize("command", sorted(cli.commands))
def test_every_command_helps(command):
    result = CliRunner().invoke(cli, [command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_render_writes_two_images_a_pair_and_a_table(drawn):
    pairs = list(PairTable.read(drawn / "pairs.parquet").pairs())
    names = {path.name for path in drawn.iterdir()}
    assert len(pairs) == 3
    assert {pair.original.size for pair in pairs} == {(112, 112)}
    for pair in pairs:
        assert {f"{pair.pair_id}_original.png", f"{pair.pair_id}_modified.png"} <= names
    assert "gallery.html" in names


def test_the_same_seed_renders_the_same_bytes(drawn, tmp_path):
    CliRunner().invoke(cli, ["render", "--count", "3", "--size", "112x112", "--seed", "5", "--out", str(tmp_path / "again")])
    for path in drawn.glob("*.png"):
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


@pytest.mark.slow
def test_play_writes_a_replay_and_an_image(drawn, tiny_base, tmp_path):
    out, image = tmp_path / "replay.html", tmp_path / "game.png"
    arguments = ["play", "--pairs", str(drawn), "--policy", str(tiny_base), "--games", "1", "--out", str(out)]
    result = CliRunner().invoke(cli, [*arguments, "--image", str(image)])
    assert result.exit_code == 0, result.output
    assert out.read_text().count("data:image/png;base64") >= 2
    assert image.read_bytes().startswith(b"\x89PNG")


def test_a_good_config_is_good():
    result = CliRunner().invoke(cli, ["check-config", str(NANO)])
    assert result.exit_code == 0
    assert "valid" in result.output


@pytest.mark.cli
@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("parameters", "config", "games"), 3, "games"),
        (("parameters", "config", "learning", "learning_rat"), 3, "learning_rat"),
        (("parameters", "config", "learning", "learning_rate"), "fast", "learning_rate"),
        (("parameters", "config", "game", "civilians"), -1, "civilians"),
        (("parametrs",), {}, "parametrs"),
    ],
)
def test_a_bad_config_is_one_line(tmp_path, path, value, says, fails):
    config = yaml.safe_load(NANO.read_text())
    target = config
    for key in path[:-1]:
        target = target[key]
    target[path[-1]] = value
    file = tmp_path / "bad.yaml"
    file.write_text(yaml.safe_dump(config))
    assert says in fails("check-config", file)


@pytest.mark.cli
def test_pairs_that_are_none_are_one_line(drawn, tiny_base, tmp_path, fails):
    assert "render" in fails("play", "--pairs", tmp_path, "--policy", tiny_base, "--out", tmp_path / "r.html")
    table = drawn / "pairs.parquet"
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / "pairs.parquet").write_bytes(table.read_bytes()[:2000])
    assert "pairs.parquet" in fails("play", "--pairs", cut, "--policy", tiny_base, "--out", tmp_path / "r.html")


@pytest.mark.cli
def test_a_policy_that_is_none_is_one_line(drawn, tmp_path):
    """By an interpreter that imports everything itself: what other packages say meanwhile would be more lines."""
    command = [sys.executable, "-m", "vision_zero.cli"]
    assert "config.json" in fails_by(command, "play", "--pairs", drawn, "--policy", tmp_path, "--out", tmp_path / "r.html")


@pytest.mark.cli
def test_a_run_that_is_none_is_one_line(tmp_path, fails):
    assert "run" in fails("report", tmp_path)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["render", "--size", "³x4"], "is not a size like 320x240"),
        (["render", "--scene", "scenes.json", "--sheet", "sheet.png"], "--sheet has no effect beside --scene"),
        (["render", "--scene", "scenes.json", "--domain", "charts"], "--domain has no effect beside --scene"),
        (
            ["score", "--benchmark", "chartqa", "--predictions", "p.json", "--keep-extractions"],
            "--keep-extractions has no effect beside --benchmark chartqa",
        ),
        (["plan", str(NANO), "--image-tokens", "9"], "--image-tokens belongs to --prompt-tokens"),
        (["plan", str(NANO), "--right", "nan", "--abstained", "0"], "'nan' is not a number"),
        (["plan", str(NANO), "--memory", "inf"], "'inf' is not a number"),
        (["results", "results.json", "--reasoned", "scores.json"], "--reasoned belongs to --ablation or --run"),
        (["results", "results.json", "--run", "arm:³=folder"], "is not ARM:SEED=FOLDER"),
    ],
)
def test_an_option_that_would_be_ignored_or_cannot_be_read_is_refused(arguments, says, tmp_path):
    out = ["--out", str(tmp_path)] if arguments[0] in ("render", "score") else []
    done = CliRunner().invoke(cli, [*arguments, *out])
    assert done.exit_code == 2
    assert says in done.output


@pytest.mark.parametrize("suites", ["scenes", ["scenes"], {"name": "scenes"}])
def test_suites_that_are_none_are_named(suites, tmp_path):
    file = tmp_path / "evaluate.yaml"
    file.write_text(yaml.safe_dump({"parameters": {"config": {"suites": suites}}}))
    done = CliRunner().invoke(cli, ["evaluate", "--config", str(file), "--items", "2", "--out", str(tmp_path / "out")])
    assert isinstance(done.exception, ConfigError)
    assert str(done.exception).startswith("suites")
