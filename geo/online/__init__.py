"""Online geocoders, off unless configured."""
