"""Tests of what the rooms share (vv_core), its command lines and the way the project is set up."""
