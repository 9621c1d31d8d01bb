"""OpenAI's protocol, and what the servers that speak it tell and do beside it."""
