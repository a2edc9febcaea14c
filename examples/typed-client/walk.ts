// Walks through the six endpoints, and fails where an answer is not what its type promises:
//   node built/walk.js ADDRESS USER TOKEN
import { sentence, tasksOf, type Task } from "./client.js";

const [address = "", user = "", token = ""] = process.argv.slice(2);
const tasks = tasksOf(user, address, token);

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const created = await tasks.create({ title: "Buy groceries", description: null }, crypto.randomUUID());
must(created.data !== undefined, "create");
const task: Task = created.data;
must(task.description === null && !task.completed && task.user_id === user, "a new task");

const read = await tasks.read(task.id);
const version = read.response.headers.get("ETag");
must(read.data?.title === "Buy groceries" && version !== null, "read");

const changed = await tasks.change(task.id, { description: "Milk" }, version);
must(changed.data?.description === "Milk", "change");

const stale = await tasks.change(task.id, { title: null }, version);
must(stale.error !== undefined && sentence(stale.error) === "Task has changed", "stale");

must((await tasks.flip(task.id)).data?.completed === true, "flip");

const listed: Task[] | undefined = (await tasks.list({ completed: true, limit: 10 })).data;
must(listed?.length === 1, "list");

const refused = await tasks.create({ title: " " }, crypto.randomUUID());
must(
  refused.error !== undefined && sentence(refused.error).startsWith("Title: ensure"),
  "a refusal",
);

must((await tasks.remove(task.id)).response.status === 204, "remove");
must((await tasks.read(task.id)).error?.error === "Task not found", "a missing task");
console.log("walked");
