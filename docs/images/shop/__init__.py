"""An app for the pictures: what a small trading company hands in."""
