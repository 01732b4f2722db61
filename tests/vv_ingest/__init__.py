"""Tests of the clips for TVs."""
