"""Stand-ins for what is not there: pins, modem and phones, police receiver, broker, fleet. Nothing but tests imports it."""
