// Stands in for Next.js: the files of docs/integrate/nextjs.md run in a plain server. Auth.js itself
// (@auth/core, which next-auth wraps) does all that is tested.
import { createServer } from "node:http";
import { Auth } from "@auth/core";

const { APP_URL, PORT, AUTH_SECRET } = process.env;

export default (config) => {
  const whole = { ...config, basePath: "/api/auth", secret: AUTH_SECRET, trustHost: true };
  const answer = (request) => Auth(request, whole);
  return { handlers: { GET: answer, POST: answer } };
};

export function serve(route) {
  createServer(async (incoming, outgoing) => {
    const { method, headers } = incoming;
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = method === "POST" ? Buffer.concat(chunks) : undefined;
    const given = Object.entries(headers).map(([name, value]) => [name, String(value)]);
    const request = new Request(new URL(incoming.url, APP_URL), { method, headers: given, body });
    const response = await route[method](request);
    outgoing.writeHead(response.status, [...response.headers].flat());
    outgoing.end(Buffer.from(await response.arrayBuffer()));
  }).listen(PORT);
}
