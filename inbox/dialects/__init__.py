"""The dialects: how each provider writes, signs and wants to be answered. One file each."""
