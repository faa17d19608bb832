"""All services of a scenario in one plan: ambulances, patrols by district, co-responder teams."""
