"""What the user asked for, one file each."""
