"""Sleuth's GraphQL: what it answers is in ``schema``, and how much may be asked in ``execution``.

Its library takes 10 MB and a second to import. Only a web worker that is asked for GraphQL imports it.
"""
