"""Authentication: verifies Better Auth's tokens and turns their claims into principals."""
