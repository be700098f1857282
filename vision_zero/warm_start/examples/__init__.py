"""SFT examples of the embedded policy: prompts about an image with the right answer.

The warm start replaces the pretraining of a large model. It trains perception (listing an image, answering questions), judging
statements about an image, and the game's protocol (clues and votes with reasoning). All answers are computed from scene graphs
and chart data; nothing is distilled from another model.
"""
