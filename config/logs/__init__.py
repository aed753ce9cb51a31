"""How every process of Celeriac writes its log: one line an event, for people or for machines."""
