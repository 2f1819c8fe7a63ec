// One page behind express-openid-connect.
import express from "express";
import openid from "express-openid-connect";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const app = express();
app.use(
  openid.auth({
    issuerBaseURL: ISSUER,
    baseURL: `http://localhost:${PORT}`,
    clientID: CLIENT_ID,
    clientSecret: CLIENT_SECRET,
    secret: "a secret key for tests only and long enough",
    authorizationParams: { response_type: "code", scope: "openid email" },
  }),
);
app.get("/", async (request, response) => {
  response.send(`Hello ${(await request.oidc.fetchUserInfo()).email}`);
});
app.listen(PORT);
