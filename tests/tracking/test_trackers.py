"""Each tracker by its own package, offline: what was sent is read back."""

from html import unescape
from pathlib import Path

from tests.tracking.stores import read
from vision_zero.tracking.table import Table
from vision_zero.tracking.tracking import ALREADY_THERE, Tracking

EVIL = "![x](http://example.com/x.png) <script>alert(1)</script> | `a` *b*\nnext [link](http://example.com)"
TABLE = Table("replay", ("who", "said", "is right", "reward"), (("player 1", EVIL, None, 0.5), ("player 2", "N/A", True, None)))


def send(tracked, kind, *iterations, **metrics):
    """In a session of its own. Returns why the last one was not sent, by tracker."""
    with Tracking(tracked) as tracking:
        for iteration in iterations:
            unsent = tracking.send(kind, iteration, {name: value + iteration for name, value in metrics.items()})
    return unsent


def stored(tracked):
    return read(tracked.trackers[0], Path(tracked.folder), tracked.model)


def test_metrics_have_transformers_names_and_the_iterations_number(tracked):
    assert send(tracked, "train", 1, loss=0.5, **{"clue/spy/kl": 10.0}) == {}
    assert send(tracked, "eval", 1, **{"decision/forced (photos)": 0.25}) == {}
    found = stored(tracked)
    assert found.train["loss"] == [(1, 1.5)]
    assert found.train["clue/spy/kl"] == [(1, 11.0)]
    shown = "decision/forced _photos_" if tracked.trackers == ("mlflow",) else "decision/forced (photos)"
    assert found.eval[shown] == [(1, 1.25)]


def test_all_runs_of_a_model_are_one_run_that_is_continued(tracked):
    send(tracked, "train", 1, 2, loss=0.0)
    send(tracked, "eval", 2, wins=0.0)
    send(tracked, "train", 3, 4, loss=0.0)
    send(tracked, "eval", 4, wins=0.0)
    found = stored(tracked)
    assert found.runs == 1
    assert found.train["loss"] == [(step, float(step)) for step in (1, 2, 3, 4)]
    assert found.eval["wins"] == [(2, 2.0), (4, 4.0)]


def test_another_model_is_another_run(tracked):
    assert send(tracked, "train", 1, loss=0.0) == {}
    assert send(tracked.model_copy(update={"model": "other"}), "train", 1, loss=0.0) == {}
    assert stored(tracked).runs == 2


def test_an_iteration_that_is_trained_again_is_there_once(tracked):
    """After a run that was not promoted the next one trains its iterations again."""
    send(tracked, "train", 1, 2, 3, loss=0.0)
    send(tracked, "eval", 3, wins=0.0)
    unsent = send(tracked, "train", 2, 3, loss=10.0)
    again = send(tracked, "eval", 3, wins=10.0)
    found = stored(tracked)
    if tracked.trackers == ("tensorboard",):
        assert (unsent, again) == ({}, {}), "what the first run left is replaced"
        assert found.train["loss"] == [(1, 1.0), (2, 12.0), (3, 13.0)]
        assert found.eval["wins"] == [(3, 13.0)]
    else:
        assert unsent == again == {tracked.trackers[0]: ALREADY_THERE}
        assert found.train["loss"] == [(1, 1.0), (2, 2.0), (3, 3.0)]
        assert found.eval["wins"] == [(3, 3.0)]


def test_scores_that_are_measured_again_are_there_once(tracked):
    send(tracked, "train", 1, loss=0.0)
    send(tracked, "eval", 1, wins=0.0)
    assert send(tracked, "eval", 1, wins=5.0) == {tracked.trackers[0]: ALREADY_THERE}
    found = stored(tracked)
    assert (found.train["loss"], found.eval["wins"]) == ([(1, 1.0)], [(1, 1.0)])


def test_what_a_model_wrote_is_text_in_a_table(tracked):
    with Tracking(tracked) as tracking:
        assert tracking.send("eval", 4, {"wins": 1.0}, TABLE) == {}
    found = stored(tracked).tables["replay"][4]
    if tracked.trackers == ("tensorboard",):
        from numpy import array
        from tensorboard.plugins.text.text_plugin import text_array_to_html

        page = text_array_to_html(array(found), True)
        assert not [tag for tag in ("<img", "<script", "<a ", "<code", "<em") if tag in page]
        assert "![x](http://example.com/x.png) <script>alert(1)</script> | `a` *b* next" in unescape(page)
        assert page.count("<tr>") == 3
    elif tracked.trackers == ("trackio",):
        assert found[0]["said"].startswith("&#33;&#91;x&#93;")
        assert not set("!<>[]*`|") & set(found[0]["said"])
    else:
        assert found == [["player 1", EVIL, None, 0.5], ["player 2", "N/A", True, None]]


def test_where_to_look_is_said(tracked):
    with Tracking(tracked) as tracking:
        tracking.send("train", 1, {"loss": 0.0})
        (place,) = tracking.places().values()
    assert place
