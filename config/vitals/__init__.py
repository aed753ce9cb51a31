"""What an installation needs to move jobs along, and whether it is there: GET /health."""
