"""The benchmark: `make bench`. docs/understand/performance.md explains each figure."""
