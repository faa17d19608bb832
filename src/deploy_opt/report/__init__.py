"""What a reader gets: tables, maps, the page, files for other programs."""
