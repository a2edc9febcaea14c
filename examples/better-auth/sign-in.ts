/** The front end's three sign-in calls, each through Better Auth's own endpoint. */
import type { Auth } from "better-auth";
import { signApiToken } from "./api-token";
import { failure, success } from "./envelope";

type BetterAuth = Pick<Auth, "handler">;

/** The front end that makes these calls keeps this token, and never renews it. */
const tokenLifetime = process.env.API_TOKEN_LIFETIME || "24h";

/** POST /api/auth/register `{email, username, password}`: creates an account and signs in. */
export function register(auth: BetterAuth) {
  return async (request: Request): Promise<Response> => {
    const { email, username, password } = await fields(request);
    if (!email || !username || !password) {
      return failure(400, "Please give an e-mail address, a user name and a password.");
    }
    const account = { email, password, name: username };
    return signedIn(await forward(auth, request, "sign-up/email", account));
  };
}

/** POST /api/auth/login `{email, password}`: signs in. */
export function login(auth: BetterAuth) {
  return async (request: Request): Promise<Response> => {
    const { email, password } = await fields(request);
    if (!email || !password) {
      return failure(400, "Please give your e-mail address and password.");
    }
    return signedIn(await forward(auth, request, "sign-in/email", { email, password }));
  };
}

/** POST /api/auth/logout: ends the session. Issued tokens remain valid until they expire. */
export function logout(auth: BetterAuth) {
  return async (request: Request): Promise<Response> => {
    const response = await forward(auth, request, "sign-out", {});
    return response.ok ? success(null, headersOf(response)) : failed(response);
  };
}

/** Returns the string fields of a JSON body; an unreadable body has none. */
async function fields(request: Request): Promise<Record<string, string | undefined>> {
  const body: unknown = await request.json().catch(() => null);
  return Object.fromEntries(
    Object.entries(body ?? {}).filter(([, value]) => typeof value === "string"),
  );
}

/**
 * Sends the call through Better Auth's handler, because `auth.api` skips its origin check and its
 * rate limit.
 */
function forward(
  auth: BetterAuth,
  request: Request,
  path: string,
  body: object,
): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set("Content-Type", "application/json");
  headers.delete("Content-Length");
  return auth.handler(
    new Request(new URL(`/api/auth/${path}`, request.url), {
      method: "POST",
      headers,
      body: JSON.stringify(body),
    }),
  );
}

async function signedIn(response: Response): Promise<Response> {
  if (!response.ok) return failed(response);
  const { user, token: sessionToken } = await response.json();
  // No session: the address must be verified first. If it is taken, Better Auth makes up this user.
  const token = sessionToken ? await signApiToken(user, tokenLifetime) : null;
  const { id, email, name: username } = user;
  return success({ user: { id, email, username }, token }, headersOf(response));
}

async function failed(response: Response): Promise<Response> {
  const { message } = await response.json().catch(() => ({}));
  return failure(response.status, sentence(message), headersOf(response));
}

/** Turns "[body.email] Invalid email address" into "Invalid email address." */
function sentence(message?: string): string {
  const text = (message ?? "").replace(/\[body\.\w+\] /g, "").replace(/\.$/, "");
  return text ? `${text}.` : "Something went wrong. Please try again.";
}

/** Returns Better Auth's headers, including cookies, except those that describe the body. */
function headersOf(response: Response): Headers {
  const headers = new Headers(response.headers);
  headers.delete("Content-Type");
  headers.delete("Content-Length");
  return headers;
}
