"""What the catalogue's pages say of one thing each: facts, and tables whose cells lead to other things."""
