/** The Better Auth instance, and the secret that signs the API's tokens. */
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { jwt } from "better-auth/plugins";
import { SignJWT } from "jose";
import { deleteTasks } from "./delete-tasks";

const baseURL = process.env.BETTER_AUTH_URL || "http://localhost:3000";

/** The lifetime of a token for the API, in jose's notation. A token cannot be revoked earlier. */
export const tokenLifetime = process.env.API_TOKEN_LIFETIME || "15m";

/** The key that the API verifies tokens with: the UTF-8 bytes of the secret. */
export async function signingKey(): Promise<Uint8Array> {
  // Let Better Auth parse BETTER_AUTH_SECRETS and BETTER_AUTH_SECRET: a second parser
  // could disagree with it, and the API would then reject every token.
  const { secret } = await auth.$context;
  return new TextEncoder().encode(secret);
}

export const auth = betterAuth({
  baseURL,
  // The users are lost when the process ends. An app puts its database here, for example
  // `new Pool({ connectionString: process.env.DATABASE_URL })` from "pg".
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  // POST /api/auth/delete-user `{password}`
  user: { deleteUser: { enabled: true, afterDelete: deleteTasks } },
  plugins: [
    // GET /api/auth/token. Without `sign`, the plugin signs with EdDSA and its own key pair.
    jwt({
      jwt: {
        expirationTime: tokenLifetime,
        sign: async (claims) =>
          new SignJWT(claims)
            .setProtectedHeader({ alg: "HS256", typ: "JWT" })
            .sign(await signingKey()),
      },
      // Better Auth requires both with `sign`. Neither is used: HS256 has no public key.
      jwks: { remoteUrl: `${baseURL}/api/auth/jwks`, keyPairConfig: { alg: "EdDSA" } },
    }),
  ],
});
