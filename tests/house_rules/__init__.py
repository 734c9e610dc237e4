"""What holds for the project as a whole: its shape, its arrows, and the files it is deployed with."""
