"""What the service does when something breaks: real servers, real signals, figures."""
