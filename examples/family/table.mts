/** A table whose columns sort on the server, in the words of an ORM. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

class TaskTable {
  constructor(
    private readonly base: string,
    private readonly headers: Record<string, string>,
  ) {}

  async rows(column: keyof Task | "updatedAt", direction: "asc" | "desc", filter = {}) {
    const sort = `${column}:${direction}`;
    const query = new URLSearchParams({ offset: "0", limit: "0", sort, ...filter });
    return (await this.request("GET", `?${query}`)) as Task[];
  }

  async request(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.base + path, {
      method,
      headers: this.headers,
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!response.ok) {
      const { detail } = await response.json();
      throw new Error(typeof detail === "string" ? detail : detail[0].msg);
    }
    return method === "DELETE" ? response.ok : response.json();
  }
}

const table = new TaskTable(`${url}/api/${user}/tasks`, {
  Authorization: `Bearer ${token}`,
  "Content-Type": "application/json; charset=utf-8",
});

const rows: Task[] = [];
for (const title of ["b", "a", "c"]) rows.push((await table.request("POST", "", { title })) as Task);
const [b, a, c] = rows as [Task, Task, Task];

expect(titles(await table.rows("title", "desc")), ["c", "b", "a"], "by title");
await table.request("PATCH", `/${a.id}`, { description: "Edited" });
expect(titles(await table.rows("updatedAt", "desc")).at(0), "a", "the last one edited");
for (let times = 0; times < 2; times++) {
  await table.request("PATCH", `/${b.id}/complete`, { completed: true });
}
expect(titles(await table.rows("id", "asc", { completed: "1" })), ["b"], "completed");
expect(titles(await table.rows("id", "asc", { completed: "no" })), ["a", "c"], "open");

for (const { id } of rows) expect(await table.request("DELETE", `/${id}`), true, "remove");
const message = await table.request("DELETE", `/${c.id}`).catch((error: Error) => error.message);
expect(message, "Task not found", "removed twice");
console.log("walked");
