"""An archive of the project's own on loopback, which speaks the Internet Archive's dialect and can be told to go wrong.

It knows the ways of ARCHIVES.md that pywb does not: resume keys, both answer forms, redirects to the nearest capture, and
every fault that crosses a network. It records when each request arrived.
"""
