"""The life of a model: listed, fetched, verified, tried, switched to, switched back, measured."""
