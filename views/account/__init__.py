"""The account pages: identities, sessions, activity, profile, download and deletion."""
