"""Training plans: what a beast learns in which window, when it grows, and what that costs."""
