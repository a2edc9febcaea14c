// All endpoints, with typed parameters, bodies and responses.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

export type Task = components["schemas"]["Task"];

/** The API for one user. `baseUrl` is the URL of the service; Better Auth signs the `token`. */
export function tasksOf(user_id: string, baseUrl: string, token: string) {
  const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  const one = (task_id: number) => ({ path: { user_id, task_id } });

  return {
    list: (query: { completed?: boolean; search?: string; limit?: number; page?: number } = {}) =>
      api.GET("/api/{user_id}/tasks", { params: { path: { user_id }, query } }),

    create: (body: components["schemas"]["NewTask"], key: string) =>
      api.POST("/api/{user_id}/tasks", {
        params: { path: { user_id }, header: { "Idempotency-Key": key } },
        body,
      }),

    read: (id: number) => api.GET("/api/{user_id}/tasks/{task_id}", { params: one(id) }),

    /** Changes a task unless it has changed since `version`, its ETag, was read. */
    change: (id: number, body: components["schemas"]["TaskChanges"], version: string) =>
      api.PUT("/api/{user_id}/tasks/{task_id}", {
        params: { ...one(id), header: { "If-Match": version } },
        body,
      }),

    flip: (id: number) =>
      api.PATCH("/api/{user_id}/tasks/{task_id}/complete", { params: one(id) }),

    /** Sets the state; unlike a flip, it can be repeated. */
    complete: (id: number, completed: boolean) =>
      api.PATCH("/api/{user_id}/tasks/{task_id}/complete", {
        params: one(id),
        body: { completed },
      }),

    remove: (id: number) => api.DELETE("/api/{user_id}/tasks/{task_id}", { params: one(id) }),
  };
}

/** Returns an error's sentence, which a page can show. */
export function sentence(error: components["schemas"]["Error" | "ValidationError"]): string {
  return error.error;
}
