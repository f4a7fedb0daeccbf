"""Small programs that show the pipeline at work."""
