"""May you pass: the rules of where a browser may go. Pure, like `login`, which it may import."""
