"""A run of `tta fetch`: which sources are queried, in which order captures become durable, and what is reported."""
