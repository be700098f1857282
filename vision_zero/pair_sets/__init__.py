"""Sets of pairs: made by the domains of a recipe, in one run or in parts that are joined."""
