"""All of Celeriac's processes on one machine: started in order, watched, stopped in order."""
