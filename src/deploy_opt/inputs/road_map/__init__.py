"""Road maps into clean node and arc tables; `inputs.roads` is the door."""
