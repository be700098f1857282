"""What the embedded policy is taught before it plays: a question about a picture, and the right answer.

The warm start stands in for the pretraining of a large model. It teaches to see (list a picture, answer questions), to judge
(is this statement true of the picture?), and the game's protocol (look, then say a clue; think, then vote). All answers are
computed from scene graphs and tables; nothing is imitated from another model.
"""
