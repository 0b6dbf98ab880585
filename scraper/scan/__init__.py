"""Whole crawls, searched for TTA pages: `addresses` opens their WARC files, `reading` picks pages, `run` keeps them."""
