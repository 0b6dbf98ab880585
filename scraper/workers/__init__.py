"""Runs tasks outside this process: in other processes on this machine, or on a cluster. Independent of what the tasks do."""
