"""The provable log: a Merkle tree over signed LogLines, its signed heads, and proofs from it.

Reading and verifying need the standard library only; Ed25519 needs `cryptography`, imported when used.
"""
