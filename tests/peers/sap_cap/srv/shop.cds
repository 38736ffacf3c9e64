using stock from '../db/schema';

@path: '/odata/v4/shop'
service Shop {
  @cds.query.limit: 100
  entity Customers as projection on stock.Customers;
  @cds.query.limit: 100
  entity Orders as projection on stock.Orders;
  @cds.query.limit: 100
  entity Lines as projection on stock.Lines;
}
