"""The `tta` commands, one module each: options, wording and exit status. The work is done by the rooms they call."""
