"""tv_api: status, health and what TVs read."""
