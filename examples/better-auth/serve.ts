/** Serves Better Auth and the extra routes on 127.0.0.1. In an app, Next.js does this. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Auth } from "better-auth";
import { toNodeHandler } from "better-auth/node";
import { apiToken } from "./api-token";
import { failure } from "./envelope";
import { login, logout, register } from "./sign-in";

type Handler = (request: Request) => Response | Promise<Response>;
type Routes = Record<string, Handler>;
type Context = { isTrustedOrigin(origin: string): boolean };
type ServedAuth = Pick<Auth, "api" | "handler"> & { $context: Promise<Context> };

/** Listens on PORT (default 3001; 0 picks a free port) and prints the address. */
export async function serve(auth: ServedAuth, extraRoutes: Routes = {}): Promise<void> {
  if (!process.env.BETTER_AUTH_SECRETS && !process.env.BETTER_AUTH_SECRET) {
    // Better Auth would use a default secret that is published in its source code.
    console.error("Set BETTER_AUTH_SECRET or BETTER_AUTH_SECRETS to the API's secret.");
    process.exit(1);
  }
  const context = await auth.$context;
  const routes: Routes = {
    "GET /api/auth/api-token": apiToken(auth),
    "POST /api/auth/register": register(auth),
    "POST /api/auth/login": login(auth),
    "POST /api/auth/logout": logout(auth),
    ...extraRoutes,
  };
  const handle = toNodeHandler((request: Request) =>
    withCors(context, request, async () => {
      const { pathname } = new URL(request.url);
      const route = routes[`${request.method} ${pathname}`];
      if (route) return route(request);
      if (pathname.startsWith("/api/auth/")) return auth.handler(request);
      return failure(404, "Not found.");
    }),
  );
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => {
      console.error(error);
      response.writeHead(500).end();
    });
  });
  server.listen(Number(process.env.PORT ?? 3001), "127.0.0.1", () => {
    const { port } = server.address() as AddressInfo;
    console.log(`Better Auth listens on http://127.0.0.1:${port}`);
  });
}

/** Lets pages of Better Auth's trusted origins send cookies and read the responses. */
async function withCors(
  context: Context,
  request: Request,
  next: () => Promise<Response>,
): Promise<Response> {
  const origin = request.headers.get("Origin");
  const isPreflight = request.method === "OPTIONS";
  const response = isPreflight ? new Response(null, { status: 204 }) : await next();
  response.headers.append("Vary", "Origin");
  if (origin && context.isTrustedOrigin(origin)) {
    response.headers.set("Access-Control-Allow-Origin", origin);
    response.headers.set("Access-Control-Allow-Credentials", "true");
    if (isPreflight) {
      response.headers.set("Access-Control-Allow-Methods", "GET, POST");
      response.headers.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
    }
  }
  return response;
}
