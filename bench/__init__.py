"""The benchmark: `make bench`. docs/performance.md says what each figure means."""
