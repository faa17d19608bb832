"""Recipes and portals of public data; `inputs.download` is the door."""
