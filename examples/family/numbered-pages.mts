/** A list with numbered pages, newest first, which sends whole tasks back. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

async function call(method: string, path: string, body?: unknown): Promise<any> {
  const response = await fetch(`${url}/api/${user}/tasks${path}`, {
    method,
    headers: {
      Accept: "application/json",
      Authorization: `Bearer ${token}`,
      ...(body !== undefined && { "Content-Type": "application/json" }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

const page = (number: number, size = 3): Promise<Task[]> =>
  call("GET", `?page=${number}&per_page=${size}&sort=-createdAt&status=all&priority=high`);

const newest = ["G", "F", "E", "D", "C", "B", "A"];
for (const title of [...newest].reverse()) await call("POST", "", { title, tags: [] });

expect(titles(await page(1)), ["G", "F", "E"], "page 1");
expect(titles(await page(2)), ["D", "C", "B"], "page 2");
expect(titles(await page(3)), ["A"], "page 3");
expect(await page(4), [], "after the last page");
expect(titles(await page(1, 100)), newest, "a large page");

const [task] = (await page(1)) as [Task];
const saved: Task = await call("PUT", `/${task.id}`, { ...task, title: "G!", completed: true });
expect([saved.title, saved.completed, saved.id], ["G!", true, task.id], "save");
expect((await call("PATCH", `/${task.id}/complete`)).completed, false, "toggle");

for (const { id } of await page(1, 100)) {
  expect(await call("DELETE", `/${id}`), null, "remove");
}
expect(await page(1), [], "the rest");
console.log("walked");
