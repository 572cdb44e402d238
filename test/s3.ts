/**
 * @file S3 on this machine, for tests: buckets of objects that are there whole or not at all, and every request's signature
 * checked as the description of AWS Signature Version 4 has it (written from that, not from the client that is tested).
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";

export interface Keys {
  readonly id: string;
  readonly secret: string;
  readonly region: string;
}

export interface S3Server {
  /** What programs are to find in their environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** By "bucket/key". */
  readonly objects: Map<string, Buffer>;
  /** "PUT bucket/key 200" */
  readonly log: string[];
  /** Requests that are to be answered with this status, or whose line is to be cut (0), first of all. */
  readonly trouble: number[];
  /** Is told of a request, "PUT bucket/key", before anything comes of it. */
  before?: (what: string) => void;
}

export async function s3(bucket: string, keys: Keys = usual): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const [log, trouble]: [string[], number[]] = [[], []];
  const made: Omit<S3Server, "environment"> = { objects, log, trouble };
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = Buffer.concat(parts);
    const name = decodeURIComponent(new URL(request.url!, "http://x").pathname.slice(1));
    response.once("close", () => log.push(`${request.method} ${name} ${response.statusCode}`));
    made.before?.(`${request.method} ${name}`);
    const status = trouble.shift();
    if (status === 0) return request.socket.destroy();
    if (status !== undefined) return refuse(response, status, "SlowDown");
    const wrong = complaint(request, body, keys);
    if (wrong !== undefined) return refuse(response, wrong === "AuthorizationHeaderMalformed" ? 400 : 403, wrong);
    if (!name.startsWith(`${bucket}/`)) return refuse(response, 404, "NoSuchBucket");
    if (request.method === "PUT") objects.set(name, body);
    else if (request.method === "DELETE") objects.delete(name);
    const found = objects.get(name);
    if (request.method === "GET" && found === undefined) return refuse(response, 404, "NoSuchKey");
    response.writeHead(request.method === "DELETE" ? 204 : 200).end(request.method === "GET" ? found : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  const environment = {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_ACCESS_KEY_ID: keys.id,
    AWS_SECRET_ACCESS_KEY: keys.secret,
    AWS_REGION: keys.region,
  };
  return Object.assign(made, { environment });
}

/** What is signed of a request. */
export interface Signed {
  readonly method: string;
  /** As it stands in the request. */
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Names of those that are signed, in order, joined by ";". */
  readonly names: string;
  /** The sum of the body, or UNSIGNED-PAYLOAD. */
  readonly sum: string;
  /** As in X-Amz-Date. */
  readonly time: string;
}

/** The signature of a request (AWS Signature Version 4). */
export function signature(request: Signed, { secret, region }: Keys): string {
  const { method, path, query, headers, names, sum, time } = request;
  const lines = names.split(";").map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`);
  const canonical = [method, path, query.split("&").sort().join("&"), lines.join(""), names, sum].join("\n");
  const day = time.slice(0, 8);
  const toSign = ["AWS4-HMAC-SHA256", time, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n");
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, toSign).toString("hex");
}

// --- internal ---

const usual: Keys = { id: "AKIAEXAMPLE", secret: "a secret/that+nobody=reads", region: "eu-test-1" };

const sha256 = (bytes: string | Buffer): string => createHash("sha256").update(bytes).digest("hex");
const hmac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();

/** What S3 would have against it. */
function complaint({ method, url, headers }: IncomingMessage, body: Buffer, keys: Keys): string | undefined {
  const [, id, day, region, names, given] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([\w;-]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  if (given === undefined) return "AccessDenied";
  if (region !== keys.region) return "AuthorizationHeaderMalformed";
  if (id !== keys.id) return "InvalidAccessKeyId";
  const [path = "", query = ""] = url!.split("?");
  const [time, sum] = [`${headers["x-amz-date"]}`, `${headers["x-amz-content-sha256"]}`];
  const at = Date.parse(time.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (time.slice(0, 8) !== day || !(Math.abs(Date.now() - at) < 15 * 60_000)) return "RequestTimeTooSkewed";
  for (const must of ["host", "x-amz-date", "x-amz-content-sha256"])
    if (!names!.split(";").includes(must)) return "AccessDenied";
  const one = headers as Record<string, string | undefined>;
  const expected = signature({ method: method!, path, query, headers: one, names: names!, sum, time }, keys);
  if (!timingSafeEqual(Buffer.from(expected), Buffer.from(given))) return "SignatureDoesNotMatch";
  if (sum !== "UNSIGNED-PAYLOAD" && sum !== sha256(body)) return "XAmzContentSHA256Mismatch";
  return undefined;
}

function refuse(response: ServerResponse, status: number, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>no</Message></Error>`;
  response.writeHead(status, { "content-type": "application/xml" }).end(body);
}
