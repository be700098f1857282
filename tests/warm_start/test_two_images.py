"""SFT on difference captions: two scenes in one image, at full size, and a caption that the suite scores as right."""

import numpy as np
import pytest

from vision_zero.config.policy import PolicyConfig
from vision_zero.config.warm_start import WarmStartConfig
from vision_zero.domains.scenes.source import SceneSource
from vision_zero.domains.scenes.statements import parts_of
from vision_zero.evaluation.suites.differences import LOOKS, QUESTION, score_caption
from vision_zero.evaluation.suites.procedural import GAP
from vision_zero.policy.loading import load_base
from vision_zero.randomness import Seed
from vision_zero.warm_start.build import build_policy, nano_card
from vision_zero.warm_start.curriculum import Curriculum, generate_files
from vision_zero.warm_start.exam_scores import Exam
from vision_zero.warm_start.examples.differences import difference_example
from vision_zero.warm_start.examples.scenes import false_statement, true_statement

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("reasoned", [False, True])
def test_the_answer_tells_every_change_and_nothing_else(reasoned):
    source, kinds = SceneSource(LOOKS["compact"]), set()
    for number in range(40):
        pair = source.sample(Seed(5).child(number))
        example = difference_example(pair.original_facts, pair.modified_facts, reasoned=reasoned)
        caption = score_caption(example.answer, pair.changes)
        assert caption.is_right, (example.answer, pair.changes)
        assert example.prompt == QUESTION
        kinds |= {change.kind for change in pair.changes}
    assert kinds == LOOKS["compact"].edits.keys()


def test_the_other_way_round_what_was_added_is_removed():
    source = SceneSource(LOOKS["compact"].model_copy(update={"edits": {"add": 1.0}}))
    pair = source.sample(Seed(5))
    there, back = (
        difference_example(*both, reasoned=False).answer
        for both in ((pair.original_facts, pair.modified_facts), (pair.modified_facts, pair.original_facts))
    )
    assert " was added" in there
    assert " was removed" not in there
    assert back == there.replace(" was added", " was removed")


def test_of_a_scene_with_one_object_left_there_are_no_pairs_to_tell():
    facts = SceneSource(LOOKS["compact"]).sample(Seed(5)).original_facts
    alone = {**facts, "objects": facts["objects"][:1], "relationships": {side: [[]] for side in facts["relationships"]}}
    kinds = set()
    for seed in range(60):
        rng = np.random.default_rng(seed)
        said, false = true_statement(alone, rng), false_statement(alone, facts, rng)
        assert said.holds(alone)
        assert not false.holds(alone)
        kinds |= {type(part).__name__ for part in parts_of(said)}
    assert kinds == {"Thing", "Count"}


def config(**changes) -> WarmStartConfig:
    phase = {"steps": 2, "reasoned": 0.5, "topics": {"difference": 1.0, "list": 1.0}}
    few = {"scene_pairs": 4, "chart_pairs": 0, "pictures_per_step": 4, "phases": [phase], "start_from": "nano"}
    return WarmStartConfig.model_validate(few | changes)


def test_a_scene_that_would_be_emptied_is_refused():
    with pytest.raises(ValueError, match="of an empty scene nothing can be said"):
        config(scenes={"edits": {"remove": 1.0}, "min_objects": 2, "max_changes": 2})


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    generate_files(config(), folder, lambda line: None)
    return folder


def test_captions_are_about_two_images_in_one_and_all_else_about_one(images):
    curriculum = Curriculum(config(), images)
    shown = {}
    for number in range(40):
        drawn = curriculum.images_with_examples(0, number)
        for example in drawn.examples:
            shown.setdefault(example.topic.split()[0], set()).add(drawn.image.size)
    assert shown == {"difference": {(2 * 112 + GAP, 112)}, "list": {(112, 112)}}


def test_larger_images_are_seen_unreduced_where_max_pixels_allows(images, tmp_path):
    """Two scenes side by side have twice as many patches as one; the limit is kept in the policy's folder."""
    grid = Curriculum(config(), images).images_with_examples
    two = next(drawn.image for number in range(40) if (drawn := grid(0, number)).image.width > 112)
    patches = {}
    for name, limit in (("as before", None), ("larger", 224 * 224)):
        trained = build_policy(config(max_pixels=limit), images, tmp_path / name, lambda line: None)
        _, processor = load_base(PolicyConfig(base=str(trained)))
        patches[name] = processor.image_processor(images=[two], return_tensors="pt")["image_grid_thw"].tolist()
    assert patches == {"as before": [[1, 4, 10]], "larger": [[1, 8, 16]]}


def test_the_card_of_a_policy_that_starts_from_nano_does_not_call_itself_nano():
    further, first = (nano_card(config(start_from=start), Exam(scores={})) for start in ("nano", None))
    assert "# nano, fine-tuned further" in further
    assert "configs/warm_start/nano.yaml" not in further
    assert "# nano: the embedded policy" in first
    assert all("what changed between two scenes" in card for card in (further, first))
