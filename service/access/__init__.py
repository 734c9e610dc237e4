"""May you pass: the rules of where a browser may go, and which networks are blocked. Pure, like `login`."""
