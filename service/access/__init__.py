"""May you pass: where a browser may go, which networks are blocked, what an app's rules decide. Pure, like `login`."""
