"""What models take on the disk, and a clean-up."""
