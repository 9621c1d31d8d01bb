"""Pulls: the queue of what was asked for, and the one program that does them."""
