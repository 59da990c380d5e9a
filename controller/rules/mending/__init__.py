"""What needs mending: which faults there are, who hears of them, how they are found and how they end."""
