"""tv_mirror: live pictures of the cameras for any number of TVs; one connection a camera, nothing recorded."""
