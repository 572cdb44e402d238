/** @file Every request's way: checked, counted, led to its handler, and answered, with a problem if need be. */

import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { dataPolicy, guard, isPage, securityHeaders } from "./guard.js";
import { type Context, handlersFor } from "./handlers.js";
import { type Operation, type OperationId, operationsFor } from "./operations.js";
import type { Pages } from "./pages.js";
import { Problem } from "./problems.js";

export interface AppOptions extends Context {
  readonly pages: Pages;
  readonly now?: () => number;
}

export function createApp({ pages, now = () => performance.now(), ...context }: AppOptions) {
  const { desk, metrics, token } = context;
  const { limits, log } = desk.options;
  const app = new Hono<{ Bindings: HttpBindings; Variables: { operation: string } }>();

  app.use(async (c, next) => {
    const began = now();
    await next();
    for (const [name, value] of Object.entries(securityHeaders)) c.res.headers.set(name, value);
    if (!c.res.headers.has("content-security-policy")) c.res.headers.set("content-security-policy", dataPolicy);
    metrics.answered(c.get("operation") ?? "none", c.res.status, (now() - began) / 1000);
  });
  app.use(async (c, next) => {
    guard(c.req.raw, token);
    await next();
  });
  app.onError((error) => {
    const problem = Problem.of(error);
    if (problem.status >= 500 && problem.kind !== "stopping") log(`a request failed: ${said(error)}`);
    return problem.toResponse();
  });

  const handlers = handlersFor(context);
  const allowed = new Map<string, string[]>();
  for (const [id, { method, path }] of Object.entries(operationsFor(limits)) as [OperationId, Operation][]) {
    const route = path.replace(/\{(\w+)\}/g, ":$1");
    allowed.set(route, [
      ...(allowed.get(route) ?? []),
      ...(method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]),
    ]);
    app.on(method.toUpperCase(), route, (c) => {
      c.set("operation", id);
      return handlers[id]({
        request: c.req.raw,
        cut: () => c.env.outgoing.destroy(),
        query: c.req.query(),
        id: c.req.param("id") ?? "",
        client: clientOf(c.req.raw, c.env.incoming.socket.remoteAddress),
      });
    });
  }
  for (const [route, methods] of allowed)
    app.all(route, () => {
      const allow = methods.join(", ");
      throw new Problem("method-not-allowed", `this takes ${allow}`, { headers: { allow } });
    });
  app.all("*", (c) => {
    if (isPage(c.req.path)) return pages.answer(c.req.raw);
    throw new Problem("not-found", "there is nothing of this name; /v1/openapi.json lists what there is");
  });
  return app;
}

// --- internal ---

/** A client may name itself, so that several people behind one address take turns too. */
function clientOf(request: Request, address: string | undefined): string {
  const named = request.headers.get("x-client-id") ?? "";
  return /^[\w.-]{1,64}$/.test(named) ? named : (address ?? "unknown");
}

const said = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
