"""Whole crawls, searched for TTA pages: `addresses` opens their files, `reading` picks pages, `run` keeps them."""
