"""A block's service: pins in, MQTT out, siren at once."""
