"""The account pages: ways in, sessions, activity, profile, download and deletion."""
