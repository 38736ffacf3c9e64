// CSRF protection as SAP Gateway has it: a token holds for the session whose cookie came with it.
const { randomUUID } = require("crypto");
const tokens = new Map();

module.exports = (request, response, next) => {
  const given = request.headers["x-csrf-token"] || "";
  const session = /SAP_SESSIONID=([\w-]+)/.exec(request.headers.cookie || "")?.[1];
  if (["GET", "HEAD"].includes(request.method)) {
    if (given.toLowerCase() === "fetch") {
      const id = randomUUID();
      tokens.set(id, randomUUID());
      response.setHeader("x-csrf-token", tokens.get(id));
      response.setHeader("set-cookie", `SAP_SESSIONID=${id}; Path=/; HttpOnly`);
    }
    return next();
  }
  if (session && tokens.get(session) === given) return next();
  response.setHeader("x-csrf-token", "Required");
  return response.status(403).send("CSRF token validation failed");
};
