"""playlist_manager: turns the last 24 hours of LogLines into playlists for TVs."""
