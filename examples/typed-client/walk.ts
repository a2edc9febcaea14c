// Calls the endpoints, and fails if a response does not match its type:
//   node built/walk.js URL USER TOKEN
import { sentence, tasksOf, type Task } from "./client.js";

const [url = "", user = "", token = ""] = process.argv.slice(2);
const tasks = tasksOf(user, url, token);

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

const body = { title: "Buy groceries", description: null };
const created = await tasks.create(body, crypto.randomUUID());
assert(created.data !== undefined, "create");
const task: Task = created.data;
assert(task.description === null && !task.completed && task.user_id === user, "a new task");

const read = await tasks.read(task.id);
const version = read.response.headers.get("ETag");
assert(read.data?.title === "Buy groceries" && version !== null, "read");

const changed = await tasks.change(task.id, { description: "Milk" }, version);
assert(changed.data?.description === "Milk", "change");

const stale = await tasks.change(task.id, { title: null }, version);
assert(stale.error !== undefined && sentence(stale.error) === "Task has changed", "stale");

assert((await tasks.flip(task.id)).data?.completed === true, "flip");
assert((await tasks.complete(task.id, true)).data?.completed === true, "complete");

const listed: Task[] | undefined = (await tasks.list({ completed: true, limit: 10, page: 1 })).data;
assert(listed?.length === 1, "list");

const invalid = await tasks.create({ title: " " }, crypto.randomUUID());
assert(
  invalid.error !== undefined && sentence(invalid.error).startsWith("Title: ensure"),
  "an error",
);

assert((await tasks.remove(task.id)).response.status === 204, "remove");
assert((await tasks.read(task.id)).error?.error === "Task not found", "a missing task");
console.log("walked");
