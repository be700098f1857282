"""What a model's reply says its answer is, read by rules alone: no second model, no network, linear time."""
