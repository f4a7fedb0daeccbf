"""Everything that touches an EVM chain: tools, contracts, transactions and events."""
