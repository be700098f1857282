"""Training all weights instead of an adapter: the reference is a frozen copy of the base, a resumed run is an unbroken one."""

import json
import shutil
from dataclasses import replace

import pytest
import torch
from PIL import Image

from materializers.policy import PolicyMaterializer
from tests.make import files_below, scene_pairs
from tests.training.jobs import GAMES, optimizer, run_clue_stage, run_decision_stage, start, tiny_job, votes_from_any_reply
from vision_zero.config.policy import AdapterConfig, PolicyConfig
from vision_zero.config.publish import PublishConfig
from vision_zero.errors import PolicyError
from vision_zero.policy.chats import user_message
from vision_zero.policy.folder import PolicyFolder
from vision_zero.policy.loading import base_of, load_base, load_policy
from vision_zero.publishing.build import build
from vision_zero.randomness import Seed
from vision_zero.training.clue_stage import ClueLoop

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", autouse=True)
def readable_votes():
    with pytest.MonkeyPatch.context() as patch:
        votes_from_any_reply(patch)
        yield


@pytest.fixture(scope="module")
def make_job(tiny_base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")

    def make(*args, policy=None, **settings):
        job = tiny_job(tiny_base, folder, *args, learning_rate=1e-3, **settings)
        return replace(job, policy=job.policy.model_copy(update={"adapter": None, **(policy or {})}))

    return make


@pytest.fixture(scope="module")
def trained(make_job):
    return run_clue_stage(make_job(start("clue"), iterations=1))


def tensors(folder):
    return load_policy(PolicyConfig(base=base_of(folder)), folder).model.state_dict()


def same(one, two):
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def test_the_reference_is_a_frozen_copy_of_the_base_also_after_a_resumption(make_job, trained, tiny_base):
    job = make_job(trained.state, trained.policy, iterations=1)
    loop = ClueLoop(*load_base(job.policy), job)
    base = load_base(PolicyConfig(base=str(tiny_base)))[0].state_dict()
    loop.run()
    assert same(loop.trainer.ref_model.state_dict(), base)
    assert not same(loop.trainer.model.state_dict(), base)
    assert loop.progress.state.history[-1].metrics["kl"] > 0
    assert trained.state.history[0].metrics["kl"] == 0


def test_no_reference_is_kept_where_nothing_is_measured_to_it(make_job):
    job = make_job(start("clue"), iterations=1, kl=0.0)
    loop = ClueLoop(*load_base(job.policy), job)
    assert loop.trainer.ref_model is None
    assert loop.run().policy.is_full


def test_a_resumed_stage_equals_an_unbroken_one_bit_for_bit(make_job, trained):
    resumed = run_clue_stage(make_job(trained.state, trained.policy, iterations=1))
    unbroken = run_clue_stage(make_job(start("clue"), iterations=2))
    assert same(tensors(unbroken.policy.path), tensors(resumed.policy.path))
    assert same(optimizer(unbroken.policy), optimizer(resumed.policy))
    assert not same(tensors(trained.policy.path), tensors(resumed.policy.path))


def test_the_other_stage_goes_on_with_the_same_optimiser(make_job, trained):
    state = trained.state.model_copy(update={"stage": "decision"})
    voted = run_decision_stage(make_job(state, trained.policy, iterations=1))
    assert len(voted.transcripts) == GAMES
    assert optimizer(voted.policy)["0.step"].item() == 2


def test_a_folder_holds_all_weights_nothing_executable_and_no_path(trained, tiny_base, tmp_path):
    copied = trained.policy.copy_to(tmp_path / "copy")
    assert files_below(copied.path) == sorted(
        "README.md config.json generation_config.json model.safetensors optimizer.json optimizer.safetensors origin.json "
        "scheduler.json trainer_state.json".split()
    )
    assert copied.weights() == ("config.json", "generation_config.json", "model.safetensors")
    card = (copied.path / "README.md").read_text()
    assert "All weights of" in card
    assert "adapter" not in card
    assert str(tiny_base) not in (copied.path / "config.json").read_text()


def test_the_policy_and_its_base_answer_each_for_themselves(trained, tiny_base):
    config = PolicyConfig(base=str(tiny_base))
    policy, bare = load_policy(config, trained.policy.path), load_policy(config, None)
    asked = [user_message("Who is the spy?", pair.original) for pair in scene_pairs(4)]

    def replies(player):
        return player.complete(asked, 8, Seed(1))

    assert replies(replace(policy, as_base=True)) == replies(bare) != replies(policy)
    with pytest.raises(PolicyError, match="merged with its base"):
        replace(load_policy(config, trained.policy.path, is_merged=True), as_base=True)


@pytest.mark.zenml
def test_it_is_stored_and_loaded_again(trained, tmp_path):
    from pathlib import Path

    from zenml.client import Client

    store = Client().active_stack.artifact_store
    folder = Path(store.path) / "tests" / tmp_path.name
    folder.mkdir(parents=True)
    materializer = PolicyMaterializer(uri=str(folder), artifact_store=store)
    materializer.save(trained.policy)
    loaded = materializer.load(PolicyFolder)
    assert loaded.is_full
    assert loaded.files() == trained.policy.files()
    assert materializer.compute_content_hash(loaded) == materializer.compute_content_hash(trained.policy)


def test_it_is_published_as_a_model_and_never_as_an_adapter(trained, tmp_path):
    folder = build(PublishConfig(model="spy"), trained.policy, "# card\n", tmp_path / "out").path
    asked = [user_message("What do you see?", Image.new("RGB", (112, 112), "teal"))]
    one, two = (
        load_policy(PolicyConfig(base=str(base)), trained_folder).complete(asked, 8, Seed(1))
        for base, trained_folder in ((folder, None), (base_of(trained.policy.path), trained.policy.path))
    )
    assert one == two
    with pytest.raises(PolicyError, match="publish it with form: merged"):
        build(PublishConfig(model="spy", form="adapter"), trained.policy, "", tmp_path / "adapter")


@pytest.mark.parametrize(
    "change",
    [{"adapter": AdapterConfig(rank=4)}, {"train_on": "vision"}, {"train_on": "both"}],
    ids=["an adapter", "vision", "both"],
)
def test_what_was_trained_in_another_way_is_not_continued(make_job, trained, change):
    with pytest.raises(PolicyError, match=r"another policy.adapter or policy.train_on \(whole, language\)"):
        run_clue_stage(make_job(trained.state, trained.policy, iterations=1, policy=change))


def spoil_shard(folder):
    (folder / "model.safetensors").unlink()


def spoil_weights(folder):
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])


def spoil_origin(folder):
    (folder / "origin.json").write_text("{ half")


def spoil_index(folder):
    (folder / "model.safetensors.index.json").write_text('{"weight_map": 3}')


@pytest.mark.parametrize("spoil", [spoil_shard, spoil_weights, spoil_origin, spoil_index], ids=lambda spoil: spoil.__name__)
def test_a_broken_folder_is_one_line(make_job, trained, tmp_path, spoil):
    broken = PolicyFolder(shutil.copytree(trained.policy.path, tmp_path / "broken"))
    spoil(broken.path)
    with pytest.raises(PolicyError) as caught:
        run_clue_stage(make_job(trained.state, broken.checked(), iterations=1))
    assert "\n" not in str(caught.value)


def test_the_files_of_a_large_model_are_all_asked_for(trained, tmp_path):
    large = PolicyFolder(shutil.copytree(trained.policy.path, tmp_path / "large"))
    names = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    (large.path / "model.safetensors").rename(large.path / names[0])
    index = {"weight_map": dict(zip(("one", "other"), names, strict=True))}
    (large.path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert names[0] in large.files()
    with pytest.raises(PolicyError, match=names[1]):
        large.checked()


@pytest.mark.parametrize("dtype", ["bfloat16", "auto"])
def test_half_precision_would_round_updates_away(dtype):
    with pytest.raises(ValueError, match="would round most updates away"):
        PolicyConfig(adapter=None, dtype=dtype)
