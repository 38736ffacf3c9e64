"""Write-back: what changed of golden records is written into the systems that catalog/targets names, once."""
