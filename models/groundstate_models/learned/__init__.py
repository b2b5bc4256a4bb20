"""What users teach by examples: the task that serves learned files. `groundstate_training.learn` makes them."""
