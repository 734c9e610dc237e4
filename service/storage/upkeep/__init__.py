"""Whether a database is Vestibule's, undamaged and of this release; migrations to this release, and copies."""
