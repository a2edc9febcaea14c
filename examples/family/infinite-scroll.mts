/** A list that loads the next tasks when the user reaches its end. */
import { expect, type Task, titles, token, url, user } from "./expect.mjs";

const base = `${url}/api/${user}/tasks`;
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
const size = 10;

async function* scroll(options = ""): AsyncGenerator<Task[]> {
  for (let skip = 0; ; skip += size) {
    const response = await fetch(`${base}?skip=${skip}&limit=${size}${options}`, { headers });
    const tasks: Task[] = await response.json();
    yield tasks;
    if (tasks.length < size) return;
  }
}

async function all(options = ""): Promise<Task[][]> {
  const pages: Task[][] = [];
  for await (const page of scroll(options)) pages.push(page);
  return pages;
}

const wanted = Array.from({ length: 23 }, (_, number) => `Task ${String(number).padStart(2, "0")}`);
for (const title of wanted) {
  const body = JSON.stringify({ title });
  expect((await fetch(base, { method: "POST", headers, body })).status, 201, "create");
}

const pages = await all();
expect(pages.map((page) => page.length), [10, 10, 3], "the pages");
expect(titles(pages.flat()), wanted, "every task once");
expect(titles((await all("&sort=title&order=desc")).flat()), [...wanted].reverse(), "descending");
expect((await all("&search=task 2")).flat().length, 5, "found");

const [first] = pages.flat() as [Task];
const put = { method: "PUT", headers, body: JSON.stringify({ title: "Changed" }) };
expect((await (await fetch(`${base}/${first.id}`, put)).json()).title, "Changed", "update");
const flip = { method: "PATCH", headers, body: "{}" };
const flipped = await fetch(`${base}/${first.id}/complete`, flip);
expect((await flipped.json()).completed, true, "toggle");

for (const { id } of pages.flat()) {
  expect((await fetch(`${base}/${id}`, { method: "DELETE", headers })).status, 204, "remove");
}
expect(await all(), [[]], "the rest");
console.log("walked");
