"""The one way to chat, generate and embed, with any server or service, and what it cost."""
