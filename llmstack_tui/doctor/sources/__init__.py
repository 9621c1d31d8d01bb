"""Where the facts come from: each module looks at one thing, changes nothing, and starts nothing."""
