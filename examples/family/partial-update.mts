/** A client whose updates are PATCH requests with the changed fields only. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

const base = `${url}/api/${user}/tasks`;
const headers = { authorization: `bearer ${token}`, "content-type": "application/json" };

async function read<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response.json();
}

async function filtered(status_filter: string, sort_by: string, sort_order: string) {
  const query = new URLSearchParams({ status_filter, sort_by, sort_order, search: "" });
  return read<Task[]>(await fetch(`${base}/?${query}`, { headers }));
}

async function create(task: Partial<Task>) {
  const body = JSON.stringify(task);
  return read<Task>(await fetch(`${base}/`, { method: "POST", headers, body }));
}

async function patch(id: number, changes: Partial<Task>, action = "") {
  const body = JSON.stringify(changes);
  return read<Task>(await fetch(`${base}/${id}${action}`, { method: "PATCH", headers, body }));
}

const created: Task[] = [];
for (const title of ["Ada", "Grace", "Mary"]) {
  created.push(await create({ title, description: `About ${title}`, completed: title !== "Mary" }));
}
const [ada, , mary] = created as [Task, Task, Task];

const done = await filtered("done", "title", "desc");
expect(titles(done), ["Grace", "Ada"], "done, by title, descending");
expect(titles(await filtered("incomplete", "created_at", "asc")), ["Mary"], "incomplete");

const changed = await patch(ada.id, { description: null });
expect([changed.title, changed.description], ["Ada", null], "only the sent field");
expect((await patch(mary.id, {}, "/complete")).completed, true, "toggle");

const refused = await fetch(`${base}/${ada.id}`, { method: "PATCH", headers, body: '{"title": ""}' });
expect(refused.status, 422, "an empty title");

for (const { id } of created) {
  const response = await fetch(`${base}/${id}`, { method: "DELETE", headers });
  expect(response.ok, true, "remove");
}
expect(await filtered("all", "id", ""), [], "the rest");
console.log("walked");
