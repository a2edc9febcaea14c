/** Calls the API from a page, and gets a new token when the old one has expired. */

/** Returns a function that sends a request with the current token to the API at a base URL. */
export function caller(api: string, token: string) {
  return call;

  async function call(path: string, init: RequestInit = {}, isRetry = false): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${token}`);
    const answer = await fetch(api + path, { ...init, headers });
    if (answer.status !== 401 || isRetry) return answer;
    const renewed = await fetch("/api/auth/api-token");
    if (!renewed.ok) return answer; // the session has ended too
    token = (await renewed.json()).token;
    return call(path, init, true);
  }
}
