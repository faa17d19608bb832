"""From crews by shift to duty rosters: patterns, labour rules, rotas, posts, dates."""
