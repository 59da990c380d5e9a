"""What people write and dial back, and what it does."""
