"""For owners and trainers: datasets, hatching, the training loop, the defender."""
