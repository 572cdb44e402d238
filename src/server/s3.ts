/**
 * @file S3-compatible storage, for sounds and codes that workers make and the server reads. Where it is and who may use it
 * comes from the environment, in the names that every such program reads. Keys and tokens are in no message.
 */

import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { AwsClient } from "aws4fetch";
import { HocketError } from "../errors.js";

/** Where files lie that several machines use. A file is there whole or not at all. */
export interface Storage {
  /** As people write it: the same for the server and its workers. */
  readonly name: string;
  /** @throws HocketError "network", after some tries; "bad-request" where it is refused */
  put(key: string, bytes: Uint8Array): Promise<void>;
  get(key: string): Promise<Uint8Array>;
  /** There may be none. */
  remove(key: string): Promise<void>;
}

export interface S3Options {
  /** Milliseconds before the second try of a request; each further one waits twice as long. */
  readonly patience?: number;
}

/**
 * @param place as s3://bucket/prefix
 * @throws HocketError for what is no such place, keys that are missing or refused, a bucket that is not there: something is
 *   put there, fetched and taken away to see
 */
export async function openS3(
  place: string,
  environment: Readonly<Record<string, string | undefined>>,
  options: S3Options = {},
): Promise<Storage> {
  const { bucket, prefix } = placeOf(place);
  const storage = new S3(bucket, prefix, await clientOf(environment), rootOf(bucket, environment), options);
  const key = `trying-${randomBytes(8).toString("hex")}`;
  const tried = randomBytes(16);
  await storage.put(key, tried);
  const found = await storage.get(key);
  await storage.remove(key);
  if (!tried.equals(found))
    throw new HocketError("network", `${storage.name} gave back other bytes than it was given: is it S3-compatible?`);
  return storage;
}

// --- internal ---

class S3 implements Storage {
  readonly name: string;

  constructor(
    bucket: string,
    readonly prefix: string,
    readonly client: AwsClient,
    readonly root: string,
    readonly options: S3Options,
  ) {
    this.name = `s3://${[bucket, ...(prefix === "" ? [] : [prefix])].join("/")}`;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    // The sum is signed too: bytes that are not those that were sent are refused.
    const headers = { "x-amz-content-sha256": createHash("sha256").update(bytes).digest("hex") };
    await this.#ask("PUT", key, { headers, body: new Uint8Array(bytes) });
  }

  async get(key: string): Promise<Uint8Array> {
    return this.#ask("GET", key);
  }

  async remove(key: string): Promise<void> {
    await this.#ask("DELETE", key);
  }

  /** The body of the answer. A line that is cut and a service that is down are tried again. */
  async #ask(method: string, key: string, init: RequestInit = {}): Promise<Uint8Array> {
    const full = [...(this.prefix === "" ? [] : [this.prefix]), key].join("/");
    const url = `${this.root}/${full.split("/").map(encodeURIComponent).join("/")}`;
    const { patience = 250 } = this.options;
    for (let attempt = 0; ; attempt++) {
      const what = `${method} ${this.name}/${key}`;
      let why: string;
      try {
        const signed = await this.client.sign(url, { method, ...init });
        const answer = await fetch(signed, { signal: AbortSignal.timeout(longest) });
        const body = new Uint8Array(await answer.arrayBuffer());
        if (answer.ok) return body;
        const code = /<Code>(\w{1,64})<\/Code>/.exec(new TextDecoder().decode(body.subarray(0, 4096)))?.[1];
        if (answer.status < 500 && answer.status !== 429) throw refusal(what, answer.status, code);
        why = `it answers ${answer.status}${code === undefined ? "" : ` ${code}`}`;
      } catch (error) {
        if (error instanceof HocketError) throw error;
        const { message, cause } = error as Error;
        why = cause instanceof Error && cause.message !== "" ? cause.message : message;
      }
      if (attempt + 1 === mostTries)
        throw new HocketError("network", `${what}: ${why}; it was tried ${mostTries} times`);
      await sleep(patience * 2 ** attempt);
    }
  }
}

const mostTries = 6;
/** Milliseconds that one request may take. */
const longest = 300_000;

function placeOf(place: string): { bucket: string; prefix: string } {
  const [, bucket, rest = ""] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(\/[\w./-]*)?$/.exec(place) ?? [];
  const parts = rest.split("/").filter((part) => part !== "");
  if (bucket === undefined || parts.some((part) => /^\.+$/.test(part)))
    throw new HocketError("bad-request", `--storage: "${place}" is no place such as s3://bucket/prefix`);
  return { bucket, prefix: parts.join("/") };
}

async function clientOf(environment: Readonly<Record<string, string | undefined>>): Promise<AwsClient> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = environment;
  if (!accessKeyId || !secretAccessKey)
    throw new HocketError(
      "bad-request",
      "--storage: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment",
    );
  const { AwsClient } = await import("aws4fetch").catch((cause) => {
    throw new HocketError("bad-request", "storage in S3 needs a package: npm install aws4fetch", { cause });
  });
  const token = environment.AWS_SESSION_TOKEN;
  return new AwsClient({
    accessKeyId,
    secretAccessKey,
    service: "s3",
    region: regionOf(environment),
    ...(token ? { sessionToken: token } : {}),
  });
}

const regionOf = ({ AWS_REGION, AWS_DEFAULT_REGION }: Readonly<Record<string, string | undefined>>): string =>
  AWS_REGION || AWS_DEFAULT_REGION || "us-east-1";

/** Where the bucket is. Others than Amazon are asked for it in the path, which all of them know. */
function rootOf(bucket: string, environment: Readonly<Record<string, string | undefined>>): string {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 || environment.AWS_ENDPOINT_URL;
  if (!endpoint) {
    const host = `s3.${regionOf(environment)}.amazonaws.com`;
    return bucket.includes(".") ? `https://${host}/${bucket}` : `https://${bucket}.${host}`;
  }
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== "" || url.search !== "")
    throw new HocketError("bad-request", "AWS_ENDPOINT_URL is no address such as https://storage.example:9000");
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}/${bucket}`;
}

function refusal(what: string, status: number, code: string | undefined): HocketError {
  const hint = hints[code ?? ""] ?? (status === 403 ? hints.AccessDenied : undefined);
  const said = `${what}: it answers ${status}${code === undefined ? "" : ` ${code}`}`;
  return new HocketError("bad-request", hint === undefined ? said : `${said}: ${hint}`);
}

const hints: Record<string, string> = {
  AccessDenied: "these keys may not do this; putting, getting and deleting objects is needed",
  InvalidAccessKeyId: "it does not know this AWS_ACCESS_KEY_ID",
  SignatureDoesNotMatch: "AWS_SECRET_ACCESS_KEY is not that of AWS_ACCESS_KEY_ID",
  ExpiredToken: "AWS_SESSION_TOKEN has expired",
  RequestTimeTooSkewed: "this machine's clock is wrong",
  NoSuchBucket: "there is no such bucket; make it first",
  AuthorizationHeaderMalformed: "set AWS_REGION to the bucket's region",
  PermanentRedirect: "set AWS_REGION to the bucket's region",
};
