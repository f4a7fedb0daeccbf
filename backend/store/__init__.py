"""What is kept: the database of chain facts and daemon state, and the published states."""
