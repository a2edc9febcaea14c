/** The answers to the front end's sign-in calls: `{success, data, error, status}`. */

/** What was asked for. `headers` carry Better Auth's cookies. */
export function success(data: unknown, headers?: Headers): Response {
  return answer(200, { success: true, data, error: null, status: 200 }, headers);
}

/** Why not: `error` is a sentence that a page can show as it is. */
export function failure(status: number, error: string, headers?: Headers): Response {
  return answer(status, { success: false, data: null, error, status }, headers);
}

function answer(status: number, body: object, headers?: Headers): Response {
  const response = Response.json(body, { status, headers });
  // A cache that kept a token would hand it to the next person.
  response.headers.set("Cache-Control", "no-store");
  return response;
}
