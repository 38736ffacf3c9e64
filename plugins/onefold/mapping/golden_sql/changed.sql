-- The records that came or went with this publish's loads.
{{ changed_records('<< name >>',
    systems=['<< systems | join("', '") >>'],
    streams=['<< entity.streams | join("', '") >>']) }}
