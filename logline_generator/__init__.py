"""The room that turns a summary into a signed LogLine."""
