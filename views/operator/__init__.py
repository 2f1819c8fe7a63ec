"""For machines and operators: /livez, /readyz and /metrics."""
