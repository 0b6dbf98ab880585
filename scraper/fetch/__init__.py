"""A run of `tta fetch`: which sources are asked, in which order captures become durable, and what is reported."""
