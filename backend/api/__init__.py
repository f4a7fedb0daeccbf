"""The read-only HTTP and WebSocket API over the indexed chain, and the page that shows it."""
