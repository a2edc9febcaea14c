/** A checkbox that sends its own state, again if there was no answer, and shows it at once. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

const base = `${url}/api/${user}/tasks`;
const headers = { Authorization: `Bearer ${token}` };

/** Sends a request twice, as after a lost answer, and returns the second answer. */
async function twice(path: string, init: RequestInit): Promise<Task> {
  await fetch(base + path, { headers, ...init });
  const response = await fetch(base + path, { headers, ...init });
  return response.json();
}

// Without a content type: fetch sends text/plain.
const check = (id: number, completed: boolean) =>
  twice(`/${id}/complete`, { method: "PATCH", body: JSON.stringify({ completed }) });

async function listed(query: string): Promise<Task[]> {
  return (await fetch(`${base}?${query}`, { headers })).json();
}

for (const title of ["Sweep", "Cook"]) {
  await fetch(base, {
    method: "POST",
    headers: { ...headers, "Content-Type": "application/json", "Idempotency-Key": title },
    body: JSON.stringify({ title }),
  });
}
const [sweep, cook] = (await listed("completed=")) as [Task, Task];

expect((await check(sweep.id, true)).completed, true, "checked twice");
expect((await check(cook.id, false)).completed, false, "unchecked twice");
expect(titles(await listed("completed=True")), ["Sweep"], "checked");
expect(titles(await listed("completed=False")), ["Cook"], "unchecked");
expect((await check(sweep.id, false)).completed, false, "unchecked again");

for (const { id } of [sweep, cook]) {
  const response = await fetch(`${base}/${id}`, { method: "DELETE", headers });
  expect(await response.text(), "", "remove");
}
expect(await listed("completed="), [], "the rest");
console.log("walked");
