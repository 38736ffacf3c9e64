"""The world's forms as tables (countries' names, numbering plans, postal codes), made from libraries that keep them."""
