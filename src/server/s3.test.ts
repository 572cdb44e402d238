import assert from "node:assert/strict";
import { test } from "node:test";
import { s3, signature } from "../../test/s3.js";
import { HocketError } from "../errors.js";
import { openS3 } from "./s3.js";

const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7919) >> 3);

test("the server of these tests computes the signature that Amazon's documentation prints", () => {
  // "Authenticating Requests: Using the Authorization Header", example: PUT Object
  const sum = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
  const request = {
    method: "PUT",
    path: "/test%24file.text",
    query: "",
    headers: {
      date: "Fri, 24 May 2013 00:00:00 GMT",
      host: "examplebucket.s3.amazonaws.com",
      "x-amz-content-sha256": sum,
      "x-amz-date": "20130524T000000Z",
      "x-amz-storage-class": "REDUCED_REDUNDANCY",
    },
    names: "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    sum,
    time: "20130524T000000Z",
  };
  const keys = { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", region: "us-east-1" };
  assert.equal(signature(request, keys), "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
});

test("what is put is what is got, until it is taken away", async () => {
  const { environment, objects } = await s3("music");
  const storage = await openS3("s3://music/of-mine/", environment);
  assert.equal(storage.name, "s3://music/of-mine");
  assert.equal(objects.size, 0, "nothing is left of trying it");
  await storage.put("sounds/ab/piece 0+1.wav", bytes);
  assert.deepEqual([...objects.keys()], ["music/of-mine/sounds/ab/piece 0+1.wav"]);
  assert.deepEqual(await storage.get("sounds/ab/piece 0+1.wav"), bytes);
  await storage.remove("sounds/ab/piece 0+1.wav");
  await storage.remove("sounds/ab/piece 0+1.wav");
  assert.equal(objects.size, 0);
  await assert.rejects(storage.get("sounds/ab/piece 0+1.wav"), /NoSuchKey/);
});

test("a service that is down, or a line that is cut, is tried again; what is refused is not", async () => {
  const { environment, trouble, log } = await s3("music");
  const storage = await openS3("s3://music", environment, { patience: 1 });
  trouble.push(503, 0, 500);
  await storage.put("a", bytes);
  trouble.push(0, 429);
  assert.deepEqual(await storage.get("a"), bytes);
  trouble.push(...Array.from({ length: 6 }, () => 503));
  await assert.rejects(storage.get("a"), (error: HocketError) => {
    assert.equal(error.code, "network");
    return /GET s3:\/\/music\/a: it answers 503 SlowDown; it was tried 6 times/.test(error.message);
  });
  const before = log.length;
  trouble.push(403);
  await assert.rejects(storage.get("a"), /403 SlowDown: these keys may not/);
  assert.equal(log.length, before + 1);
});

test("what is wrong is said at the start, and no key is in what is said", async () => {
  const { environment } = await s3("music");
  const secret = environment.AWS_SECRET_ACCESS_KEY!;
  const wrong = { ...environment, AWS_SECRET_ACCESS_KEY: "another secret", AWS_SESSION_TOKEN: "a token of theirs" };
  for (const [place, env, expected] of [
    ["s3://", environment, /"s3:\/\/" is no place such as/],
    ["s3://music/../other", environment, /is no place/],
    ["https://music", environment, /is no place/],
    ["s3://another/prefix", environment, /404 NoSuchBucket: there is no such bucket/],
    ["s3://music", {}, /set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY/],
    ["s3://music", { ...environment, AWS_ACCESS_KEY_ID: "AKIAOTHER" }, /it does not know this AWS_ACCESS_KEY_ID/],
    ["s3://music", wrong, /AWS_SECRET_ACCESS_KEY is not that of/],
    ["s3://music", { ...environment, AWS_REGION: "us-west-9" }, /set AWS_REGION to the bucket's region/],
    ["s3://music", { ...environment, AWS_ENDPOINT_URL: "http://me:mine@127.0.0.1" }, /AWS_ENDPOINT_URL is no address/],
  ] as const)
    await assert.rejects(openS3(place, env, { patience: 1 }), (error: Error) => {
      assert.match(error.message, expected);
      assert.ok(error instanceof HocketError);
      for (let each: unknown = error; each instanceof Error; each = each.cause)
        for (const key of [secret, "another secret", "a token of theirs", "AKIA", "mine@"])
          assert.ok(!`${each.stack}${each.message}`.includes(key), `${each.message} shows a key`);
      return true;
    });
});
