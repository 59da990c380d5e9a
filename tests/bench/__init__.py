"""What the alarm path costs, beside two floors measured in the same run."""
