"""The job that sends mail, as a part of an application."""
