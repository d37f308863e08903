"""What Sleuth's CLI asks by GraphQL: what is live, and setting a health.

Its library takes 10 MB and a second to import. Only a web worker that is asked for GraphQL imports it.
"""
