"""The mailbox and the relay: messages read, letters made, both carried."""
