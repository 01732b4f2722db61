"""The offline bundle: one signed file to install from without a network."""
