"""Whole crawls, searched for TTA pages: `addresses` opens their files, `run` picks the pages and keeps them."""
