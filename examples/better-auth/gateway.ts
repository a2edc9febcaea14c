/**
 * One origin for both servers: /api/auth/* goes to AUTH_URL, everything else to API_URL.
 * For `make demo`; in production, use your own proxy or Next.js's rewrites.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as open,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

// Hop-by-hop headers (RFC 9110 §7.6.1).
const hopByHop = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];
// Requests keep Transfer-Encoding: Node applies it, and a body without it could pass for a second
// request. Node itself handles `Expect`; `Forwarded` would contradict X-Forwarded-*.
const dropFromRequest = [...hopByHop, "expect", "forwarded"];
// For responses, Node sets Transfer-Encoding according to the client's HTTP version.
const dropFromResponse = [...hopByHop, "transfer-encoding"];

const { AUTH_URL, API_URL, PORT } = process.env;
// The origins whose pages may read the gateway's own errors, separated by commas.
const origins = (process.env.ALLOWED_ORIGINS ?? "").split(",").map((origin) => origin.trim());
if (!AUTH_URL || !API_URL) {
  console.error("Set AUTH_URL and API_URL to the two servers, such as http://127.0.0.1:3001.");
  process.exit(1);
}

const server = createServer((request, response) => {
  const { url = "/" } = request;
  forward(request, response, url.startsWith("/api/auth/") ? AUTH_URL : API_URL);
});
server.on("error", (error) => {
  console.error(error.message);
  process.exit(1);
});
server.listen(Number(PORT ?? 8000), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`The gateway listens on http://127.0.0.1:${port}`);
});

/** Forwards a request and streams the response back. */
function forward(request: IncomingMessage, response: ServerResponse, target: string): void {
  const { hostname, port } = new URL(target);
  const upstream = open({
    hostname,
    port,
    method: request.method,
    path: request.url,
    headers: {
      ...without(dropFromRequest, request.headers),
      // Overwritten, not appended to: with no proxy in front, a client's own value may be forged.
      "x-forwarded-for": request.socket.remoteAddress ?? "",
      "x-forwarded-proto": "http",
      "x-forwarded-host": request.headers.host ?? "",
    },
    // The server may close a kept-alive connection just as the next request is sent.
    agent: false,
  });
  upstream.on("response", (reply) => {
    const headers = without(dropFromResponse, reply.headers);
    response.writeHead(reply.statusCode ?? 502, reply.statusMessage, headers);
    reply.on("error", () => response.destroy());
    reply.pipe(response);
  });
  upstream.on("error", () => {
    // After the headers, `reply` reports errors: a server may respond to the start of a body, and
    // close the connection while the rest is sent.
    if (!response.headersSent && !response.destroyed) badGateway(request, response);
  });
  // Read the rest of the body, or the connection hangs on the client's next request.
  upstream.on("close", () => request.unpipe(upstream).resume());
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

/** Copies headers without these names and those listed in `Connection`. */
function without(names: string[], headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const listed = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !names.includes(name) && !listed.includes(name)),
  );
}

/**
 * Reports that a server is away, so that a page can read it. A preflight succeeds: otherwise the
 * browser would report a CORS error instead.
 */
function badGateway(request: IncomingMessage, response: ServerResponse): void {
  const { origin, "access-control-request-method": method } = request.headers;
  const isPreflight = request.method === "OPTIONS" && method !== undefined;
  response.setHeader("Cache-Control", "no-store");
  response.setHeader("Vary", "Origin");
  if (origin && origins.includes(origin)) {
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    if (isPreflight) {
      const headers = request.headers["access-control-request-headers"] ?? "";
      response.setHeader("Access-Control-Allow-Methods", method);
      response.setHeader("Access-Control-Allow-Headers", headers);
      response.writeHead(204).end();
      return;
    }
  }
  const error = "The server does not answer. Please try again.";
  response.writeHead(502, { "Content-Type": "application/json" });
  response.end(JSON.stringify({ detail: "Bad Gateway", error }));
}
