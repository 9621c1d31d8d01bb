"""What the machine is made of and how much of it is used."""
