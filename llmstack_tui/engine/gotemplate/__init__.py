"""A small interpreter of Go's text/template, for the TEMPLATE of a Modelfile."""
