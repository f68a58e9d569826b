"""The nouns that travel between rooms, and the pure functions on them."""
