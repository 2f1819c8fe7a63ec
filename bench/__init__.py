"""The benchmark: `make bench`. docs/performance.md explains each figure."""
