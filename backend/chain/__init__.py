"""Everything that touches an EVM chain: its tools, its contracts, its transactions and its events."""
