// Partners that are written from outside: with an ETag, our reference, and addresses that belong to them.
@path: '/odata/v4/crm'
service Crm {
  entity Partners {
    key ID         : UUID;
        ref        : String(40);
        name       : String(80) not null;
        credit     : Decimal(15, 2);
        born       : Date;
        seen       : Timestamp;
        modifiedAt : Timestamp @cds.on.insert: $now  @cds.on.update: $now  @odata.etag;
        addresses  : Composition of many Addresses on addresses.partner = $self;
  }

  entity Addresses {
    key ID      : UUID;
        partner : Association to Partners;
        city    : String(40);
  }
}
