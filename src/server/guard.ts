/** @file Who may ask: checks of the name, the origin and the token before anything else looks at a request. */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { isIP } from "node:net";
import { Problem } from "./problems.js";

/**
 * Without a token only pages of this server itself, under a name that can only mean this machine, are heard: a page of
 * another site could send requests here, or have its own name lead here. With one, whoever has the token is.
 * @throws Problem
 */
export function guard(request: Request, token: string | undefined): void {
  const { pathname } = new URL(request.url);
  const host = request.headers.get("host") ?? "";
  if (token === undefined && !isLoopbackName(host))
    throw new Problem(
      "misdirected",
      `"${host.slice(0, 100)}" is not this machine: use localhost, or give it a --token`,
    );
  if (isPage(pathname)) return;
  const origin = request.headers.get("origin");
  const site = request.headers.get("sec-fetch-site") ?? "none";
  if ((site !== "none" && site !== "same-origin") || (origin !== null && !isOriginOf(origin, host)))
    throw new Problem("forbidden", "the request comes from a page of another site");
  if (token === undefined || pathname === "/health") return;
  if (!isEqual(givenToken(request), token) && !isEqual(givenCookie(request), cookieValue(token)))
    throw new Problem("unauthorized", "send Authorization: Bearer TOKEN, the one that the server was started with", {
      headers: { "www-authenticate": 'Bearer realm="hocket"' },
    });
}

/** What stands for the token in a browser, where a script cannot read it nor another site have it sent. */
export const sessionCookie = (token: string): string =>
  `${cookieName}=${cookieValue(token)}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${90 * 24 * 3600}`;
export const noSessionCookie = (): string => `${cookieName}=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0`;

/** Whether only this machine can reach a server that listens there. */
export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));

/** For every answer. The last two let pages share memory between threads, as models in the browser need. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "permissions-policy": "microphone=(self), camera=(), geolocation=()",
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** What the studio's pages may load: their own files. Styles may stand in elements, since players draw with them. */
export const pagePolicy = [
  "default-src 'self'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join("; ");
export const dataPolicy = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Pages of the studio hold no secrets: a browser may come to them from anywhere. */
export const isPage = (pathname: string): boolean =>
  !/^\/v1(\/|$)/.test(pathname) && pathname !== "/metrics" && pathname !== "/health";

// --- internal ---

const cookieName = "hocket";

function isLoopbackName(host: string): boolean {
  const [, name] = /^(\[[0-9a-f:.]+\]|[^:]*)(?::\d{1,5})?$/i.exec(host) ?? [];
  return name !== undefined && isLoopback(name.replace(/^\[|\]$/g, "").toLowerCase());
}

function isOriginOf(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

const givenToken = (request: Request): string =>
  /^Bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";

const givenCookie = (request: Request): string =>
  new RegExp(`(?:^|; *)${cookieName}=([0-9a-f]+)(?:;|$)`).exec(request.headers.get("cookie") ?? "")?.[1] ?? "";

const cookieValue = (token: string): string => createHmac("sha256", token).update("hocket session").digest("hex");

/** Takes as long whatever is wrong, and however long it is. */
function isEqual(given: string, right: string): boolean {
  const [a, b] = [given, right].map((text) => createHash("sha256").update(text).digest()) as [Buffer, Buffer];
  return timingSafeEqual(a, b);
}
