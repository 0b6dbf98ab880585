"""Whole crawls, searched for TTA pages."""
