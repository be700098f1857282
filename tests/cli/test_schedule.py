"""What ``vision-zero schedule`` prints really runs, one run at a time."""

import shlex
import subprocess
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from tests.make import write_tiny_recipe
from vision_zero.cli.app import cli
from vision_zero.cli.schedule import BUSY, Schedule, crontab, systemd, zenml_schedule
from vision_zero.errors import ConfigError

ROOT = Path(__file__).resolve().parents[2]
NANO = ROOT / "configs" / "self_play" / "nano.yaml"


def command(line):
    """What cron hands to the shell."""
    return line.split(maxsplit=5)[5].replace("\\%", "%")


def test_the_forms_agree():
    planned = Schedule.at(NANO, "4:30", ("mon", "thu"))
    assert crontab(planned).startswith("30 4 * * mon,thu ")
    assert "OnCalendar=Mon,Thu *-*-* 04:30:00" in systemd(planned)["vision-zero-nano.timer"]
    block = yaml.safe_load(zenml_schedule(planned))
    assert block == {"schedule": {"name": "vision-zero-nano", "cron_expression": "30 4 * * mon,thu"}}


def test_a_recipe_may_have_any_name():
    planned = Schedule.at(NANO.with_name("my recipe: 5% (é).yaml"), "03:00")
    line = command(crontab(planned))
    assert shlex.split(line)[-4:] == ["configs/self_play/my recipe: 5% (é).yaml", ">>", "runs/my recipe: 5% (é).log", "2>&1"]
    name = "vision-zero-my_recipe__5_____"
    files = systemd(planned)
    assert list(files) == [f"{name}.service", f"{name}.timer"]
    assert '"configs/self_play/my recipe: 5%% (é).yaml"' in files[f"{name}.service"]
    assert yaml.safe_load(zenml_schedule(planned))["schedule"]["name"] == name


def test_recipes_of_one_name_in_two_pipelines_have_schedules_locks_and_logs_of_their_own():
    one, other = (Schedule.at(NANO.parents[1] / pipeline / "nano.yaml", "03:00") for pipeline in ("self_play", "warm_start"))
    assert (one.name, other.name) == ("vision-zero-nano", "vision-zero-warm_start-nano")
    assert not systemd(one).keys() & systemd(other).keys()
    words = [set(shlex.split(command(crontab(each)))) for each in (one, other)]
    assert {word for word in words[0] & words[1] if "nano" in word} == set()


def test_zenml_takes_its_block():
    from zenml.config.pipeline_run_configuration import PipelineRunConfiguration

    block = yaml.safe_load(zenml_schedule(Schedule.at(NANO, "03:00")))
    assert PipelineRunConfiguration.model_validate(block).schedule.cron_expression == "0 3 * * *"


@pytest.mark.parametrize("time", ["24:00", "3", "03:60", "3:5", "noon", "³:00", ""])
def test_what_is_no_time_is_an_error(time):
    with pytest.raises(ConfigError, match="is not a time of day"):
        Schedule.at(NANO, time)


def test_a_recipe_outside_a_checkout_is_an_error(tmp_path):
    for file in (tmp_path / "nano.yaml", Path("/nano.yaml")):
        with pytest.raises(ConfigError, match="could not find its pipeline"):
            Schedule.at(file, "03:00")


def test_the_command_line_refuses_a_broken_recipe(tmp_path):
    folder = tmp_path / "configs" / "self_play"
    folder.mkdir(parents=True)
    (folder / "x.yaml").write_text("parameters: {config: {sead: 1}}")
    done = CliRunner().invoke(cli, ["schedule", str(folder / "x.yaml")])
    assert "sead: unknown key" in str(done.exception)


@pytest.fixture
def checkout(tiny_base, tmp_path):
    """A checkout, in a folder whose name cron and systemd would misread, with a recipe of seconds."""
    project = tmp_path / "100% mine"
    (project / "configs" / "self_play").mkdir(parents=True)
    for name in ("pipelines", "steps", "materializers", "vision_zero"):
        (project / name).symlink_to(ROOT / name)
    return write_tiny_recipe(project / "configs" / "self_play" / "tiny.yaml", tiny_base, "vision_zero_scheduled", {})


@pytest.mark.cli
@pytest.mark.zenml
def test_the_crontab_line_runs_the_recipe_and_gives_way_to_a_run(checkout, preloaded_python):
    planned = Schedule.at(checkout, "03:00")
    line, lock = command(crontab(planned)), planned.project / "runs" / ".tiny.lock"
    done = subprocess.run(["sh", "-c", line], check=False, timeout=300)
    log = (planned.project / "runs" / "tiny.log").read_text()
    assert done.returncode == 0, log
    assert "iterations 0 → 2" in log
    with subprocess.Popen(["flock", str(lock), "sleep", "60"]) as holder:
        try:
            while subprocess.run(["flock", "-n", str(lock), "true"], check=False).returncode == 0:
                pass
            assert subprocess.run(["sh", "-c", line], check=False, timeout=60).returncode == BUSY
            assert (planned.project / "runs" / "tiny.log").read_text().endswith("flock: failed to get lock\n")
        finally:
            holder.kill()


def test_unit_files_are_what_systemd_reads(checkout, tmp_path):
    files = systemd(Schedule.at(checkout, "03:00"))
    service = files["vision-zero-tiny.service"]
    project = str(checkout.parents[2]).replace("%", "%%")
    assert f"WorkingDirectory={project}\n" in service
    assert f'"{project}/runs/.tiny.lock"' in service
    assert f"SuccessExitStatus={BUSY}" in service
    assert "-c configs/self_play/tiny.yaml" in service
