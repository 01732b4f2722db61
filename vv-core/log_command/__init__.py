"""``vv-log``: the provable log on the command line. What it does is decided in `vv_core.tlog`."""
