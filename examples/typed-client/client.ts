// All six endpoints, each with the types of its parameters, bodies and answers.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

export type Task = components["schemas"]["Task"];

/** The API as one user sees it. `baseUrl` is the service's address, `token` what Better Auth signed. */
export function tasksOf(user_id: string, baseUrl: string, token: string) {
  const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${token}` } });
  const one = (task_id: number) => ({ path: { user_id, task_id } });

  return {
    list: (query: { completed?: boolean; search?: string; limit?: number } = {}) =>
      api.GET("/api/{user_id}/tasks", { params: { path: { user_id }, query } }),

    create: (body: components["schemas"]["NewTask"], key: string) =>
      api.POST("/api/{user_id}/tasks", {
        params: { path: { user_id }, header: { "Idempotency-Key": key } },
        body,
      }),

    read: (id: number) => api.GET("/api/{user_id}/tasks/{task_id}", { params: one(id) }),

    /** Changes a task unless somebody else has, since `version`, its ETag, was read. */
    change: (id: number, body: components["schemas"]["TaskChanges"], version: string) =>
      api.PUT("/api/{user_id}/tasks/{task_id}", {
        params: { ...one(id), header: { "If-Match": version } },
        body,
      }),

    flip: (id: number) =>
      api.PATCH("/api/{user_id}/tasks/{task_id}/complete", { params: one(id) }),

    remove: (id: number) => api.DELETE("/api/{user_id}/tasks/{task_id}", { params: one(id) }),
  };
}

/** What a page shows of a refusal, whichever it is. */
export function sentence(error: components["schemas"]["Error" | "ValidationError"]): string {
  return error.error;
}
