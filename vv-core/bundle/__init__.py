"""The offline bundle: all that a box needs, in one signed file.

`parts` collects, `writing` signs and writes, `opening` checks and unpacks with the standard library alone.
"""
