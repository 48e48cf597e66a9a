"""What a job did to its documents: one account that can be added up, and the page that people read."""
