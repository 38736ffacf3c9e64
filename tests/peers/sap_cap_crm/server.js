// OData v4 by SAP CAP, and below /odata/v2 the same service in v2, behind CSRF protection; on 127.0.0.1 only.
const cds = require("@sap/cds");
const adapter = require("@cap-js-community/odata-v2-adapter");

cds.on("bootstrap", (app) => {
  app.use(require("./csrf"));
  app.use(adapter());
  const listen = app.listen.bind(app);
  app.listen = (port) => listen(port, "127.0.0.1");
});
module.exports = cds.server;
