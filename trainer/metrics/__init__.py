"""Live figures of training runs: messages, the server that relays them, and who reads them."""
