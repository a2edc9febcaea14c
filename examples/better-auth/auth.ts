/** The Better Auth instance, and the secret that signs the API's tokens. */
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { jwt } from "better-auth/plugins";
import { SignJWT } from "jose";

const baseURL = process.env.BETTER_AUTH_URL || "http://localhost:3000";

/** How long a token for the API is valid, in jose's notation. Nothing ends it earlier. */
export const tokenLifetime = process.env.API_TOKEN_LIFETIME || "15m";

/** The key that the API checks tokens with: the secret's UTF-8 bytes, as they are. */
export async function signingKey(): Promise<Uint8Array> {
  // Better Auth's own reading of BETTER_AUTH_SECRETS and BETTER_AUTH_SECRET: a second
  // reading of them here would some day disagree, and the API would refuse every token.
  const { secret } = await auth.$context;
  return new TextEncoder().encode(secret);
}

export const auth = betterAuth({
  baseURL,
  // Forgets everybody when the process ends. An app puts its database here, for example
  // `new Pool({ connectionString: process.env.DATABASE_URL })` from "pg".
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  plugins: [
    // GET /api/auth/token. Without `sign` the plugin signs EdDSA with a key pair of its own.
    jwt({
      jwt: {
        expirationTime: tokenLifetime,
        sign: async (claims) =>
          new SignJWT(claims)
            .setProtectedHeader({ alg: "HS256", typ: "JWT" })
            .sign(await signingKey()),
      },
      // Better Auth refuses `sign` without these two. Neither is used: HS256 has no public key.
      jwks: { remoteUrl: `${baseURL}/api/auth/jwks`, keyPairConfig: { alg: "EdDSA" } },
    }),
  ],
});
