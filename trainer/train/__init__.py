"""The training loop: windows computed ahead, kept, and handed over for submission."""
