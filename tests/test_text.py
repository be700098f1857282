"""Text from models and files can be written, whatever it holds."""

import json

import pytest
from PIL import Image

from vision_zero.config.policy import PolicyConfig
from vision_zero.game.interface import Reply
from vision_zero.jinja import text_template
from vision_zero.policy.chats import user_message
from vision_zero.report.pages import render_page
from vision_zero.text import well_formed

HALF = json.loads('"so \\ud83d"')
"""As a server sends it that cuts replies by bytes."""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("plain", "plain"),
        ("\u00fc \u56fe \U0001f600", "\u00fc \u56fe \U0001f600"),
        (HALF, "so \ufffd"),
        ("\udc00 first", "\ufffd first"),
        ("\ud83d\ude00", "\U0001f600"),
    ],
)
def test_halves_of_surrogate_pairs_are_joined_or_replaced(text, written):
    assert well_formed(text) == written


def test_replies_and_prompts_hold_none():
    assert Reply(HALF).text == "so \ufffd"
    message = user_message(HALF, Image.new("RGB", (8, 8)))
    assert message[0]["content"][1]["text"] == "so \ufffd"


def test_cards_and_pages_hold_none():
    card = text_template("vision_zero.policy", "card.md.j2")
    text = card.render(config=PolicyConfig(base=HALF), iteration=1, iterations=2, stage="clue", run="r")
    assert "so \ufffd" in text
    page = render_page("replay.html.j2", title=HALF, games=[])
    assert "so \ufffd" in page
    (text + page).encode()
