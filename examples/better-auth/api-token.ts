/** The hand-written route, GET /api/auth/api-token: a token for the API for the signed-in user. */
import type { Auth } from "better-auth";
import { SignJWT } from "jose";
import { signingKey, tokenLifetime } from "./auth";
import { failure } from "./envelope";

/** Signs a token for the user. `sub` is the user id in the API's paths. */
export async function signApiToken(
  user: { id: string; email: string },
  lifetime = tokenLifetime,
): Promise<string> {
  return new SignJWT({ email: user.email })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(user.id)
    .setIssuedAt()
    .setExpirationTime(lifetime)
    .sign(await signingKey());
}

/** Returns the handler. It responds with `{token}`, like the plugin's GET /api/auth/token. */
export function apiToken(auth: Pick<Auth, "api">) {
  return async (request: Request): Promise<Response> => {
    const session = await auth.api.getSession({ headers: request.headers });
    if (!session) return failure(401, "Please sign in.");
    return Response.json(
      { token: await signApiToken(session.user) },
      { headers: { "Cache-Control": "no-store" } },
    );
  };
}
