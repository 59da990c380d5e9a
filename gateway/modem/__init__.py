"""A GSM modem on a serial port: its alphabet and bytes, its line discipline, its life."""
