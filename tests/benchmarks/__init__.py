"""Speed beside the peers, on the same work in one run: `make bench` or `python -m tests.benchmarks`."""
