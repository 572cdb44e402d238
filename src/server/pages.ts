/** @file The studio's files. They are listed once, at the start: a request picks one by its address, and names no path. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
import { pagePolicy } from "./guard.js";
import { Problem } from "./problems.js";

export class Pages {
  readonly #files = new Map<string, Page>();

  /** @param folder of the built studio; where there is none, a page says so */
  static async open(folder: string | undefined): Promise<Pages> {
    const pages = new Pages();
    const found =
      folder === undefined ? [] : await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
    for (const entry of found.filter((each) => each.isFile())) {
      const path = join(entry.parentPath, entry.name);
      pages.#files.set(`/${path.slice(folder!.length).replaceAll("\\", "/").replace(/^\/+/, "")}`, new Page(path));
    }
    return pages;
  }

  /** @throws Problem where there is no such page */
  async answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (request.method !== "GET" && request.method !== "HEAD")
      throw new Problem("method-not-allowed", "a page can only be read", { headers: { allow: "GET, HEAD" } });
    const page = this.#files.get(pathname === "/" ? "/index.html" : pathname);
    if (page !== undefined) return page.answer(request, pathname);
    if (pathname !== "/") throw new Problem("not-found", "there is no such page");
    const headers = { "content-type": "text/html; charset=utf-8", "content-security-policy": pagePolicy };
    return new Response(unbuilt, { headers });
  }
}

// --- internal ---

class Page {
  #bytes: Promise<Uint8Array> | undefined;
  #small: Promise<Uint8Array> | undefined;

  constructor(readonly path: string) {}

  async answer(request: Request, pathname: string): Promise<Response> {
    this.#bytes ??= readFile(this.path);
    const type = types[/\.\w+$/.exec(this.path)?.[0] ?? ""] ?? "application/octet-stream";
    const headers: Record<string, string> = {
      "content-type": type,
      // The build puts a hash of what is in it into the name of each file of assets/.
      "cache-control": pathname.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
      "content-security-policy": pagePolicy,
      vary: "accept-encoding",
    };
    let bytes = await this.#bytes;
    if (/text|script|json|svg|wasm/.test(type) && /\bbr\b/.test(request.headers.get("accept-encoding") ?? "")) {
      this.#small ??= compress(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } });
      bytes = await this.#small;
      headers["content-encoding"] = "br";
    }
    return new Response(request.method === "HEAD" ? null : new Uint8Array(bytes), {
      headers: { ...headers, "content-length": `${bytes.length}` },
    });
  }
}

const compress = promisify(brotliCompress);

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".txt": "text/plain; charset=utf-8",
  ".wav": "audio/wav",
  ".mp3": "audio/mpeg",
};

const unbuilt = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Hocket</title>
<p>The studio is not built. The API is here: <a href="/v1/openapi.json">/v1/openapi.json</a>.</p>
</html>
`;
