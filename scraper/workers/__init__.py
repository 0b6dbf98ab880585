"""Runs tasks outside this process: in other processes on this machine, or on a cluster. It does not know what the tasks do."""
