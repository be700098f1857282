"""What most tests of learning begin with."""

from functools import partial

import pytest

from tests.training.jobs import tiny_job, votes_from_any_reply


@pytest.fixture
def make_job(tiny_base, tmp_path):
    """Makes jobs of seconds, each in a folder of its own: see :func:`tests.training.jobs.tiny_job`."""
    return partial(tiny_job, tiny_base, tmp_path)


@pytest.fixture
def readable_votes(monkeypatch):
    """Replies of random weights hold no vote: each is read as one."""
    votes_from_any_reply(monkeypatch)
