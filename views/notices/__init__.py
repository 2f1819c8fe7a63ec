"""What notices bring into an application: the job that sends mail."""
