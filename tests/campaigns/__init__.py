"""Long-running checks that the default test run only samples; `make campaigns` runs them in full."""
