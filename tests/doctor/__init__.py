"""`vestibule doctor`: what it concludes, and what it finds in real chains."""
