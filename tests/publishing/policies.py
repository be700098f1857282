"""Settings of publishing, and the card, as the tests give them."""

from vision_zero.config.publish import PublishConfig

CARD = "# a card\n"


def settings(**given):
    return PublishConfig(model="spy", **given)
