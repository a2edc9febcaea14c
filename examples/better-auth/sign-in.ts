/** The front end's three calls, each over Better Auth's own endpoint for it. */
import type { Auth } from "better-auth";
import { signApiToken } from "./api-token";
import { failure, success } from "./envelope";

type BetterAuth = Pick<Auth, "handler">;

/** POST /api/auth/register `{email, username, password}`: a new account, signed in. */
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

/** POST /api/auth/login `{email, password}`. */
export function login(auth: BetterAuth) {
  return async (request: Request): Promise<Response> => {
    const { email, password } = await fields(request);
    if (!email || !password) {
      return failure(400, "Please give your e-mail address and password.");
    }
    return signedIn(await forward(auth, request, "sign-in/email", { email, password }));
  };
}

/** POST /api/auth/logout: ends the session. A token given before stays valid until it expires. */
export function logout(auth: BetterAuth) {
  return async (request: Request): Promise<Response> => {
    const answer = await forward(auth, request, "sign-out", {});
    return answer.ok ? success(null, headersOf(answer)) : refused(answer);
  };
}

/** The text fields of a JSON body. Whatever cannot be read counts as absent. */
async function fields(request: Request): Promise<Record<string, string | undefined>> {
  const body: unknown = await request.json().catch(() => null);
  return Object.fromEntries(
    Object.entries(body ?? {}).filter(([, value]) => typeof value === "string"),
  );
}

/**
 * Sends the call through Better Auth's handler rather than `auth.api`, which would skip its
 * checks on the page's origin and on how often somebody tries.
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

async function signedIn(answer: Response): Promise<Response> {
  if (!answer.ok) return refused(answer);
  const { user, token: sessionToken } = await answer.json();
  // No session: the address must be verified first (and if it is taken, this user is invented).
  const token = sessionToken ? await signApiToken(user) : null;
  const { id, email, name: username } = user;
  return success({ user: { id, email, username }, token }, headersOf(answer));
}

async function refused(answer: Response): Promise<Response> {
  const { message } = await answer.json().catch(() => ({}));
  return failure(answer.status, sentence(message), headersOf(answer));
}

/** Turns "[body.email] Invalid email address" into "Invalid email address." */
function sentence(message?: string): string {
  const text = (message ?? "").replace(/\[body\.\w+\] /g, "").replace(/\.$/, "");
  return text ? `${text}.` : "Something went wrong. Please try again.";
}

/** Better Auth's headers, its cookies among them, without those that describe its body. */
function headersOf(answer: Response): Headers {
  const headers = new Headers(answer.headers);
  headers.delete("Content-Type");
  headers.delete("Content-Length");
  return headers;
}
