"""vision-zero plan: it counts what is played, its advice fits, and what recipes say of their memory is its output."""

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from pydantic import ValidationError

from tests.make import write_tiny_recipe
from tests.policy.families import FAMILIES, write_family
from tests.policy.shapes import PARAMETERS, config_of
from vision_zero.cli.app import cli
from vision_zero.config.self_play import SelfPlayConfig
from vision_zero.errors import ConfigError, PolicyError
from vision_zero.game.prompts import SpokenClue, clue_prompt
from vision_zero.policy.chats import user_message
from vision_zero.policy.loading import load_policy
from vision_zero.policy.memory_estimate import GB
from vision_zero.policy.throughput_estimate import H100, gpu_named, iteration
from vision_zero.recipes.check import read_self_play
from vision_zero.training.controller import USUAL_RATES, simulate, simulation_lines
from vision_zero.training.plan import OUT_OF_REACH, longest_prompts, make_plan, on_gpus, table, usable

ROOT = Path(__file__).resolve().parents[2]
RECIPES = sorted(path for path in (ROOT / "configs/self_play").glob("*.yaml") if "nano" not in path.stem)
HEADER = re.compile(
    r"([\d.]+) GB of the GPU, an estimate: "
    r"vision-zero plan FILE --memory (\d+) --prompt-tokens (\d+) --image-tokens (\d+)"
)

STAGES = re.compile(
    r"of (\d+) iterations votes (\d+) and clues (\d+) at (\d+) % right and (\d+) % N/A votes, "
    r"(\d+) and (\d+) at (\d+) and (\d+) %, (\d+) and (\d+) at (\d+) and (\d+) %"
)
MINUTES = re.compile(r"minutes: +about (\d+) for 10 iterations on (?:an|\d) H100")


@pytest.fixture(scope="module")
def shaped(tmp_path_factory):
    """A folder with nothing but the configuration of a released model."""

    def write(base):
        folder = tmp_path_factory.mktemp("shapes")
        config_of(base).save_pretrained(folder)
        return folder

    return cache(write)


def with_base(config, folder, **policy):
    return config.model_copy(update={"policy": config.policy.model_copy(update={"base": str(folder), **policy})})


@pytest.fixture
def big(shaped):
    """A recipe of the 7 B model with a setting or two changed."""

    def plan(learning=(), **policy):
        settings = {"preset": "paper", "learning": dict(learning), "policy": {"dtype": "bfloat16", **policy}}
        config = SelfPlayConfig.model_validate(settings)
        return make_plan(with_base(config, shaped("Qwen/Qwen2.5-VL-7B-Instruct")), prompt=1200, image=99)

    return plan


def test_there_are_recipes_of_every_family():
    bases = {read_self_play(path).policy.base for path in RECIPES}
    assert bases == set(PARAMETERS)


@pytest.mark.slow
@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_recipes_say_what_the_plan_says_and_fit(shaped, path):
    config = read_self_play(path)
    found = HEADER.search(path.read_text())
    assert found, "the header gives the memory, and how it was estimated"
    said, memory, prompt, image = float(found[1]), *map(int, found.groups()[1:])
    plan = make_plan(with_base(config, shaped(config.policy.base)), prompt=prompt, image=image)
    assert max(plan.peaks().values()) / GB == pytest.approx(said, abs=0.05)
    assert plan.fits(memory)
    number = config.learning.num_processes
    assert f"{number} GPU{'s' if number > 1 else ''} of {memory} GB" in path.read_text()
    longest = max(len(text) for text in longest_prompts(config))
    assert prompt - image > longest / 4, "English has about four characters a token"
    assert config.preset == ("full" if config.policy.adapter is None else "lora")
    minutes = 60 * 10 * config.learning.games_per_iteration / plan.games_per_hour()
    assert float(MINUTES.search(path.read_text())[1]) == pytest.approx(minutes, abs=5)


@pytest.mark.parametrize("path", sorted((ROOT / "configs/self_play").glob("*.yaml")), ids=lambda path: path.stem)
def test_recipes_say_which_stages_their_controller_would_train(path):
    learning = read_self_play(path).learning
    said = STAGES.search(path.read_text())
    assert said, "the header says what the controller does"
    iterations, *numbers = (int(number) for number in said.groups())
    assert iterations == learning.iterations
    simulated = [simulate(learning.switch, learning.iterations, rates) for rates in USUAL_RATES]
    expected = [
        (stages.count("decision"), stages.count("clue"), *(round(100 * rate) for rate in stages.rates)) for stages in simulated
    ]
    assert [tuple(numbers[place : place + 4]) for place in (0, 4, 8)] == expected


def test_the_plan_begins_with_the_stages_even_where_no_model_can_be_built(tmp_path):
    recipe = write_tiny_recipe(tmp_path / "recipe.yaml", tmp_path / "nowhere", "plan", {"preset": "paper"})
    done = CliRunner().invoke(cli, ["plan", str(recipe), "--right", "0.6", "--abstained", "0.05"])
    assert isinstance(done.exception, PolicyError)
    config = read_self_play(recipe)
    assert done.output.splitlines() == simulation_lines(config.learning.switch, config.learning.iterations, ((0.6, 0.05),))
    twice = CliRunner().invoke(cli, ["plan", str(recipe), "--right", "0.6", "--abstained", "0.5"])
    assert (twice.exit_code, "together they cannot be more than 1" in twice.output) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("family", FAMILIES)
def test_tokens_are_those_that_would_be_played(tmp_path, family):
    base = write_family(family, tmp_path / "base")
    config = read_self_play(write_tiny_recipe(tmp_path / "recipe.yaml", base, "plan", {}))
    plan = make_plan(config)
    policy = load_policy(config.policy, None)
    from PIL import Image

    encoded = policy.encode([user_message(text, Image.new("RGB", (112, 112))) for text in longest_prompts(config)])
    assert plan.lengths.prompt == encoded["input_ids"].shape[1]
    assert plan.lengths.image == (encoded["input_ids"][0] == policy.model.config.image_token_id).sum()
    assert plan.shape.parameters == sum(parameter.numel() for parameter in policy.model.parameters())


@pytest.mark.parametrize("spy_image", ["modified", "blank"])
@pytest.mark.parametrize("wording", ["paper", "compact"])
def test_no_role_is_asked_for_a_clue_with_more_words_than_the_longest_prompts_have(wording, spy_image):
    config = SelfPlayConfig.model_validate({"game": {"prompt": wording, "spy_image": spy_image, "remember_reasoning": False}})
    clue = "The small red cube stands left of the large blue cylinder, and two spheres lie behind them. " * 3
    spoken = [SpokenClue(round_, seat, clue[: config.game.max_clue_characters]) for round_ in (1, 2) for seat in (1, 2, 3, 4)]
    asked = [clue_prompt(config.game, 4, role, spoken[:-1], round_=2) for role in ("civilian", "spy")]
    assert max(map(len, longest_prompts(config))) >= max(map(len, asked))


def test_longest_prompts_hold_all_that_a_game_can_hold():
    config = SelfPlayConfig.model_validate({"game": {"civilians": 4, "rounds": 3, "max_clue_characters": 50}})
    clue, vote = longest_prompts(config)
    assert clue.count("The small red cube") >= 14
    assert vote.count("The small red cube") >= 15
    assert max(map(len, longest_prompts(SelfPlayConfig()))) < max(
        map(len, longest_prompts(SelfPlayConfig.model_validate({"game": {"rounds": 3}})))
    )


def test_the_advice_is_followed_and_then_it_fits(big):
    plan = big(learning={"tokens_per_step": 32_768, "bf16": True})
    assert not plan.fits(80)
    advice = plan.advice(80)
    settings = dict(re.findall(r"([\w.]+): ([^,\s]+?)(?=,|: then|$)", advice.removeprefix("set ")))
    assert settings, advice
    turned = plan.turned({path: yaml.safe_load(value) for path, value in settings.items()})
    assert turned.fits(80)
    for path in settings:
        fewer = {other: yaml.safe_load(value) for other, value in settings.items() if other != path}
        assert not plan.turned(fewer).fits(80), f"{path} was not needed"


@pytest.mark.slow
def test_each_knob_is_the_one_that_is_named(big):
    playing = big(learning={"gradient_checkpointing": True, "bf16": True, "tokens_per_step": 1712}, sampling={"batch_size": 512})
    assert re.fullmatch(r"set policy.sampling.batch_size: \d+: then [\d.]+ GB", playing.advice(80))
    training = big(learning={"bf16": True, "tokens_per_step": 65_536}, sampling={"batch_size": 1})
    assert training.advice(80).startswith("set learning.tokens_per_step")
    checkpointed = big(learning={"bf16": True, "tokens_per_step": 3424}, sampling={"batch_size": 1})
    assert "learning.gradient_checkpointing: true" in checkpointed.advice(36)


@pytest.mark.slow
def test_what_no_setting_can_mend_is_said(big):
    assert big().advice(16).startswith("no setting makes it fit: take a smaller policy.base")
    whole = big(learning={"bf16": True}, adapter=None, dtype="float32")
    assert whole.advice(80).startswith("no setting makes it fit: share the weights out among more GPUs")
    assert big(learning={"bf16": True}).shape.trained < whole.shape.trained
    four = big(learning={"bf16": True, "num_processes": 4}, adapter=None, dtype="float32", sampling={"batch_size": 32})
    assert "learning.sharded: true" in four.advice(80)


def test_a_table_names_every_part_and_the_verdict(big):
    plan = big(learning={"gradient_checkpointing": True, "bf16": True, "tokens_per_step": 8192})
    lines = table(plan, 80)
    text = "\n".join(lines)
    for part in ("weights", "adapter", "gradients", "optimiser", "keys and values of replies", "activations", "logits"):
        assert part in text
    assert "8,292,166,656 parameters" in text
    assert "without checkpointing the activations would take" in text
    assert re.fullmatch(r"[\d,]+ games an hour on H100s, [\d.]+ minutes an iteration: arithmetic, not measured", lines[-2])
    assert lines[-1].endswith(f"fits on 1 GPU of 80 GB (into {usable(80) / GB:.1f} GB, the rest being reserved)")
    assert table(plan, 40)[-1] == plan.advice(40)


@pytest.mark.slow
def test_playing_is_faster_in_larger_batches_until_reading_is_all_that_is_left(big):
    small, large = (big(learning={"bf16": True}, sampling={"batch_size": size}) for size in (16, 64))
    parts = [iteration(plan.shape, plan.work, plan.config, "clue") for plan in (small, large)]
    assert parts[0].keys() == {"play", "reference", "update"}
    assert 2 < parts[0]["play"] / parts[1]["play"] < 4
    assert parts[0]["update"] == parts[1]["update"]
    assert "vote" in iteration(small.shape, small.work, small.config, "decision")


def test_an_update_takes_its_operations_at_a_share_of_the_peak(big):
    plan = big(learning={"bf16": True, "gradient_checkpointing": True})
    tokens = 128 * 8 * 0.6 * (1200 + 512)
    by_hand = 6 * plan.shape.parameters * tokens / (0.4 * 989e12)
    assert iteration(plan.shape, plan.work, plan.config, "clue")["update"] == pytest.approx(by_hand)


def test_a_draw_is_no_faster_than_the_weights_can_be_read(big):
    plan = big(learning={"bf16": True})
    slow = replace(H100, bandwidth=1e9)
    steps = 0.6 * 512 * (8 * 2 + 6)
    read = 2 * plan.shape.parameters / 1e9
    found = iteration(plan.shape, plan.work, plan.config, "clue", slow)["play"]
    reading = 2 * plan.shape.parameters * (128 * 8 + 128 * 3) * 0.6 * 1200 / (0.4 * 989e12)
    assert found == pytest.approx(steps * read + reading)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("NVIDIA H100 80GB HBM3", "H100"),
        ("NVIDIA H200", "H200"),
        ("NVIDIA A100-SXM4-80GB", "A100"),
        ("NVIDIA H100 PCIe", None),
        ("NVIDIA H100 NVL", None),
        ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", None),
        ("NVIDIA GH200 480GB", None),
        ("NVIDIA A100-SXM4-40GB", None),
        ("NVIDIA L4", None),
    ],
)
def test_slower_cards_of_a_known_chip_are_not_measured_against_its_data_sheet(name, known):
    found = gpu_named(name)
    assert (found and found.name) == known


@pytest.mark.slow
def test_twice_the_gpus_give_nearly_twice_the_games(big):
    one = big(learning={"bf16": True})
    two = make_plan(on_gpus(one.config, 2), prompt=1200, image=99)
    assert 1.7 < two.games_per_hour() / one.games_per_hour() <= 2.01


@pytest.mark.slow
def test_more_gpus_need_room_to_exchange_gradients(big):
    one = big(learning={"bf16": True})
    two = make_plan(on_gpus(one.config, 2), prompt=1200, image=99)
    assert two.parts()["all the time"]["gradients"] == 2 * one.parts()["all the time"]["gradients"]
    assert two.work.replies == one.work.replies / 2
    with pytest.raises(ConfigError, match="games_per_iteration 128 cannot be shared equally by num_processes 3"):
        on_gpus(one.config, 3)


@pytest.mark.slow
def test_without_a_processor_the_tokens_must_be_given(shaped):
    config = with_base(SelfPlayConfig(), shaped("Qwen/Qwen2.5-VL-3B-Instruct"))
    with pytest.raises(PolicyError, match=r"no processor to count tokens with .*give --prompt-tokens") as caught:
        make_plan(config)
    assert "\n" not in str(caught.value)
    with pytest.raises(ConfigError, match="give --image-tokens"):
        make_plan(config, prompt=100)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_recipe_is_planned_where_neither_its_base_nor_the_hub_is_at_hand(path):
    config = read_self_play(path)
    said, _, prompt, image = map(float, HEADER.search(path.read_text()).groups())
    plan = make_plan(config)
    assert plan.is_out_of_reach
    assert plan.lengths.image == image
    assert plan.lengths.prompt == pytest.approx(prompt, rel=0.15)
    assert max(plan.peaks().values()) / GB == pytest.approx(said, rel=0.05)
    assert table(plan, 80)[0] == OUT_OF_REACH
    given = make_plan(config, prompt=int(prompt), image=int(image))
    assert max(given.peaks().values()) / GB == pytest.approx(said, abs=0.05)


def test_images_of_unknown_size_need_their_tokens(shaped, tmp_path):
    pairs = {"mix": {"imported": 1.0}, "imported": {"location": "somewhere"}}
    config = with_base(SelfPlayConfig.model_validate({"pairs": pairs}), shaped("Qwen/Qwen2.5-VL-3B-Instruct"))
    with pytest.raises(ConfigError, match="no domain whose images have a size"):
        make_plan(config)


def test_a_base_that_is_none_is_one_line(tmp_path):
    with pytest.raises(PolicyError, match="shows no configuration") as caught:
        make_plan(with_base(SelfPlayConfig(), tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.cli
def test_the_command_says_by_its_status_whether_it_fits(shaped, tmp_path, preloaded):
    config = yaml.safe_load((ROOT / "configs/self_play/qwen2_5_vl_7b.yaml").read_text())
    config["parameters"]["config"]["policy"]["base"] = str(shaped("Qwen/Qwen2.5-VL-7B-Instruct"))
    file = tmp_path / "recipe.yaml"
    file.write_text(yaml.safe_dump(config))
    arguments = ["plan", str(file), "--prompt-tokens", "1200", "--image-tokens", "99"]
    enough, little = (CliRunner().invoke(cli, [*arguments, "--memory", memory]) for memory in ("80", "24"))
    assert (enough.exit_code, little.exit_code) == (0, 1), enough.output + little.output
    assert "does not fit on 1 GPU of 24 GB" in little.output
    done = subprocess.run(
        [preloaded / "vision-zero", "plan", str(file)], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


@pytest.mark.slow
def test_a_compiled_step_waits_for_the_weights_and_not_for_python(big):
    plain, compiled = big(learning={"bf16": True}), big(learning={"bf16": True}, compiled=True)
    assert compiled.games_per_hour() > 1.5 * plain.games_per_hour()
    assert compiled.parts()["all the time"]["slots of a compiled step"] > plain.parts()["playing"]["keys and values of replies"]


SERVER = {"url": "http://127.0.0.1:8000/v1", "model": "base", "adapters": "/adapters"}


def test_a_server_draws_with_memory_of_its_own_and_is_told_how_much_there_is(big):
    learning = {"bf16": True, "gradient_checkpointing": True}
    here, there = big(learning=learning), big(learning=learning, server=SERVER)
    assert there.parts()["playing"] == {}
    assert there.peaks()["playing"] < here.peaks()["playing"]
    assert there.peaks()["training"] == here.peaks()["training"]
    assert there.games_per_hour() > 1.5 * here.games_per_hour()
    stays = sum(there.parts()["all the time"].values())
    assert there.room_beside(80) == pytest.approx(usable(80) - stays)
    [line] = [line for line in table(there, 80) if "server" in line]
    assert f"it can have {there.room_beside(80) / GB:.1f} GB while it is awake" in line
    assert "weights take 16.6 in half precision" in line
    assert not any("server" in line for line in table(here, 80))
    assert "can have 0.0 GB" in "".join(table(there, 8))


def test_recipes_that_lose_what_they_learn_are_refused():
    with pytest.raises(ValidationError, match=r"top_p 0\.9 would sample replies from a part of the distribution"):
        SelfPlayConfig.model_validate({"policy": {"sampling": {"top_p": 0.9}}})
    with pytest.raises(ValidationError, match="merged_play would round an adapter's small updates away"):
        SelfPlayConfig.model_validate({"policy": {"dtype": "bfloat16"}, "learning": {"merged_play": True}})


def test_what_is_compiled_stays_and_is_drawn_here():
    with pytest.raises(ValidationError, match="compile anew: leave one out"):
        SelfPlayConfig.model_validate({"policy": {"compiled": True}, "learning": {"merged_play": True}})
    with pytest.raises(ValidationError, match="no decoding step runs here"):
        SelfPlayConfig.model_validate({"policy": {"compiled": True, "server": SERVER}})
