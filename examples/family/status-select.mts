/** A list with a select box for the state and one for the order. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

async function send<T>(method: string, path = "", body?: object): Promise<T> {
  const response = await fetch(`${url}/api/${user}/tasks${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (response.status === 204) return undefined as T;
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error ?? answer.detail);
  return answer;
}

type Status = "all" | "pending" | "completed";

const tasks = {
  list: (status: Status = "all", sort: "created" | "title" = "created") =>
    send<Task[]>("GET", `?status=${status}&sort=${sort}`),
  create: (title: string) => send<Task>("POST", "", { title }),
  update: (id: number, title: string) => send<Task>("PUT", `/${id}`, { title }),
  toggle: (id: number) => send<Task>("PATCH", `/${id}/complete`),
  remove: (id: number) => send<undefined>("DELETE", `/${id}`),
};

const milk = await tasks.create("Milk");
const bread = await tasks.create("Bread");

expect((await tasks.toggle(milk.id)).completed, true, "toggle");
expect(titles(await tasks.list()), ["Milk", "Bread"], "all");
expect(titles(await tasks.list("all", "title")), ["Bread", "Milk"], "by title");
expect(titles(await tasks.list("completed")), ["Milk"], "completed");
expect(titles(await tasks.list("pending")), ["Bread"], "pending");
expect((await tasks.toggle(milk.id)).completed, false, "toggle back");
expect((await tasks.update(bread.id, "Rye bread")).title, "Rye bread", "update");

for (const task of await tasks.list()) expect(await tasks.remove(task.id), undefined, "remove");
expect(await tasks.list(), [], "the rest");
console.log("walked");
