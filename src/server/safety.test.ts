import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request as rawRequest } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { repositoryFile } from "../../test/golden.js";
import { type Serving, serving } from "../../test/serving.js";
import { encodeAudio } from "../audio/encode.js";
import { writeWav } from "../audio/write-wav.js";
import { fileName } from "./audio.js";
import { guard } from "./guard.js";
import { type Generation, type ProblemBody, usualLimits } from "./wire.js";

const s = await serving({ limits: { uploadBytes: 300_000, uploadSeconds: 5, waitingOfOne: 2, waiting: 3 } });

/** It is refused with this status and a problem that says `detail`, of `field` if that is said; and the server is well. */
async function refused(response: Promise<Response>, status: number, detail: RegExp, field?: string): Promise<void> {
  const answer = await response;
  const text = await answer.text();
  assert.equal(answer.status, status, text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  const problem = JSON.parse(text) as ProblemBody;
  assert.match(problem.type, /^urn:hocket:problem:[a-z-]+$/);
  assert.equal(problem.status, status);
  assert.match(problem.detail, detail);
  assert.doesNotMatch(problem.detail, /\n/);
  if (field !== undefined) assert.equal(problem.field, field, text);
}
const post = (body: unknown, headers: Record<string, string> = {}) => s.ask("POST", "/v1/generations", body, headers);
const made = async (response: Promise<Response>) => (await (await response).json()) as Generation;
const piece = { prompt: "piano", duration: 0.2 };
const form = (fields: Record<string, string | Blob>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value as string);
  return fetch(`${s.url}/v1/generations`, { method: "POST", body: form });
};
const tone = (seconds: number, rate = 16000) =>
  writeWav(
    { sampleRate: rate, channels: [Float32Array.from({ length: seconds * rate }, (_, n) => Math.sin(n / 20) / 4)] },
    { bits: 16 },
  );
const blob = (bytes: Uint8Array) => new Blob([bytes as never]);

test("every field that cannot be is named, with what it may be", async () => {
  for (const [body, detail, field] of [
    [{ ...piece, prompt: undefined }, /prompt: say what it should sound like/, "prompt"],
    [{ ...piece, prompt: 7 }, /prompt: 7 is not a string/, "prompt"],
    [{ ...piece, prompt: "x".repeat(20_001) }, /prompt: the text is too long: give at most 20000 characters/, "prompt"],
    [{ ...piece, prompt: [] }, /prompt: the list is empty/, "prompt"],
    [{ ...piece, duration: 0 }, /duration: 0 is too little/, "duration"],
    [{ ...piece, duration: 301 }, /duration: 301 is too much: give at most 300/, "duration"],
    [{ ...piece, duration: "8" }, /duration: "8" is not a number/, "duration"],
    [{ ...piece, duration: 1e-9 }, /shorter than one frame/],
    [{ ...piece, seed: -1 }, /seed: -1 is too little/, "seed"],
    [{ ...piece, seed: 0.5 }, /seed: 0.5 is not a whole number/, "seed"],
    [{ ...piece, seed: [1, 2, 3] }, /3 seeds for 1 pieces/],
    [{ ...piece, temperature: Number.POSITIVE_INFINITY }, /temperature: null is not a number/, "temperature"],
    [{ ...piece, top_p: 2 }, /top_p: 2 is too much/, "top_p"],
    [{ ...piece, top_k: 100_000 }, /a top-k of 100000 is more than the 512 codes/],
    [{ ...piece, variations: 17 }, /variations: 17 is too much/, "variations"],
    [{ ...piece, prompt: ["a", "b"], variations: 16 }, /32 pieces, and at most 16/, "variations"],
    [{ ...piece, stride: 9 }, /a stride of 9 s leaves nothing/],
    [{ ...piece, guidance_scale: 3 }, /guidance_scale: it is called guidance here/, "guidance_scale"],
    [{ ...piece, cfg_coef: 3 }, /it is called guidance here/, "cfg_coef"],
    [{ ...piece, colour: "red" }, /colour: there is no colour/, "colour"],
    [{ ...piece, __proto__: { a: 1 }, constructor: 1 }, /constructor: there is no constructor/, "constructor"],
    [{ ...piece, model: "facebook/none" }, /model: facebook\/none is not on this machine/, "model"],
    [{ ...piece, model: "../../etc" }, /is not on this machine/, "model"],
    [{ ...piece, model: repositoryFile("models/mini-reference") }, /is not on this machine/, "model"],
    [{ ...piece, parent: "0".repeat(32) }, /there is no generation/, "parent"],
    [{ ...piece, parent: "../x" }, /parent: /, "parent"],
    [{ ...piece, relation: "uncle" }, /relation: /, "relation"],
    [{ ...piece, tags: [""] }, /tags.0: /, "tags.0"],
    [{ ...piece, title: "x".repeat(201) }, /title: /, "title"],
    [{ ...piece, continue: { generation: "0".repeat(32) } }, /continue: there is no generation/, "continue"],
    [
      { ...piece, continue: "http://localhost/x.wav" },
      /continue: "http:\/\/localhost\/x.wav" is not an object/,
      "continue",
    ],
    [[], /is not an object/],
    [null, /is not an object/],
  ] as const)
    await refused(post(body), 400, detail, field);
  assert.equal((await s.client.list()).data.length, 0, "nothing was made of any of it");
});

test("bodies of the wrong kind, broken or too large are refused", async () => {
  await refused(post("{", { "content-type": "application/json" }), 400, /not JSON/);
  await refused(post("x", { "content-type": "text/plain" }), 415, /application\/json/);
  await refused(post("x"), 415, /application\/json/);
  await refused(
    post(`"${"x".repeat(2 ** 20)}"`, { "content-type": "application/json" }),
    413,
    /larger than 1048576 bytes/,
  );
  await refused(post("x", { "content-type": "multipart/form-data" }), 400, /not multipart/);
  await refused(post("--a\r\n\r\n", { "content-type": "multipart/form-data; boundary=a" }), 400, /not multipart/);
  await refused(form({ prompt: "x", duration: "soon" }), 400, /duration: "soon" is not a number/, "duration");
  await refused(
    form({ prompt: "x", song: blob(tone(1)) }),
    400,
    /the files of a request are melody and continue/,
    "song",
  );
  await refused(form({ prompt: "x", melody: blob(tone(1)) }), 400, /no melody input/);
  await refused(
    form({ prompt: "x", duration: "1", continue: blob(tone(1)) }),
    400,
    /it lasts 1 s and the piece/,
    "continue",
  );
  await refused(form({ prompt: "x", continue: blob(new Uint8Array(0)) }), 422, /the file is empty/, "continue");
  await refused(
    form({ prompt: "x", continue: blob(new TextEncoder().encode("hello there")) }),
    422,
    /it is a text file/,
    "continue",
  );
  await refused(
    form({ prompt: "x", continue: blob(new Uint8Array(gzipSync("x".repeat(1000)))) }),
    422,
    /unknown format|a gzip/,
    "continue",
  );
  await refused(form({ prompt: "x", continue: blob(tone(1).slice(0, 1000)) }), 422, /cut short/, "continue");
  await refused(form({ prompt: "x", continue: blob(tone(6)) }), 400, /lasts 6.0 s, and at most 5 s/, "continue");
  await refused(form({ prompt: "x", continue: blob(tone(5, 48000)) }), 413, /larger than 300000 bytes/);
  const chunked = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
  });
  const endless = fetch(`${s.url}/v1/codec/encode`, {
    method: "POST",
    body: chunked,
    duplex: "half",
    headers: { "content-type": "audio/wav" },
  } as never);
  await endless.then(
    (response) => refused(Promise.resolve(response), 413, /larger than/),
    () => {}, // the line was cut before the answer was read
  );
  assert.equal((await s.ask("GET", "/health")).status, 200);
});

test("silence that unpacks to a thousand times its size is refused, in bounded memory", async () => {
  const silence = { sampleRate: 8000, channels: [new Float32Array(8000 * 3600)] };
  const flac = await encodeAudio(silence, { format: "flac" });
  assert.ok(flac.length < 300_000, `${flac.length}`);
  await refused(form({ prompt: "x", continue: blob(flac) }), 400, /lasts 3600.0 s, and at most 5 s/, "continue");
});

test("what is not there, not yet there, or not done like this has its status", async () => {
  const none = "0".repeat(32);
  for (const path of ["", "/events", "/audio.wav", "/audio.flac", "/codes"])
    await refused(s.ask("GET", `/v1/generations/${none}${path}`), 404, /there is no generation/);
  for (const id of ["x", "%2e%2e%2f%2e%2e", "..%2f..", "a".repeat(5000)])
    await refused(s.ask("GET", `/v1/generations/${id}/audio.wav`), 404, /there is no/);
  await refused(s.ask("GET", "/v2/x"), 404, /no such page/);
  await refused(s.ask("GET", "/v1/x"), 404, /nothing of this name/);
  await refused(s.ask("GET", "/../../package.json"), 404, /no such page/);
  const put = await s.ask("PUT", "/v1/generations", piece);
  assert.equal(put.headers.get("allow"), "POST, GET, HEAD");
  await refused(Promise.resolve(put), 405, /this takes/);
  const { id } = await s.client.create(piece);
  await s.client.finished(id);
  await refused(s.ask("GET", `/v1/generations/${id}/audio.wav?piece=1`), 404, /has 1 pieces/);
  await refused(s.ask("GET", `/v1/generations/${id}/audio.wav?piece=-1`), 400, /piece: /, "piece");
  await refused(s.ask("GET", `/v1/generations/${id}/audio.mp3?bits=24`), 400, /mp3 has no bit depth/, "bits");
  await refused(s.ask("GET", `/v1/generations/${id}/audio.wav?loudness=11`), 400, /loudness: /, "loudness");
  await refused(s.ask("PATCH", `/v1/generations/${id}`, { state: "done" }), 400, /there is no state/, "state");
  await refused(s.ask("GET", "/v1/generations?limit=0"), 400, /limit: /, "limit");
  await refused(s.ask("GET", "/v1/generations?cursor=x'--"), 400, /cursor: /, "cursor");
  const codec = (path: string, body: string) =>
    s.ask("POST", path, body, { "content-type": "application/octet-stream" });
  await refused(codec("/v1/codec/decode", "no codes"), 422, /the codes/);
  await refused(codec("/v1/codec/encode", "no sound"), 422, /text file/);
  await refused(codec("/v1/codec/encode?bandwidth=77", ""), 422, /empty/);
  await refused(codec("/v1/codec/decode?model=x", ""), 400, /x is not on this machine/, "model");
});

test("a full queue answers 429 and when to come back, clients take turns, and each piece is its own", async () => {
  const order = (client: string, duration: number, seed: number) =>
    post({ prompt: "long", duration, seed }, { "x-client-id": client });
  const running = await made(order("a", 6, 0));
  for await (const event of s.client.events(running.id)) if (event.type === "codes") break;
  const waiting: Record<string, string> = {};
  for (const [name, duration] of [
    ["a1", 0.2],
    ["a2", 0.22],
    ["b1", 0.24],
  ] as const)
    waiting[name] = (await made(order(name[0]!, duration, 1))).id;
  const full = await order("a", 0.2, 2);
  assert.match(full.headers.get("retry-after")!, /^\d+$/);
  await refused(Promise.resolve(full), 429, /2 of your generations are waiting/);
  await refused(order("c", 0.2, 2), 429, /3 generations are waiting/);
  const positions = await Promise.all(
    ["a1", "b1", "a2"].map(async (name) => (await s.client.get(waiting[name]!)).position),
  );
  assert.deepEqual(positions, [1, 2, 3], "b's first comes before a's second");
  await s.client.cancel(running.id);
  const done = await Promise.all(
    Object.entries(waiting).map(async ([name, id]) => [name, await s.client.finished(id)] as const),
  );
  const order1 = done.toSorted(([, x], [, y]) => x.started_at!.localeCompare(y.started_at!)).map(([name]) => name);
  assert.deepEqual(order1, ["a1", "b1", "a2"]);
});

test("a key makes one generation, however often and however fast it is sent", async () => {
  const headers = { "idempotency-key": "once" };
  const answers = await Promise.all([1, 2, 3].map(() => post(piece, headers)));
  const ids = await Promise.all(answers.map(async (answer) => (await made(Promise.resolve(answer))).id));
  assert.equal(new Set(ids).size, 1);
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 201]);
  await refused(post({ ...piece, seed: 1 }, headers), 422, /came with another request/);
  await refused(post(piece, { "idempotency-key": "x".repeat(256) }), 400, /1 to 255/, "Idempotency-Key");
});

test("prompts are text: in answers, headers, file names, logs and metrics", async () => {
  const prompt = `</script><img src=x onerror=alert(1)> "\u001b[31m\r\nSet-Cookie: a=b ../../etc/passwd ${"🎵é\u0000\ud800".repeat(100)}`;
  const { id } = await s.client.create({ ...piece, prompt, title: prompt.slice(0, 100) });
  const done = await s.client.finished(id);
  assert.equal(done.state, "done");
  const sound = await fetch(s.client.soundUrl(id, "flac", { download: true }));
  assert.equal(sound.status, 200);
  assert.match(
    sound.headers.get("content-disposition")!,
    /^attachment; filename="[\w.-]+"; filename\*=UTF-8''[\w.%~-]+$/,
  );
  assert.equal(sound.headers.get("set-cookie"), null);
  assert.match(fileName("inline", 'a"b\r\n/..\\é'), /^inline; filename="[\w.-]+"; filename\*=UTF-8''[\w.%~-]+$/);
  const metrics = await (await s.ask("GET", "/metrics")).text();
  assert.match(metrics, /^hocket_generations\{state="done"\} \d+$/m);
  assert.doesNotMatch(metrics, /script|passwd/);
  for (const line of metrics.trim().split("\n"))
    assert.match(line, /^(# (HELP|TYPE) \w+ .*|\w+(\{\w+="[^"\n]*"(,\w+="[^"\n]*")*\})? [\d.e+-]+)$/);
});

/** A request with headers that fetch would not let one set. */
function raw(server: Serving, path: string, headers: Record<string, string>, method = "GET"): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = rawRequest(`${server.url}${path}`, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on("error", reject);
    request.end();
  });
}

test("other names, other sites and other origins are not heard", async () => {
  const { port } = s.server;
  for (const [headers, status] of [
    [{ host: `localhost:${port}` }, 200],
    [{ host: `127.0.0.1:${port}` }, 200],
    [{ host: `[::1]:${port}` }, 200],
    [{ host: `LOCALHOST:${port}` }, 200],
    [{ host: "localhost" }, 200],
    [{ host: `evil.example:${port}` }, 421],
    [{ host: `localhost.evil.example:${port}` }, 421],
    [{ host: `127.0.0.1.evil.example` }, 421],
    [{ host: `192.168.1.5:${port}` }, 421],
    [{ origin: `http://127.0.0.1:${port}` }, 200],
    [{ origin: "http://evil.example" }, 403],
    [{ origin: `http://localhost:${port}` }, 403],
    [{ origin: "http://127.0.0.1:1" }, 403],
    [{ origin: "null" }, 403],
    [{ "sec-fetch-site": "same-origin" }, 200],
    [{ "sec-fetch-site": "none" }, 200],
    [{ "sec-fetch-site": "cross-site" }, 403],
    [{ "sec-fetch-site": "same-site" }, 403],
  ] as const)
    assert.equal(await raw(s, "/v1/models", headers), status, JSON.stringify(headers));
  assert.equal(await raw(s, "/", { "sec-fetch-site": "cross-site" }), 200, "a link may lead to the studio");
  assert.equal(await raw(s, "/", { host: "evil.example" }), 421);
});

test("a token is asked for everywhere but at the pages and the health check", async () => {
  const locked = await serving({ token: "a long secret".replaceAll(" ", "-") });
  const token = "a-long-secret";
  for (const path of ["/v1/generations", "/v1/models", "/v1/openapi.json", "/metrics", "/v1/none"]) {
    assert.equal(await raw(locked, path, {}), 401, path);
    for (const wrong of [
      "Bearer a-long-secreT",
      "Bearer ",
      "Bearer a-long-secret-",
      "Basic a-long-secret",
      "a-long-secret",
    ])
      assert.equal(await raw(locked, path, { authorization: wrong }), 401, wrong);
  }
  for (const path of ["/", "/health"]) assert.equal(await raw(locked, path, {}), 200);
  assert.equal(await raw(locked, "/v1/models", { authorization: `bearer ${token}`, host: "music.example" }), 200);
  assert.equal(
    await raw(locked, "/v1/models", { authorization: `bearer ${token}`, origin: "http://evil.example" }),
    403,
  );
  const signedIn = await locked.ask("POST", "/v1/session", undefined, { authorization: `Bearer ${token}` });
  assert.equal(signedIn.status, 204);
  const cookie = signedIn.headers.get("set-cookie")!;
  assert.match(cookie, /^hocket=[0-9a-f]{64}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=\d+$/);
  assert.ok(!cookie.includes(token));
  assert.equal(await raw(locked, "/v1/models", { cookie: `a=b; ${cookie.split(";")[0]}` }), 200);
  assert.equal(await raw(locked, "/v1/models", { cookie: "hocket=00" }), 401);
  assert.equal(await raw(locked, "/v1/models", { cookie: cookie.split(";")[0]!, "sec-fetch-site": "cross-site" }), 403);
});

test("the server does not start where it could be reached without a token", async () => {
  for (const host of ["0.0.0.0", "::", "192.168.1.5", "music.example"])
    await assert.rejects(serving({ host }), /give it a --token/, host);
  await assert.rejects(serving({ host: "0.0.0.0", token: "short" }), /8 to 200 characters/);
  const open = await serving({ host: "0.0.0.0", token: "long-enough" });
  assert.equal((await fetch(`http://127.0.0.1:${open.server.port}/v1/models`)).status, 401);
  await assert.rejects(serving({ port: s.server.port }), /another program does; give another --port/);
});

test("every answer says what a browser must not do with it", async () => {
  for (const path of ["/", "/v1/models", "/v1/none", "/health"]) {
    const { headers } = await s.ask("GET", path);
    assert.equal(headers.get("x-content-type-options"), "nosniff", path);
    assert.equal(headers.get("x-frame-options"), "DENY");
    assert.match(headers.get("content-security-policy")!, /^default-src '(self|none)'/);
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

test("half a request, noise and silence on the line harm nobody", async () => {
  for (const noise of [
    "\0\u0001\u0002",
    "GET",
    "GET / HTTP/1.1\r\n\r\n",
    `GET /${"a".repeat(20_000)} HTTP/1.1\r\n`,
    "POST /v1/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\nContent-Type: application/json\r\n\r\n{",
  ])
    await new Promise<void>((resolve) => {
      const socket = connect(s.server.port, "127.0.0.1", () =>
        socket.write(noise, () => setTimeout(() => socket.destroy(), 20)),
      );
      socket.on("close", () => resolve());
      socket.on("error", () => {});
    });
  assert.equal((await s.ask("GET", "/health")).status, 200);
});

test("whoever the guard lets through without a token speaks to a loopback name", () => {
  const request = (headers: Record<string, string>) => new Request("http://x/v1/models", { headers });
  assert.throws(() => guard(request({}), undefined), /is not this machine/);
});

test("the limits that are usual are those of the document", async () => {
  const { ask } = await serving();
  const document = (await (await ask("GET", "/v1/openapi.json")).json()) as {
    info: { version: string };
    components: { schemas: { GenerationInput: { properties: Record<string, { maximum?: number }> } } };
  };
  const { duration, variations } = document.components.schemas.GenerationInput.properties;
  assert.equal(duration!.maximum, usualLimits.seconds);
  assert.equal(variations!.maximum, usualLimits.pieces);
  assert.equal(document.info.version, JSON.parse(readFileSync(repositoryFile("package.json"), "utf8")).version);
});

test("whoever leaves before or while a sound is streamed leaves nothing behind", async () => {
  const { id } = await s.client.create({ prompt: "long", duration: 4, seed: 3 });
  for (let i = 0; i < 20; i++) {
    const stop = new AbortController();
    const path = i % 2 === 0 ? "events" : "audio.wav";
    const asked = fetch(`${s.url}/v1/generations/${id}/${path}`, { signal: stop.signal }).catch(() => undefined);
    if (i > 9) await (await asked)?.body?.getReader().read();
    stop.abort();
    await asked;
  }
  assert.equal((await s.client.finished(id)).state, "done");
  assert.equal((await s.ask("GET", "/health")).status, 200);
});
