"""The local chain that outlives a command: an Anvil child, its record on disk, its kept state."""
