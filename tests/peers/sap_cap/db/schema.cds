namespace stock;

type Money : Decimal(15, 2);

entity Customers {
  key ID       : UUID;
      name     : String(80) not null;
      city     : String(40);
      credit   : Money;
      born     : Date;
      opens    : Time;
      active   : Boolean not null default true;
      big      : Int64;
      ratio    : Double;
      modifiedAt : Timestamp @cds.on.update: $now;
      orders   : Association to many Orders on orders.customer = $self;
}

entity Orders {
  key number   : String(20);
      customer : Association to Customers;
      net      : Money not null;
      placed   : DateTime;
      lines    : Composition of many Lines on lines.parent = $self;
}

entity Lines {
  key parent   : Association to Orders;
  key position : Integer;
      sku      : String(20);
      quantity : Decimal(12, 3);
}
