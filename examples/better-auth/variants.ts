/**
 * `npm run variants`, for the API's tests only: the same server, configured by TEST_ variables to
 * issue every kind of token that Better Auth supports. The README lists the variables. Each line of
 * standard input, such as `TEST_COOKIE=jwe TEST_BEARER=1`, starts another server.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { type BetterAuthOptions, betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { getMigrations } from "better-auth/db/migration";
import { bearer, type JWKOptions, jwt } from "better-auth/plugins";
import { Pool } from "pg";
import { auth as example, tokenLifetime } from "./auth";
import { serve } from "./serve";

type Strategy = "compact" | "jwe" | "jwt" | undefined;
type Variables = Record<string, string | undefined>;

await start(process.env);
for await (const line of createInterface({ input: process.stdin })) {
  await start(Object.fromEntries(line.split(" ").map((pair) => pair.split(/=(.*)/))));
}

/** Serves the variant with these TEST_ variables; other variables come from the process. */
async function start(env: Variables): Promise<void> {
  const outbox: object[] = [];
  const send = async (mail: { user: { email: string }; url: string; token: string }) => {
    outbox.push({ to: mail.user.email, url: mail.url, token: mail.token });
  };

  const jwksSignsCookie = env.TEST_COOKIE === "jwks";
  const keyPairJwt = () =>
    jwt({
      sessionCookieCache: jwksSignsCookie,
      jwt: { expirationTime: tokenLifetime },
      jwks: { keyPairConfig: { alg: env.TEST_JWT_ALG ?? "EdDSA" } as JWKOptions },
    });

  const options: BetterAuthOptions = {
    ...example.options,
    database: env.TEST_DATABASE_URL
      ? new Pool({ connectionString: env.TEST_DATABASE_URL })
      : memoryAdapter(tablesOf(env.TEST_STATE_FILE)),
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

  if (env.TEST_DATABASE_URL) await (await getMigrations(options)).runMigrations();
  await serve(betterAuth(options), {
    ...(env.TEST_OUTBOX && { "GET /test/outbox": () => Response.json(outbox) }),
  });
}

/** Returns the tables; `stateFile` is read immediately and written when the process ends. */
function tablesOf(stateFile?: string): Record<string, object[]> {
  const tables = stateFile && existsSync(stateFile) ? readTables(stateFile) : emptyTables();
  if (stateFile) {
    for (const signal of ["SIGINT", "SIGTERM"]) {
      process.once(signal, () => {
        writeFileSync(stateFile, JSON.stringify(tables));
        process.exit();
      });
    }
  }
  return tables;
}

function emptyTables(): Record<string, object[]> {
  return { user: [], session: [], account: [], verification: [], jwks: [] };
}

function readTables(path: string): Record<string, object[]> {
  return JSON.parse(readFileSync(path, "utf8"), (key, value) =>
    key.endsWith("At") && typeof value === "string" ? new Date(value) : value,
  );
}
