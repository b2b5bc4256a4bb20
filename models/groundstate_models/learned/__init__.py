"""The task that serves files learned from examples. `groundstate_training.learn` makes them."""
