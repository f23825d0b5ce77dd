"""Parse, check, plan and run recipes; a single operation is a recipe of one step."""
