"""The channels to machines and messengers, against software that nobody here wrote."""
