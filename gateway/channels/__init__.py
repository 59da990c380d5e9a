"""The ways to tell somebody: one file a channel, all behind the small interface of `channel.py`."""
