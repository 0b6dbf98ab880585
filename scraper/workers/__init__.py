"""Whoever does tasks beside this process: other processes here, or a cluster. What the tasks are about is not known here."""
