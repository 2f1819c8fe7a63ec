"""Mail and webhooks, against real servers."""
