"""Who is calling: tokens that Better Auth signed, verified and turned into a principal."""
