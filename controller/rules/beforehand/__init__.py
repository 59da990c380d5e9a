"""What is asked before anybody presses: whom a press would reach, in time, and when nobody is on duty."""
