/**
 * `npm run variants`, for the API's tests only: the same server, made by TEST_ variables to
 * produce every kind of token that Better Auth can produce. The README lists them.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { bearer, type JWKOptions, jwt } from "better-auth/plugins";
import { auth as example, tokenLifetime } from "./auth";
import { serve } from "./serve";

type Strategy = "compact" | "jwe" | "jwt" | undefined;

const { env } = process;
const stateFile = env.TEST_STATE_FILE;
const jwksSignsCookie = env.TEST_COOKIE === "jwks";

const tables = stateFile && existsSync(stateFile) ? readTables(stateFile) : emptyTables();
if (stateFile) {
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => {
      writeFileSync(stateFile, JSON.stringify(tables));
      process.exit();
    });
  }
}

const outbox: object[] = [];
const send = async (mail: { user: { email: string }; url: string; token: string }) => {
  outbox.push({ to: mail.user.email, url: mail.url, token: mail.token });
};

const keyPairJwt = () =>
  jwt({
    sessionCookieCache: jwksSignsCookie,
    jwt: { expirationTime: tokenLifetime },
    jwks: { keyPairConfig: { alg: env.TEST_JWT_ALG ?? "EdDSA" } as JWKOptions },
  });

const options: BetterAuthOptions = {
  ...example.options,
  database: memoryAdapter(tables),
  plugins: [
    ...(env.TEST_JWT_ALG || jwksSignsCookie ? [keyPairJwt()] : example.options.plugins),
    ...(env.TEST_BEARER ? [bearer()] : []),
  ],
  session: {
    cookieCache: {
      enabled: Boolean(env.TEST_COOKIE),
      strategy: (jwksSignsCookie ? "jwt" : env.TEST_COOKIE) as Strategy,
      maxAge: Number(env.TEST_COOKIE_SECONDS ?? 300),
    },
  },
  advanced: { database: { generateId: env.TEST_USER_ID as "serial" | "uuid" | undefined } },
  ...(env.TEST_OUTBOX && {
    emailVerification: { sendOnSignUp: true, sendVerificationEmail: send },
    user: { changeEmail: { enabled: true, sendChangeEmailConfirmation: send } },
  }),
};

await serve(betterAuth(options), {
  ...(env.TEST_OUTBOX && { "GET /test/outbox": () => Response.json(outbox) }),
});

function emptyTables(): Record<string, object[]> {
  return { user: [], session: [], account: [], verification: [], jwks: [] };
}

function readTables(path: string): Record<string, object[]> {
  return JSON.parse(readFileSync(path, "utf8"), (key, value) =>
    key.endsWith("At") && typeof value === "string" ? new Date(value) : value,
  );
}
