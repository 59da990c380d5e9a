"""A zone's service: MQTT in, the rules around it, notices out."""
