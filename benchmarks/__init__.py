"""What the program costs, measured: `make bench`. `corpus` makes what is measured on; docs/performance.md holds the results."""
