"""How a running daemon looks from outside: /healthz, /readyz and Prometheus /metrics."""
