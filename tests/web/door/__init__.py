"""The door as a WSGI app, over stores in memory."""
