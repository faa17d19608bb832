"""Open planner for ambulance, police, fire and crisis-response agencies."""
