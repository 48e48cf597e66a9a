"""The cleaner inside other programs: one thin file for each, imported only by those who use that program."""
