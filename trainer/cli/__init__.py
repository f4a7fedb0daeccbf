"""The owner's and the trainer's commands."""
