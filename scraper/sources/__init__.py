"""Where captures come from. Each source lists what there is into the ledger, and gets one listed capture when asked."""
