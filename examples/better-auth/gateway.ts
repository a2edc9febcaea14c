/**
 * One origin for both servers: /api/auth/* goes to AUTH_URL, everything else to API_URL.
 * `make demo` uses it; where you deploy, your own proxy or Next.js's rewrites do this.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request as open,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

// What concerns one connection only (RFC 9110 §7.6.1), and is the next one's own business.
const oneConnection = ["connection", "keep-alive", "proxy-connection", "te", "trailer", "upgrade"];
// Transfer-Encoding stays in a request: Node applies it, and a body that is sent on without it
// could pass for a second request. `Expect` is answered here; `Forwarded` would contradict us.
const notSentOn = [...oneConnection, "expect", "forwarded"];
// In an answer Node chooses, by the client's version of HTTP.
const notSentBack = [...oneConnection, "transfer-encoding"];

const { AUTH_URL, API_URL, PORT } = process.env;
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

/** Sends a request on and streams the answer back. */
function forward(request: IncomingMessage, response: ServerResponse, target: string): void {
  const { hostname, port } = new URL(target);
  const upstream = open({
    hostname,
    port,
    method: request.method,
    path: request.url,
    headers: {
      ...without(notSentOn, request.headers),
      // Set, not appended to: nobody stands in front, so what a client says here is made up.
      "x-forwarded-for": request.socket.remoteAddress ?? "",
      "x-forwarded-proto": "http",
      "x-forwarded-host": request.headers.host ?? "",
    },
    // A kept connection may be closed by the other side just when the next request is sent.
    agent: false,
  });
  upstream.on("response", (answer) => {
    const headers = without(notSentBack, answer.headers);
    response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers);
    answer.on("error", () => response.destroy());
    answer.pipe(response);
  });
  upstream.on("error", () => {
    // After the headers it is `answer` that tells whether the rest arrived: a server may refuse a
    // body by its first bytes and hang up on the others.
    if (!response.headersSent && !response.destroyed) badGateway(response);
  });
  // What a client still sends to nobody must be read, or its connection hangs at the next request.
  upstream.on("close", () => request.unpipe(upstream).resume());
  response.on("close", () => upstream.destroy());
  request.pipe(upstream);
}

/** Copies headers without those that are named here or in `Connection`. */
function without(names: string[], headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const listed = (headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !names.includes(name) && !listed.includes(name)),
  );
}

function badGateway(response: ServerResponse): void {
  const error = "The server does not answer. Please try again.";
  response.writeHead(502, { "Content-Type": "application/json", "Cache-Control": "no-store" });
  response.end(JSON.stringify({ detail: "Bad Gateway", error }));
}
