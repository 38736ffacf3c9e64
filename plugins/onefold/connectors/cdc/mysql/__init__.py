"""MariaDB's and MySQL's log (binlog): what it must have, the snapshot, and the changes that follow it."""
