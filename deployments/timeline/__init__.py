"""Lists of what happened: filters, pages by key, exports, and what lists of the read API share."""
