"""What a server of models is to the rest of the program, whatever protocol it speaks."""
