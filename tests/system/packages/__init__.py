"""How Quickstep is packed, and what it is packed of."""
