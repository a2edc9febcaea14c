/** What every client needs to check itself. */

export interface Task {
  id: number;
  user_id: string;
  title: string;
  description: string | null;
  completed: boolean;
  created_at: string;
  updated_at: string;
}

/** The address of the API, the user and the token, from the command line. */
export const [url = "", user = "", token = ""] = process.argv.slice(2);

/** Fails with a message unless two values have the same JSON. */
export function expect(found: unknown, wanted: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  if (left !== right) throw new Error(`${what}: ${left} instead of ${right}`);
}

export const titles = (tasks: Task[]) => tasks.map((task) => task.title);
