// PostGraphile over the schema `shop` of the database that DATABASE_URL names.
const http = require("http");
const { postgraphile } = require("postgraphile");

const handler = postgraphile(process.env.DATABASE_URL, "shop", { disableQueryLog: true, graphiql: false });
http.createServer(handler).listen(Number(process.env.PORT), "127.0.0.1");
