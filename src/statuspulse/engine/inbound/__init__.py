"""What other systems tell us: read, matched with what we know, and done here."""
