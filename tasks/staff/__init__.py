"""What staff do with everybody's tasks; ``tasks.admin`` puts it on the admin's pages."""
