"""Experiment trackers: TensorBoard, Weights & Biases, MLflow and trackio, through transformers' own callbacks."""
