"""What tests stand on: the real servers, started on free ports and stopped again."""
