"""The integrity manifest of an installation, ``vv-signature.json``: what was shipped, signed.

`tree` looks at files, `statement` and `dsse` are the forms (in-toto Statement in a DSSE envelope, Ed25519),
`compare` decides, `check` and `sign` put them together.
"""
