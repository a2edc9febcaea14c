/** Deletes the tasks of a deleted account through the API. */
import { setTimeout as sleep } from "node:timers/promises";
import { signApiToken } from "./api-token";

const api = process.env.API_URL || "http://localhost:8000";

type User = { id: string; email: string };

/** For `user.deleteUser.afterDelete`. An error would tell the user that the account remains. */
export async function deleteTasks(user: User): Promise<void> {
  try {
    while (await deletePage(user));
  } catch (error) {
    console.error(`Tasks remain. Run: manage.py cleanup_tasks --user ${user.id} (${error})`);
  }
}

/** Deletes up to 100 tasks, and returns whether there were any. */
async function deletePage(user: User): Promise<boolean> {
  const path = `/api/${encodeURIComponent(user.id)}/tasks`;
  const token = await signApiToken(user); // for each page, because it expires
  const tasks: { id: number }[] = await (await call("GET", `${path}?limit=100`, token)).json();
  for (const { id } of tasks) await call("DELETE", `${path}/${id}`, token);
  return tasks.length > 0;
}

/** Sends a request, up to three times if the API is away or busy. */
async function call(method: string, path: string, token: string, attempt = 1): Promise<Response> {
  const headers = { Authorization: `Bearer ${token}` };
  const signal = AbortSignal.timeout(10_000);
  const response = await fetch(api + path, { method, headers, signal }).catch(() => null);
  const status = response?.status ?? 503;
  // 404: somebody else has deleted it
  if (response && (response.ok || (status === 404 && method === "DELETE"))) return response;
  if (attempt === 3 || ![429, 503].includes(status)) throw new Error(`${method}: ${status}`);
  await sleep(2000);
  return call(method, path, token, attempt + 1);
}
