"""Sleuth's GraphQL: a module for each thing that it knows, put together in ``schema``.

Its library takes 10 MB and a second to import. Only a web worker that is asked for GraphQL imports it.
"""
