/** The response bodies of the front end's sign-in calls: `{success, data, error, status}`. */

/** Returns the response to a successful call. `headers` contain Better Auth's cookies. */
export function success(data: unknown, headers?: Headers): Response {
  return envelope(200, { success: true, data, error: null, status: 200 }, headers);
}

/** Returns the response to a failed call. `error` is a sentence that a page can show unchanged. */
export function failure(status: number, error: string, headers?: Headers): Response {
  return envelope(status, { success: false, data: null, error, status }, headers);
}

function envelope(status: number, body: object, headers?: Headers): Response {
  const response = Response.json(body, { status, headers });
  // A cache must not serve one user's token to another.
  response.headers.set("Cache-Control", "no-store");
  return response;
}
