"""The policies that the tests of publishing publish."""

import pytest

from tests.make import write_tiny_adapter
from tests.publishing.policies import CARD, settings
from vision_zero.policy.folder import PolicyFolder
from vision_zero.publishing.build import build


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    return PolicyFolder(write_tiny_adapter(tiny_base, tmp_path_factory.mktemp("publish") / "policy"))


@pytest.fixture(scope="module")
def built(trained, tmp_path_factory):
    return build(settings(form="adapter"), trained, CARD, tmp_path_factory.mktemp("built") / "folder")


@pytest.fixture(scope="module")
def larger(trained, tmp_path_factory):
    """Another policy, with files that ``built`` has not."""
    return build(settings(), trained, "# another card\n", tmp_path_factory.mktemp("larger") / "folder")
